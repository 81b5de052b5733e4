"""Turns the process of a command into the runner of a plant, until the plant has gone down."""

import asyncio
from collections.abc import Callable

import msgspec

from ignrun.control.wire import ApplyOptions, ApplyRequest
from ignrun.manifest.inputs import Inputs
from ignrun.render.outcome import OutcomeReport
from ignrun.runner.detach import Launch
from ignrun.runner.ground import taken_ground
from ignrun.runtime.observe.record import LogRecord
from ignrun.terms.events import Event


class RunOptions(msgspec.Struct, frozen=True):
    """How a runner in the foreground behaves (`until` names the module that it lives for) and who listens to it; the listeners are called in its loop and must not block."""

    apply: ApplyOptions = ApplyOptions()
    listen: str = ""
    until: str = ""
    on_event: Callable[[Event], None] | None = None
    on_outcome: Callable[[OutcomeReport], None] | None = None
    on_log: Callable[[LogRecord], None] | None = None


def run_plant(plant: str, inputs: Inputs, options: RunOptions) -> int:
    """Run a plant until it goes down and give the exit code; raises StateFolderFailure or LockHeld before anything runs."""
    from ignrun.runner.assemble import run

    launch = Launch(plant, inputs.manifest, inputs.state_dir, inputs.root, inputs.python, options.listen)
    with taken_ground(launch) as ground:
        return asyncio.run(run(ground, options, first=_request(inputs, options)))


def _request(inputs: Inputs, options: RunOptions) -> ApplyRequest:
    return ApplyRequest(
        manifest=inputs.manifest,
        root=inputs.root,
        python=inputs.python,
        modes=inputs.modes,
        vars=inputs.vars,
        sets=inputs.sets,
        scopes=inputs.scopes,
        environment=inputs.environment,
        strict_env=inputs.strict_env,
        locked=inputs.locked,
        allowed=inputs.allowed,
        planning=inputs.planning,
        options=options.apply,
    )
