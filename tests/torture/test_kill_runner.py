"""Kills a runner at random moments of applies, rollbacks and config edits: the next one has lost nothing that was acknowledged, and runs everything once."""

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil
import pytest
from msgspec.structs import replace

from ignrun.control.client import Client
from ignrun.control.wire import ApplyRequest, RollbackRequest
from ignrun.render.history import DetailReport
from ignrun.terms.failure import Failure
from tests.stories.plant import Plant, new_plant, settled, until
from tests.torture.sabotaged import sabotaged

pytestmark = [pytest.mark.story, pytest.mark.timeout(7200)]

CODE = """
from ignrun import Module

class Part(Module):
    async def startup(self):
        self.export(level=self.config["level"])

    async def reconfigure(self, change):
        self.export(level=change.new["level"])
"""
MANIFEST = """
metadata: {{name: killed}}
apply: {{soak: 0s}}
modules:
  shared: {{entry: parts:Part, config: {{level: {level}}}}}
  own: {{entry: parts:Part, isolation: process, config: {{level: {level}}}, requires: [shared]}}
  edited: {{entry: parts:Part, config: {{level: 0}}}}
  idle: {{command: [sleep, "{sleep}"], requires: [own]}}
"""
RECOVERY, ANSWER = 10.0, 2.0
"""Seconds within which everything runs again, and within which the API answers."""

KEPT = 40
"""How many of the latest generations are compared: older ones are thinned out in their time."""


@dataclass
class Asked:
    """What was asked of a plant and what of it was acknowledged: generations, byte for byte, and the config edited last."""

    plant: Plant
    socket: str
    chance: random.Random
    level: int = 1
    asked: int = 1
    generations: dict[int, bytes] = field(default_factory=dict)
    edits: tuple[int, int] = (0, 0)
    kills: int = 0
    flaws: list[str] = field(default_factory=list)

    def work(self, socket: str) -> None:
        """Change the plant in one way after the other until nobody answers."""
        client = Client(socket)
        with contextlib.suppress(Failure):
            while True:
                self._step(client)

    def _step(self, client: Client) -> None:
        self.asked += 1
        match self.chance.choice(("apply", "apply", "apply", "rollback", "rollback", "edit")):
            case "edit":
                self.edit()
                outcome = client.apply(self.request())
            case "rollback":
                outcome = client.rollback(RollbackRequest())
            case _:
                outcome = client.apply(self.changed())
        if outcome.result == "committed":
            self.generations[outcome.generation] = self.kept(client, outcome.generation)

    def changed(self) -> ApplyRequest:
        """Ask for another level of everybody."""
        self.level += 1
        self.plant.write(MANIFEST.format(level=self.level, sleep=1000 + self.level // 3))
        return self.request()

    def request(self) -> ApplyRequest:
        return ApplyRequest(str(self.plant.manifest), str(self.plant.folder), environment={"PATH": os.environ["PATH"]})

    def edit(self) -> None:
        told, last = self.edits
        self.edits = told, last + 1
        if self.plant.ignrun("config", "set", "edited.level", str(last + 1), code=None).code == 0:
            self.edits = last + 1, last + 1

    @staticmethod
    def kept(client: Client, number: int) -> bytes:
        """Give what is kept of a generation, but who points to it now and how it came into force: of a boot of it that is told anew."""
        detail: DetailReport = client.generation(number)
        fixed = replace(detail.generation, current=False, good=False, ended=None, summary="")
        return msgspec.json.encode(replace(detail, generation=fixed, steps=()))


@contextlib.contextmanager
def beginning(folder: Path, seed: int, **environment: str) -> Iterator[Asked]:
    with new_plant(folder, **environment) as plant:
        plant.write(CODE, "parts.py")
        plant.write(MANIFEST.format(level=1, sleep=1000))
        plant.ignrun("apply", "-d")
        yield Asked(plant, plant.status()["plant"]["socket"], random.Random(seed))
        plant.ignrun("down")
        plant.nothing_left()


def kill(asked: Asked, most: float) -> None:
    """Kill the runner within `most` seconds of work, start the plant again, and note what is not as promised."""
    runner = msgspec.to_builtins(Client(asked.socket).status())["plant"]
    worker = threading.Thread(target=asked.work, args=(runner["socket"],))
    worker.start()
    time.sleep(asked.chance.uniform(0, most))
    os.kill(runner["pid"], signal.SIGKILL)
    asked.kills += 1
    worker.join()
    began = time.monotonic()
    asked.asked += 1
    asked.plant.ignrun("apply", "-d")
    client = Client(asked.socket, ANSWER)
    until(lambda: settled(msgspec.to_builtins({one.address: one for one in client.status().instances})))
    took = time.monotonic() - began
    flaws = [f"it took {took:.1f} s"] if took > RECOVERY else []
    asked.flaws += [f"kill {asked.kills}: {flaw}" for flaw in (*flaws, *lost(asked), *doubled(asked))]


def lost(asked: Asked) -> Iterator[str]:
    """Name what was acknowledged and is gone or another, what nobody asked for, and what does not fit together."""
    client = Client(asked.socket, ANSWER)
    history = client.generations(1000).generations
    results = {one.number: one.result for one in history}
    for number in (one for one in sorted(asked.generations) if one > history[0].number - KEPT):
        if results.get(number) != "committed":
            yield f"generation {number} was acknowledged and is {results.get(number, 'gone')}"
        elif (now := asked.kept(client, number)) != asked.generations[number]:
            yield f"generation {number} is not what was acknowledged: {_differing(asked.generations[number], now)}"
    if history[0].number > asked.asked:
        yield f"generation {history[0].number} is invented: {asked.asked} changes were asked for"
    for one in history:
        if one.result is None or not one.readable:
            yield f"generation {one.number} has no result"
    pointers = [[one.number for one in history if one.current], [one.number for one in history if one.good]]
    if pointers != [[client.status().plant.generation]] * 2:
        yield f"pointers lead to {pointers}"
    seqs = [event.seq for event in client.events()]
    if seqs != list(range(1, len(seqs) + 1)):
        yield f"numbers of events are missing: {sorted({*range(1, max(seqs) + 1)} - {*seqs})}"
    outcome = client.apply(asked.request())
    if outcome.result != "unchanged" or client.generations(1).generations[0].number != history[0].number:
        yield f"recovering once was not enough: {outcome}"
    told, last = asked.edits
    overlay = Path(client.status().plant.state_dir) / "config" / "edited.json"
    if last and not told <= (found := _level_in(overlay)) <= last:
        yield f"the config edited is {found}, not {told} to {last}"


def _differing(then: bytes, now: bytes) -> list[str]:
    was, is_ = json.loads(then), json.loads(now)
    was, is_ = was | was["generation"], is_ | is_["generation"]
    return [f"{key}: {was[key]} -> {is_[key]}" for key in was if key != "generation" and was[key] != is_[key]]


def _level_in(overlay: Path) -> int:
    text = json.loads(overlay.read_text()) if overlay.exists() else {}
    found = text.get("level", text.get("config", {}).get("level", 0) if isinstance(text.get("config"), dict) else 0)
    return int(found)


def doubled(asked: Asked) -> Iterator[str]:
    """Name processes that the runner before has left, and instances of which there is not exactly one."""
    status = Client(asked.socket, ANSWER).status()
    runner = psutil.Process(status.plant.pid)
    family = {runner.pid, *(one.pid for one in runner.children(recursive=True))}
    living = asked.plant.processes()
    yield from (f"process {pid} is left: {command}" for pid, command in living.items() if pid not in family)
    sleeping = [pid for pid, command in living.items() if command.startswith("sleep ")]
    if not {one.pid for one in status.instances} <= family or len(sleeping) != 1:
        yield f"not everybody lives once: {living}"


# --- what must be caught ----------------------------------------------------------------------------------------------

EARLY = """
import time
real = Journal._commit
def early(self, entries):
    for entry in entries:
        if hasattr(entry, "done"):
            entry.done("")
    time.sleep(0.3)
    return real(self, entries)
Journal._commit = early
"""


def test_a_journal_that_tells_before_it_keeps_is_caught(tmp_path) -> None:
    with beginning(tmp_path, 1, **sabotaged(tmp_path, "ignrun.runtime.journal.writer", EARLY)) as asked:
        runner = asked.plant.status()["plant"]
        time.sleep(0.5)
        outcome = Client(runner["socket"]).apply(asked.changed())
        os.kill(runner["pid"], signal.SIGKILL)
        asked.asked += 1
        asked.generations[outcome.generation] = b""
        asked.plant.write(MANIFEST.format(level=1, sleep=1000))
        asked.plant.ignrun("apply", "-d")
        assert any("was acknowledged and is interrupted" in flaw for flaw in lost(asked))


def test_twenty_kills_lose_nothing(tmp_path) -> None:
    with beginning(tmp_path, 2) as asked:
        for _ in range(20):
            kill(asked, 0.4)
        print(f"{asked.kills} kills, {len(asked.generations)} generations acknowledged, {len(asked.flaws)} flaws")
        assert asked.flaws == []


@pytest.mark.torture
def test_a_thousand_kills_lose_nothing(tmp_path) -> None:
    with beginning(tmp_path, 3) as asked:
        for _ in range(1000):
            kill(asked, 3.0)
        print(f"{asked.kills} kills, {len(asked.generations)} generations acknowledged, {len(asked.flaws)} flaws")
        assert asked.flaws == []
