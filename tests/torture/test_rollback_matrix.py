"""Makes a change of real processes fail at every stage, in every way and place: what was there before is there again, and nobody else has noticed."""

import itertools
import os
import random
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from ignrun.cli.exit_codes import code_of_result
from ignrun.control.client import Client
from ignrun.control.wire import ApplyOptions, ApplyRequest
from ignrun.render.outcome import OutcomeReport
from ignrun.render.status_report import InstanceStatus, StatusReport
from ignrun.terms.events import LifecycleEvent
from ignrun.terms.states import ModuleState
from tests.house.tree import ROOT
from tests.stories.plant import Plant, new_plant, until
from tests.torture.sabotaged import sabotaged
from tests.torture.trapped import COMMAND, PARTS, TRIOS, manifest

pytestmark = [pytest.mark.story, pytest.mark.timeout(1800)]

PAGE = ROOT / "docs" / "explanation" / "what-a-failed-change-costs.md"
WAYS = ("raise", "exit", "hang", "crash", "missing binary", "port busy")
WHERE = ("first", "middle", "last")
OUTCOMES = {
    "validate": "rejected",
    "prepare": "rejected",
    "start": "rolled-back",
    "ready": "rolled-back",
    "soak": "rolled-back",
    "stop-old": "committed",
}
"""How an apply ends that fails at this stage, whatever the way."""

DEADLY = {"exit", "crash", "hang"}
"""Ways in which a process ends at the question already; one that hangs may be ended as silent."""

LONGEST = 10.0
"""Seconds that a change may take with its way back; a host that is silent is given five."""

COMMAND_CELLS = (
    ("start", "exit"), ("start", "crash"), ("start", "missing binary"),
    ("ready", "exit"), ("ready", "hang"), ("ready", "port busy"),
    ("soak", "raise"), ("soak", "exit"), ("soak", "crash"),
    ("stop-old", "exit"), ("stop-old", "hang"), ("stop-old", "crash"),
)  # fmt: skip
"""What a command can do: nobody asks it beforehand, and it has no exceptions."""


@dataclass(frozen=True)
class Cell:
    """One change that fails: of which kind of part, at which stage, how, and where in the chain of three."""

    kind: str
    stage: str
    way: str
    where: str

    @property
    def victim(self) -> str:
        return TRIOS[self.kind][WHERE.index(self.where)]


def all_cells() -> list[Cell]:
    hosted = itertools.product(("own", "shared"), OUTCOMES, WAYS, WHERE)
    commands = ((stage, way, where) for (stage, way), where in itertools.product(COMMAND_CELLS, WHERE))
    return [*itertools.starmap(Cell, hosted), *(Cell("command", *one) for one in commands)]


def some_cells() -> list[Cell]:
    """Take every stage with every way once, kinds and places by turns."""
    found = []
    for number, (stage, way) in enumerate(itertools.product(OUTCOMES, WAYS)):
        kinds = ("shared", "own", "command") if (stage, way) in COMMAND_CELLS else ("shared", "own")
        found.append(Cell(kinds[number % len(kinds)], stage, way, WHERE[number // 2 % 3]))
    return found


@dataclass
class Ordeal:
    """A plant that is put through the matrix, what is in force of it, and what was found."""

    plant: Plant
    client: Client
    port: int
    levels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TRIOS, 1))
    paces: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TRIOS, 1))
    last: int = 1
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    flaws: list[str] = field(default_factory=list)

    def apply(self, text: str, soak: float) -> OutcomeReport:
        self.plant.write(text)
        environment = {"PATH": os.environ["PATH"]}
        options = ApplyOptions(soak=soak)
        return self.client.apply(
            ApplyRequest(str(self.plant.manifest), str(self.plant.folder), environment=environment, options=options)
        )


@contextmanager
def ordeal(folder: Path, **environment: str) -> Iterator[Ordeal]:
    with new_plant(folder, **environment) as plant, socket.create_server(("127.0.0.1", 0)) as busy:
        plant.write(PARTS, "parts.py")
        plant.write(COMMAND, "part.sh")
        plant.write("- - - -", "trap.txt")
        levels = dict.fromkeys(TRIOS, 1)
        plant.write(manifest(levels, levels))
        plant.ignrun("apply", "-d")
        yield Ordeal(plant, Client(plant.status()["plant"]["socket"]), busy.getsockname()[1])
        plant.ignrun("down")
        plant.nothing_left()


def suffer(trial: Ordeal, cell: Cell) -> None:
    """Make the change of a cell, and note every way in which what comes of it is not as promised."""
    before, latest = trial.client.status(), trial.client.generations().generations[0].number
    count = _idle_processes(before)
    seq = max((event.seq for event in trial.client.events(-1)), default=0)
    began = time.monotonic()
    outcome = _change(trial, cell)
    took = time.monotonic() - began
    after = trial.client.status()
    flaws = [*_wrong_outcome(cell, outcome), *_wrong_generation(trial, cell, outcome, before, after, latest=latest)]
    flaws += [f"it took {took:.1f} s"] if took > LONGEST else []
    flaws += _disturbed(cell, before, after)
    flaws += _not_restored(trial, cell, after)
    flaws += _swings(trial, seq)
    flaws += _untrue(after)
    try:
        until(lambda: _idle_processes(trial.client.status()) == count, 5)
    except AssertionError:
        flaws.append(f"processes are left, {count} were others than hosts before: {trial.plant.processes()}")
    trial.ended[cell.stage, outcome.result] += 1
    trial.flaws += [f"{cell}: {flaw}" for flaw in flaws]


def _change(trial: Ordeal, cell: Cell) -> OutcomeReport:
    trial.last += 1
    odd: dict[str, str] = {}
    levels, paces = dict(trial.levels), dict(trial.paces)
    which = paces if cell.stage == "prepare" else levels
    was, which[cell.kind] = which[cell.kind], trial.last
    way = f"port busy {trial.port}" if cell.way == "port busy" and cell.kind != "command" else cell.way
    trial.plant.write(
        f"{cell.victim} {cell.stage} {was if cell.stage == 'stop-old' else trial.last} {way}\n", "trap.txt"
    )
    if cell.stage == "validate":
        odd[cell.victim] = _INVALID[cell.way]
    outcome = trial.apply(manifest(levels, paces, odd), 1.0 if cell.stage == "soak" else 0.0)
    if outcome.result == "committed":
        trial.levels, trial.paces = levels, paces
    return outcome


_INVALID = {
    "raise": 'entry: "parts:Part", isolation: 12',
    "exit": 'entry: "parts:NotThere"',
    "hang": 'entry: "parts:Part", config: ' + "[" * 3000,
    "crash": 'entry: "parts:Part", config: *nobody',
    "missing binary": 'entry: "not_there:Part"',
    "port busy": 'command: [sleep, "1"], ready: "udp:1"',
}
"""Mistakes that a reading finds; nothing of a module is executed by then."""


def _wrong_outcome(cell: Cell, outcome: OutcomeReport) -> Iterator[str]:
    if outcome.result != OUTCOMES[cell.stage]:
        yield f"it ended {outcome.result}: {outcome.summary} {outcome.faults}"
    elif outcome.result == "rolled-back" and f"{cell.victim}@gateway" not in {one.address for one in outcome.faults}:
        yield f"the outcome does not name who failed: {outcome}"


def _wrong_generation(
    trial: Ordeal, cell: Cell, outcome: OutcomeReport, before: StatusReport, after: StatusReport, *, latest: int
) -> Iterator[str]:
    """Hold what is in force, and what history says of it, to the outcome."""
    history = trial.client.generations().generations
    in_force = history[0].number if outcome.result == "committed" else before.plant.generation
    marked = ([one.number for one in history if one.current], [one.number for one in history if one.good])
    if (after.plant.generation, outcome.generation, *marked) != (in_force, in_force, [in_force], [in_force]):
        yield f"in force: {in_force}; told: {after.plant.generation}, {outcome.generation}, {marked}"
    if cell.stage == "validate" and history[0].number != latest:
        yield "what is invalid has become a generation"


def _identity(one: InstanceStatus) -> tuple[object, ...]:
    return one.pid, one.host, one.since, one.statistics.restart_count, one.exports.get("object")


def _disturbed(cell: Cell, before: StatusReport, after: StatusReport) -> Iterator[str]:
    """Name whoever is not who he was although the change does not concern him, or was refused before it touched anybody."""
    own = {f"{name}@gateway" for name in TRIOS[cell.kind]}
    if OUTCOMES[cell.stage] == "rejected":
        dies = cell.stage == "prepare" and cell.way in DEADLY
        own = {one for one in own if dies and (cell.kind == "shared" or one == f"{cell.victim}@gateway")}
    now = {one.address: one for one in after.instances}
    for one in before.instances:
        if one.address not in own and _identity(one) != _identity(now[one.address]):
            yield f"{one.address} was {_identity(one)} and is {_identity(now[one.address])}"


def _not_restored(trial: Ordeal, cell: Cell, after: StatusReport) -> Iterator[str]:
    """Name whoever does not run, is not well, or is not of the generation in force."""
    dies = cell.stage == "prepare" and cell.way in DEADLY
    if not dies:
        yield from (f"{one.address} is {one.state}: {one.fault}" for one in after.instances if one.state != "running")
    with suppress(AssertionError):  # a way back is not gated: the first look at its health may be still to come
        until(lambda: all(one.health == "healthy" for one in trial.client.status().instances), 5)
    after = trial.client.status()
    kinds = {name: kind for kind, names in TRIOS.items() for name in names}
    for one in after.instances:
        if (one.state, one.health, one.goal) != ("running", "healthy", "up"):
            yield f"{one.address} is {one.state}, {one.health}: {one.fault}"
            continue
        kind = kinds.get(one.module)
        if kind == "command":
            words = psutil.Process(one.pid).cmdline()
            if words[2:] != [one.module, str(trial.levels[kind])]:
                yield f"{one.address} is {words}"
        elif kind and (one.exports["level"], one.exports["pace"]) != (trial.levels[kind], trial.paces[kind]):
            yield f"{one.address} is at {one.exports}, not at {trial.levels[kind]}, {trial.paces[kind]}"


def _swings(trial: Ordeal, seq: int) -> Iterator[str]:
    """Name whoever began more than twice in one change: once for it, once for the way back."""
    bodies = [event for event in trial.client.events(seq) if isinstance(event.body, LifecycleEvent)]
    began = Counter(event.subject for event in bodies if event.body.new is ModuleState.INITIALIZING)  # type: ignore[union-attr]
    for subject, times in began.items():
        if times > 2:
            yield f"{subject} began {times} times"


def _untrue(status: StatusReport) -> Iterator[str]:
    """Name whoever is said to run in a process that is not there."""
    for one in status.instances:
        if one.state == "running" and (one.pid is None or not psutil.pid_exists(one.pid)):
            yield f"{one.address} is said to run as {one.pid}"


def _idle_processes(status: StatusReport) -> int:
    """Count the living descendants of a runner in which no instance lives: its templates, its reader, children of commands."""
    family = psutil.Process(status.plant.pid).children(recursive=True)
    living = {one.pid for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE}
    return len(living - {one.pid for one in status.instances})


# --- the page ---------------------------------------------------------------------------------------------------------

_SENTENCES = {
    "rejected": "nothing was touched; exit code {code}",
    "rolled-back": "the generation before is in force again; exit code {code}",
    "committed": "the change is in force; what was old is ended all the same; exit code {code}",
}


def table() -> str:
    """Write what comes of a failure, stage by stage, as the page shows it."""
    lines = ["| fails at | " + " | ".join(WAYS) + " | which means |", "| --- " * (len(WAYS) + 2) + "|"]
    for stage, result in OUTCOMES.items():
        means = _SENTENCES[result].format(code=int(code_of_result(result)))
        lines.append(f"| {stage} | " + " | ".join([result] * len(WAYS)) + f" | {means} |")
    return "\n".join(lines)


def test_the_page_shows_what_the_matrix_holds_a_plant_to() -> None:
    found = re.search(r"<!-- matrix -->\n(.*?)\n<!-- end -->", PAGE.read_text(), re.DOTALL)
    assert found and found[1].strip() == table()


# --- the matrix -------------------------------------------------------------------------------------------------------


def _told(trial: Ordeal) -> str:
    lines = [f"{stage:10} {result:12} {count}" for (stage, result), count in sorted(trial.ended.items())]
    return "\n".join([*lines, f"{sum(trial.ended.values())} changes failed, {len(trial.flaws)} flaws"])


def test_a_runner_that_never_turns_round_is_caught(tmp_path) -> None:
    environment = sabotaged(tmp_path, "ignrun.runtime.apply.rollback", "is_possible = lambda _: False")
    with ordeal(tmp_path, **environment) as trial:
        suffer(trial, Cell("own", "ready", "raise", "middle"))
        assert any("it ended held" in flaw for flaw in trial.flaws)
        assert any("b@gateway is error" in flaw for flaw in trial.flaws)


def test_thirty_six_failed_changes_cost_nothing_but_themselves(tmp_path) -> None:
    with ordeal(tmp_path) as trial:
        for cell in some_cells():
            suffer(trial, cell)
        print(_told(trial))
        assert trial.flaws == []
        assert sum(trial.ended.values()) == 36


@pytest.mark.torture
def test_two_hundred_and_fifty_two_failed_changes_cost_nothing_but_themselves(tmp_path) -> None:
    cells = all_cells()
    random.Random(5).shuffle(cells)
    with ordeal(tmp_path) as trial:
        for cell in cells:
            suffer(trial, cell)
        print(_told(trial))
        assert trial.flaws == []
        assert sum(trial.ended.values()) == 252


def test_a_shell_hears_by_the_exit_code_what_came_of_it(tmp_path) -> None:
    with ordeal(tmp_path) as trial:
        for number, stage in enumerate(("validate", "prepare", "ready", "stop-old"), 2):
            levels = dict.fromkeys(TRIOS, 1) | {"own": 1 if stage == "prepare" else number}
            paces = dict.fromkeys(TRIOS, 1) | {"own": number if stage == "prepare" else 1}
            trial.plant.write(f"a {stage} {1 if stage == 'stop-old' else number} raise\n", "trap.txt")
            odd = {"a": _INVALID["raise"]} if stage == "validate" else {}
            trial.plant.write(manifest(levels, paces, odd))
            trial.plant.ignrun("apply", code=int(code_of_result(OUTCOMES[stage])))
