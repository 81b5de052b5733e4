"""Kills a keeper of generations at every system call that writes, and lets each of them fail: nothing acknowledged is lost, nothing is invented."""

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rooms.journal.test_recovery import former_store
from tests.torture.keeper import NEVER_SYNCS, TELLS_BEFORE_IT_COMMITS, UNTRACED, Said, asked_for, flaws_left, kept_by

pytestmark = [
    pytest.mark.skipif(
        UNTRACED, reason="strace is missing: what a kill or an error at every call leaves is NOT tested"
    ),
    pytest.mark.timeout(1800),
]

QUICK_KILLS, QUICK_ERRORS = 20, 40
ERRORS = ("ENOSPC", "EIO", "EROFS", "EMFILE", "ENOMEM")
FULL_ERRORS = 280


def apply_to(place: Path) -> tuple[Path, int, int]:
    """Lay a store with two generations; the third is to be kept."""
    path = place / "journal.sqlite"
    assert kept_by(path, 1, 2).closed
    return path, 3, 3


def first_apply(place: Path) -> tuple[Path, int, int]:
    """Lay nothing: store and first generation are to be made."""
    return place / "journal.sqlite", 1, 1


def migration(place: Path) -> tuple[Path, int, int]:
    """Lay a store of the first format; it is to be migrated, and the second generation to be kept."""
    former_store(place / "journal.sqlite", 1, asked_for(1))
    return place / "journal.sqlite", 2, 2


OPERATIONS: dict[str, Callable[[Path], tuple[Path, int, int]]] = {
    "apply": apply_to, "first-apply": first_apply, "migration": migration,
}  # fmt: skip


Call = tuple[str, int]
"""The name of a system call, and the how-manieth of its kind in its thread."""


class Bench:
    """One operation, laid once and copied for every fault."""

    def __init__(self, folder: Path, operation: str) -> None:
        self._laid = folder / operation
        self._laid.mkdir(parents=True)
        self._path, self._first, self._last = OPERATIONS[operation](self._laid)
        self._folder = folder
        self.calls = self._calls()

    def _copy(self) -> Path:
        place = self._folder / "tried"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self._laid, place)
        return place / self._path.name

    def _calls(self) -> list[Call]:
        """Name every call that writes: strace counts each kind of call by itself, in each thread by itself."""
        trace = kept_by(self._copy(), self._first, self._last, trace=True).trace
        made = Counter(re.findall(r"^(\d+) +(\w+)\(", trace, re.MULTILINE))
        most: dict[str, int] = {}
        for (_, name), count in made.items():
            most[name] = max(count, most.get(name, 0))
        return [(name, number) for name, count in sorted(most.items()) for number in range(1, count + 1)]

    def faulted(self, fault: str, call: Call, sabotage: str = "") -> tuple[Said, list[str]]:
        path = self._copy()
        how = f"inject={call[0]}:{fault}:when={call[1]}"
        said = kept_by(path, self._first, self._last, "-e", how, sabotage=sabotage)
        return said, flaws_left(path, said, self._last, may_stay_open=call[0].startswith("unlink"))


def killed(bench: Bench, calls: list[Call], sabotage: str = "") -> tuple[int, list[str]]:
    """Kill at each of these calls; gives how many were hit, and what went wrong."""
    hit, flaws = 0, []
    for call in calls:
        said, found = bench.faulted("signal=KILL", call, sabotage)
        hit += not said.closed
        flaws += [f"{call}: {one}" for one in found]
    return hit, flaws


@pytest.mark.parametrize(("operation", "count"), [("apply", 8), ("first-apply", 6), ("migration", 6)])
def test_a_kill_at_some_calls_loses_nothing_acknowledged(tmp_path, operation, count) -> None:
    bench = Bench(tmp_path, operation)
    calls = random.Random(operation).sample(bench.calls, count)
    hit, flaws = killed(bench, calls)
    assert flaws == []
    assert hit > len(calls) // 2  # the last calls of a kind are not made every time


@pytest.mark.torture
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_kill_at_every_call_loses_nothing_acknowledged(tmp_path, operation) -> None:
    bench = Bench(tmp_path, operation)
    hit, flaws = killed(bench, bench.calls)
    assert flaws == []
    print(f"kill everywhere, {operation}: {len(bench.calls)} calls, {hit} kills, {len(flaws)} flaws")


def test_this_way_of_killing_finds_a_journal_that_tells_before_it_commits(tmp_path) -> None:
    bench = Bench(tmp_path, "apply")
    for call in bench.calls:
        if killed(bench, [call], TELLS_BEFORE_IT_COMMITS)[1]:
            return
    pytest.fail("nothing was found")


# --- calls that fail --------------------------------------------------------------------------------------------------


def refused(bench: Bench, rounds: list[tuple[str, Call]]) -> list[str]:
    """Let calls fail; the keeper goes on, and in the end everything is kept."""
    flaws = []
    for error, call in rounds:
        said, found = bench.faulted(f"error={error}", call)
        if not said.closed:
            found.append("it did not get to its end")
        flaws += [f"{error} at {call}: {one}" for one in found]
    return flaws


def rounds_of(bench: Bench, count: int) -> list[tuple[str, Call]]:
    every = [(error, call) for call in bench.calls for error in ERRORS]
    return every if count >= len(every) else random.Random(4711).sample(every, count)


@pytest.mark.parametrize(("operation", "count"), [("apply", 24), ("first-apply", 16)])
def test_a_call_that_fails_hinders_nobody_for_long(tmp_path, operation, count) -> None:
    bench = Bench(tmp_path, operation)
    assert refused(bench, rounds_of(bench, count)) == []


@pytest.mark.torture
@pytest.mark.parametrize("operation", ["apply", "first-apply"])
def test_many_calls_that_fail(tmp_path, operation) -> None:
    bench = Bench(tmp_path, operation)
    rounds = rounds_of(bench, FULL_ERRORS)
    assert refused(bench, rounds) == []
    print(f"errno, {operation}: {len(rounds)} of {len(bench.calls)} calls x {len(ERRORS)} errors, 0 flaws")


# --- power: what is not synced is lost --------------------------------------------------------------------------------


def unsynced_when_told(trace: str) -> list[str]:
    """Name files below the state folder that hold what was written and not synced at the moment something was acknowledged."""
    dirty: set[str] = set()
    flaws: list[str] = []
    for line in trace.splitlines():
        found = re.search(r"(\w+)\((\d+)<([^>]*)>", line)
        if found is None:
            continue
        call, descriptor, file = found.groups()
        if call in {"fsync", "fdatasync"}:
            dirty.discard(file)
        elif descriptor == "1":
            told = re.search(r'"(intent|outcome|event) ', line)
            flaws += [f"{file} was not synced when `{told[1]}` was told" for file in dirty if told]
        elif call.startswith(("write", "pwrite")) and file.endswith("-wal"):
            dirty.add(file)
    return flaws


def test_everything_is_synced_before_it_is_acknowledged(tmp_path) -> None:
    said = kept_by(tmp_path / "journal.sqlite", 1, 3, trace=True)
    assert said.outcomes == (1, 2, 3)
    assert unsynced_when_told(said.trace) == []


def test_this_way_of_looking_finds_a_journal_that_never_syncs(tmp_path) -> None:
    said = kept_by(tmp_path / "journal.sqlite", 1, 3, sabotage=NEVER_SYNCS, trace=True)
    assert said.outcomes == (1, 2, 3)
    assert unsynced_when_told(said.trace) != []
