"""Has many clients apply, roll back and edit run-time values at once: what each was told explains the history, and nobody is told of what he did not ask for."""

import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ignrun.control.client import Client
from ignrun.control.wire import ApplyOptions, ApplyRequest, RollbackRequest
from ignrun.render.outcome import OutcomeReport
from ignrun.terms.failure import Failure
from tests.stories.plant import Plant, new_plant
from tests.torture.sabotaged import sabotaged

pytestmark = [pytest.mark.story, pytest.mark.timeout(1800)]

CODE = """
from ignrun import Module

class Part(Module):
    async def startup(self):
        self.export(level=self.config["level"])

    async def reconfigure(self, change):
        self.export(level=change.new["level"])
"""
MANIFEST = """
metadata: {{name: crowded}}
apply: {{soak: 0s}}
modules:
  part: {{entry: parts:Part, config: {{level: {level}}}}}
  edited: {{entry: parts:Part, config: {{level: 0}}}}
"""
LEVELS = range(1, 6)


@dataclass(frozen=True)
class Told:
    """What one client asked for, a level or (None) to go back, and what he was told."""

    level: int | None
    outcome: OutcomeReport


@dataclass
class Crowd:
    """Clients at work on one plant, each with a manifest of his own, and what they were told."""

    plant: Plant
    client: Client
    told: list[Told] = field(default_factory=list)

    def request(self, level: int) -> ApplyRequest:
        """Ask for a level, by the manifest of that level."""
        path = self.plant.folder / f"level-{level}.yaml"
        environment = {"PATH": os.environ["PATH"]}
        return ApplyRequest(
            str(path), str(self.plant.folder), environment=environment, options=ApplyOptions(soak=0.0, retry=True)
        )

    def work(self, chance: random.Random, times: int) -> None:
        for _ in range(times):
            if chance.random() < 0.25:
                try:
                    self.told.append(Told(None, self.client.rollback(RollbackRequest(options=ApplyOptions(soak=0.0)))))
                except Failure:
                    continue
            else:
                level = chance.choice(LEVELS)
                self.told.append(Told(level, self.client.apply(self.request(level))))

    def edit(self, times: int) -> None:
        for value in range(1, times + 1):
            self.plant.ignrun("config", "set", "edited.level", str(value), "-m", str(self.plant.manifest))


def rush(crowd: Crowd, seed: int, clients: int, times: int = 3) -> list[str]:
    """Let so many clients work at once, one of whom edits a run-time value, and name what does not fit together."""
    crowd.told.clear()
    before = {one.number for one in crowd.client.generations(1000).generations}
    threads = [
        threading.Thread(target=crowd.work, args=(random.Random(f"{seed} {number}"), times))
        for number in range(clients)
    ]
    threads.append(threading.Thread(target=crowd.edit, args=(1,)))
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return [f"rush {seed} of {clients}: {flaw}" for flaw in misfits(crowd, before)]


def misfits(crowd: Crowd, before: set[int]) -> Iterator[str]:
    """Hold what was told to what is kept, and that to what runs."""
    history = crowd.client.generations(1000).generations
    levels = {
        one.number: _level(crowd.client, one.number) for one in history if one.number not in before or one.current
    }
    numbers = [one.number for one in reversed(history)]
    if numbers != sorted({*numbers}):
        yield f"generations do not grow: {numbers}"
    made = {one.outcome.generation for one in crowd.told if one.outcome.result == "committed"}
    if made != {one.number for one in history if one.number not in before and one.result == "committed"}:
        yield f"told of {made}, kept are {numbers}"
    by_transaction: dict[int, set[tuple[str, int]]] = {}
    for one in crowd.told:
        yield from _mistold(one, levels)
        if one.outcome.transaction:
            answer = (one.outcome.result, one.outcome.generation)
            by_transaction.setdefault(one.outcome.transaction, set()).add(answer)
    yield from (f"change {number} was told as {said}" for number, said in by_transaction.items() if len(said) > 1)
    yield from _not_final(crowd, max(made, default=0), levels)


def _mistold(one: Told, levels: dict[int, str]) -> Iterator[str]:
    """Name an outcome that is none of what was asked for."""
    result, number = one.outcome.result, one.outcome.generation
    if result not in {"committed", "unchanged", "superseded"}:
        yield f"{one.level} ended {result}: {one.outcome.summary}"
    if result != "superseded" and one.level is not None and levels.get(number, str(one.level)) != str(one.level):
        yield f"who asked for {one.level} was told of generation {number}, which is {levels.get(number)}"


def _not_final(crowd: Crowd, last: int, levels: dict[int, str]) -> Iterator[str]:
    """Hold what runs to the last that was committed."""
    status = crowd.client.status()
    history = crowd.client.generations(1000).generations
    marked = ([one.number for one in history if one.current], [one.number for one in history if one.good])
    number = status.plant.generation
    if (last and number != last) or marked != ([number], [number]):
        yield f"in force is {number}, marked are {marked}, the last committed is {last}"
    part = next(one for one in status.instances if one.module == "part")
    if (part.state, str(part.exports["level"])) != ("running", levels[number]):
        yield f"it runs at {part.exports}, generation {number} is {levels[number]}"


def _level(client: Client, number: int) -> str:
    """Say which manifest a generation was made of."""
    inputs = client.generation(number).inputs
    return next(Path(one.path).stem.removeprefix("level-") for one in inputs if "level-" in one.path)


def crowd_of(folder: Path, plant: Plant) -> Crowd:
    plant.write(CODE, "parts.py")
    for level in LEVELS:
        plant.write(MANIFEST.format(level=level), f"level-{level}.yaml")
    plant.manifest = folder / "level-1.yaml"
    plant.ignrun("apply", str(plant.manifest), "-d")
    return Crowd(plant, Client(plant.status()["plant"]["socket"]))


def test_a_runner_that_tells_everybody_the_first_outcome_is_caught(tmp_path) -> None:
    code = "Applies._report = lambda self, outcome, _: self.__dict__.setdefault('first', outcome_report(outcome))"
    with new_plant(tmp_path, **sabotaged(tmp_path, "ignrun.runner.applies", code)) as plant:
        assert rush(crowd_of(tmp_path, plant), 0, 4) != []


def test_twenty_rushes_of_two_to_sixteen_clients_fit_together(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        crowd = crowd_of(tmp_path, plant)
        flaws = [flaw for seed in range(20) for flaw in rush(crowd, seed, 2 + seed % 15, 2)]
        assert flaws == []


@pytest.mark.torture
def test_two_hundred_rushes_of_two_to_sixteen_clients_fit_together(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        crowd = crowd_of(tmp_path, plant)
        assert [flaw for seed in range(200) for flaw in rush(crowd, seed, 2 + seed % 15)] == []
