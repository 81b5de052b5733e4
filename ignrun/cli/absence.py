"""Turns what a state folder remembers into the status of a plant that nobody runs."""

from contextlib import closing
from typing import Final

import msgspec

from ignrun.cli.plant import Plant, no_runner
from ignrun.render.status_report import FORMAT_VERSION, PlantStatus, StatusReport
from ignrun.runtime.journal.lock import is_held
from ignrun.runtime.journal.registry import last_runner
from ignrun.terms.events import Event, RunnerEnded


class Remembered(msgspec.Struct, frozen=True):
    """What the journal says last: the generation in force and the last event."""

    generation: int = 0
    last: Event | None = None


def report_of_absent(plant: Plant) -> StatusReport:
    """Say how the last runner of a plant ended; raises NoRunner where the plant has never run."""
    last = last_runner(plant.folder)
    if last is None and not plant.folder.path.exists():
        raise no_runner(plant)
    remembered = _remembered(plant)
    state, note = _ending(plant, last.pid if last else None, remembered.last)
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


def _ending(plant: Plant, pid: int | None, last: Event | None) -> tuple[str, str]:
    if is_held(plant.folder.lock):
        return "starting", "a runner is beginning"
    if pid is None:
        return "down", _NEVER
    if last is None:
        return "lost", f"the runner (pid {pid}) ended without a word"
    at = f"{last.at:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(last.body, RunnerEnded):
        return "down", f"the runner (pid {pid}) ended in good order at {at}"
    return "lost", f"the runner (pid {pid}) ended without a word at {at}, or shortly after"


_NEVER: Final = "it has not run yet"


def _remembered(plant: Plant) -> Remembered:
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import last_event, pointer, read_events
    from ignrun.terms.failure import StateFolderFailure

    if not plant.folder.journal.exists():
        return Remembered()
    try:
        with closing(open_for_reading(plant.folder.journal)) as store:
            events = read_events(store, last_event(store) - 1, 1)
            return Remembered(pointer(store, "current"), events[0] if events else None)
    except StateFolderFailure:
        return Remembered()
