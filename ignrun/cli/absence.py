"""Turns what a state folder remembers into the status of a plant that nobody runs."""

import os
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.plant import Plant, no_runner
from ignrun.render.status_report import FORMAT_VERSION, PlantStatus, StatusReport
from ignrun.runtime.journal.lock import is_held
from ignrun.runtime.journal.registry import last_runner
from ignrun.terms.events import Event, RunnerEnded, RunnerStarted


class Remembered(msgspec.Struct, frozen=True):
    """What the journal says last: the generation in force, the last event, and the end of the last runner if it told of it."""

    generation: int = 0
    last: Event | None = None
    ended: Event | None = None


def report_of_absent(plant: Plant) -> StatusReport:
    """Say how the last runner of a plant ended; raises NoRunner where the plant has never run."""
    last = last_runner(plant.folder)
    if last is None and not plant.folder.path.exists():
        raise no_runner(plant)
    remembered = _remembered(plant)
    state, note = _ending(plant, last.pid if last else None, remembered)
    status = PlantStatus(
        name=plant.name,
        state=state,
        socket=None,
        generation=remembered.generation,
        pid=None,
        version=last.version if last else "",
        started=None,
        uptime_seconds=None,
        manifest=str(plant.manifest or ""),
        state_dir=str(plant.folder.path),
        note=note,
    )
    return StatusReport(FORMAT_VERSION, status, ())


def left_of(state_dir: str) -> int:
    """Count the processes that a runner left behind and that have not ended yet."""
    from ignrun.protocol import kin
    from ignrun.runtime.engines.places import plant_token

    table = kin.process_table()
    for own in tuple(kin.ancestors(table, os.getpid())):
        del table[own]
    return len(kin.kin_of(table, (), kin.of_plant(plant_token(Path(state_dir)))))


def _ending(plant: Plant, pid: int | None, remembered: Remembered) -> tuple[str, str]:
    if is_held(plant.folder.lock):
        return "starting", "a runner is beginning"
    if pid is None:
        return "down", _NEVER
    if remembered.ended:
        bug = isinstance(remembered.ended.body, RunnerEnded) and remembered.ended.body.code == ExitCode.BUG
        how = "after a bug of its own" if bug else "in good order"
        return "down", f"the runner (pid {pid}) ended {how} at {_moment(remembered.ended)}"
    if remembered.last is None:
        return "lost", f"the runner (pid {pid}) ended without a word"
    return "lost", f"the runner (pid {pid}) ended without a word at {_moment(remembered.last)}, or shortly after"


_NEVER: Final = "it has not run yet"


def _moment(event: Event) -> str:
    return f"{event.at:%Y-%m-%d %H:%M:%S} UTC"


def _remembered(plant: Plant) -> Remembered:
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import last_event, pointer, read_events
    from ignrun.terms.failure import StateFolderFailure

    if not plant.folder.journal.exists():
        return Remembered()
    try:
        with closing(open_for_reading(plant.folder.journal)) as store:
            events = read_events(store, max(0, last_event(store) - _LAST), _LAST)
            return Remembered(pointer(store, "current"), events[-1] if events else None, _end_in(events))
    except StateFolderFailure:
        return Remembered()


_LAST: Final = 20
"""Events that are looked through for the runner's last word, which few may follow."""


def _end_in(events: tuple[Event, ...]) -> Event | None:
    """Find the end of the last runner: no other has begun after it."""
    own = [event for event in events if isinstance(event.body, RunnerStarted | RunnerEnded)]
    return own[-1] if own and isinstance(own[-1].body, RunnerEnded) else None
