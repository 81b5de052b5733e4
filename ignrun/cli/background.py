"""Turns an accepted reading into a plant that runs in the background, or leaves nothing behind when it is rejected."""

from ignrun.cli.converge import Prepared, operator, through_runner
from ignrun.cli.ending import end_runner
from ignrun.cli.plant import Plant
from ignrun.render.outcome import OutcomeReport
from ignrun.terms.failure import Failure


def apply_detached(prepared: Prepared, *, soak: float | None = None, wait: bool = True) -> OutcomeReport | None:
    """Start a runner in the background and apply through it; it ends again when nothing came into force."""
    from ignrun.runner.detach import Launch, start_detached

    inputs = prepared.inputs
    launch = Launch(prepared.plant.name, inputs.manifest, inputs.state_dir, inputs.root, inputs.python)
    socket = start_detached(launch).socket
    try:
        outcome = through_runner(socket, prepared, soak=soak, wait=wait)
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
