"""Turns the resolved spec of a command into its launch, with nothing left to fill in."""

from ignrun.manifest.model import Limits
from ignrun.planner.graph.model import Command, InstanceSpec
from ignrun.runner.fill import Exports, Secrets, fill_all
from ignrun.runtime.engines.launch import CommandLaunch


def launch_of(spec: InstanceSpec, epoch: int, secrets: Secrets, exports: Exports) -> CommandLaunch:
    """Fill in a command; raises MissingSecretError, MissingExportError, or ValueError where a text is not of its type."""
    body = spec.body
    if not isinstance(body, Command):
        message = f"`{spec.address}` is not a command"
        raise TypeError(message)
    return CommandLaunch(
        address=spec.address,
        epoch=epoch,
        argv=tuple(_text(word) for word in fill_all(body.argv, secrets, exports)),
        cwd=body.cwd,
        env={name: _text(value) for name, value in fill_all(body.env, secrets, exports).items()},
        inherit_env=body.inherit_env,
        python=body.python,
        config=fill_all(spec.config, secrets, exports),
        oneshot=body.oneshot is not None,
        ready=None if body.ready is None else fill_all(body.ready, secrets, exports),
        ready_timeout=spec.lifecycle.start_timeout,
        alive_for=spec.lifecycle.alive_for,
        check=None if body.check is None else fill_all(body.check, secrets, exports),
        check_interval=spec.health.interval,
        check_timeout=spec.health.timeout,
        stop_signal=body.stop.signal,
        stop_grace=spec.lifecycle.stop_timeout,
        reload_signal=body.reload.signal if body.reload else None,
        reload_ack=body.reload.ack if body.reload else "ready",
        reload_timeout=spec.lifecycle.reconfigure_timeout,
        limits=spec.limits or Limits(),
        umask=None if body.umask is None else int(str(body.umask), 8),
        user=body.user,
        files=() if body.files is None else tuple(fill_all(body.files, secrets, exports)),
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
