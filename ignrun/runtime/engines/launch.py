"""Owns CommandLaunch, everything the command engine needs to know of one command, with nothing left to fill in."""

from typing import Any, Final, Literal

import msgspec
from msgspec.structs import replace

from ignrun.manifest.model import Limits
from ignrun.terms.names import Address
from ignrun.terms.secret import MASK


class CommandLaunch(msgspec.Struct, frozen=True):
    """One incarnation of a command; times are in seconds, `cwd` is absolute, every value is filled, secrets too.

    `env` and the runner's own values of `inherit_env` come over PATH, HOME, LANG, TZ and TMPDIR; the folder
    of the interpreter `python` (or of that of ignrun, where it is empty) leads PATH. `config` (any JSON value) is
    offered as the file named in IGNRUN_CONFIG. `ready` and `check` are None or one of `{"tcp": port | "host:port"}`, `{"http": url}`,
    `{"log": regex}`, `{"exec": [..]}`, `{"notify": true}`; a `check` of `"ready"` is the readiness probe again. Without `ready` it is ready
    once it has lived for `alive_for`.
    `oneshot` means that it is meant to end: it has no probes. `stop_signal` is a name (`TERM`); `stop_grace` is what follows
    when it did not become ready, leaves others behind, or the runner is gone. `reload_signal` (a name) makes it take its files anew, None
    where it cannot; `reload_ack` says whether it then has to show that it is ready again, within `reload_timeout`.
    `user` needs a runner of root's. `files` are written before it starts, each `{"path": .., "json": .., "mode": ..}`
    (or `yaml`, `text`).
    """

    address: Address
    epoch: int
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = {}
    inherit_env: tuple[str, ...] = ()
    python: str = ""
    config: Any = None
    oneshot: bool = False
    ready: Any = None
    ready_timeout: float = 30.0
    alive_for: float = 1.0
    check: Any = None
    check_interval: float = 10.0
    check_timeout: float = 5.0
    stop_signal: str = "TERM"
    stop_grace: float = 10.0
    reload_signal: str | None = None
    reload_ack: Literal["ready", "none"] = "ready"
    reload_timeout: float = 30.0
    limits: Limits = Limits()
    umask: int | None = None
    user: str | None = None
    files: tuple[dict[str, Any], ...] = ()

    def __repr__(self) -> str:
        """Show whose it is, and no value that may be a secret."""
        return f"CommandLaunch({self.address!r}, epoch={self.epoch}, {self.argv!r}, env={MASK})"


_POLICY: Final = (
    "ready", "ready_timeout", "check", "check_interval", "check_timeout", "stop_signal", "stop_grace",
    "reload_signal", "reload_ack", "reload_timeout",
)  # fmt: skip


def under(launch: CommandLaunch, policy: CommandLaunch) -> CommandLaunch:
    """Give `launch` as it is checked, stopped and reloaded by the policy of another one."""
    return replace(launch, **{name: getattr(policy, name) for name in _POLICY})
