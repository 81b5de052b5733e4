"""Turns an accepted reading into a plant that runs in the background, or leaves nothing behind when it is rejected."""

import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ignrun.cli.converge import Prepared, operator, through_runner
from ignrun.cli.ending import end_runner
from ignrun.cli.plant import Plant
from ignrun.cli.speech import say
from ignrun.render.outcome import OutcomeReport
from ignrun.runtime.journal.registry import RunnerRecord
from ignrun.terms.failure import Failure, LockHeld

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions
    from ignrun.runner.detach import Standby

_PATIENCE: Final = 5.0
"""Seconds that the runner of somebody else may take until its socket answers; one that is going down never does."""

_PAUSE: Final = 0.02


def standing_by(plant: Plant, manifest: Path, listen: str = "") -> "Standby":
    """Have a runner's process get ready while the manifest is read; it touches nothing yet."""
    from ignrun.cli.inputs import root_of
    from ignrun.runner.detach import Launch, Standby

    root = str(root_of(manifest))
    return Standby(Launch(plant.name, str(manifest), str(plant.folder.path), root, sys.executable, listen))


def apply_detached(
    prepared: Prepared, standby: "Standby | None" = None, *, options: "ApplyOptions | None" = None, wait: bool = True
) -> OutcomeReport | None:
    """Let a runner begin in the background and apply through it; it ends again when nothing came into force.

    Where another command has begun one in the same moment, that one is handed the change, and is left alone afterwards.
    """
    try:
        with standby or standing_by(prepared.plant, prepared.manifest) as ready:
            door = ready.go(prepared.handed()).socket
    except LockHeld:
        record = that_answers(prepared.plant)
        if record is None:
            raise
        say(
            f"another command has begun the runner of plant `{record.plant}` (pid {record.pid}): it is handed this change"
        )
        return through_runner(record.socket, prepared, options=options, wait=wait)
    try:
        outcome = through_runner(door, prepared, options=options, wait=wait)
    except Failure:
        _end_again(prepared.plant)
        raise
    if outcome and outcome.result in {"rejected", "refused"}:
        _end_again(prepared.plant)
    return outcome


def that_answers(plant: Plant) -> RunnerRecord | None:
    """Give the runner of a plant; one that is only beginning is waited for, until its socket answers. None where there is none in time."""
    deadline = time.monotonic() + _PATIENCE
    while not (record := plant.runner) or not _answers(record.socket):
        if time.monotonic() > deadline:
            break
        time.sleep(_PAUSE)
    return record


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _end_again(plant: Plant) -> None:
    record = plant.runner
    if record:
        end_runner(record, by=operator())
