"""Turns an accepted reading into a plant that runs in the background, or leaves nothing behind when it is rejected."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ignrun.cli.converge import Prepared, operator, through_runner
from ignrun.cli.ending import end_runner
from ignrun.cli.plant import Plant
from ignrun.render.outcome import OutcomeReport
from ignrun.terms.failure import Failure

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions
    from ignrun.runner.detach import Standby


def standing_by(plant: Plant, manifest: Path, listen: str = "") -> "Standby":
    """Have a runner's process get ready while the manifest is read; it touches nothing yet."""
    from ignrun.cli.inputs import root_of
    from ignrun.runner.detach import Launch, Standby

    root = str(root_of(manifest))
    return Standby(Launch(plant.name, str(manifest), str(plant.folder.path), root, sys.executable, listen))


def apply_detached(
    prepared: Prepared, standby: "Standby | None" = None, *, options: "ApplyOptions | None" = None, wait: bool = True
) -> OutcomeReport | None:
    """Let a runner begin in the background and apply through it; it ends again when nothing came into force."""
    with standby or standing_by(prepared.plant, prepared.manifest) as ready:
        socket = ready.go(prepared.handed()).socket
    try:
        outcome = through_runner(socket, prepared, options=options, wait=wait)
    except Failure:
        _end_again(prepared.plant)
        raise
    if outcome and outcome.result in {"rejected", "refused"}:
        _end_again(prepared.plant)
    return outcome


def _end_again(plant: Plant) -> None:
    record = plant.runner
    if record:
        end_runner(record, by=operator())
