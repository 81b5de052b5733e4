"""Owns the hosts of a plant: has the template fork them, carries orders and reports, and notices their end."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ignrun.protocol.orders import HostOrder
from ignrun.protocol.reports import LogLine
from ignrun.protocol.template import SERVE
from ignrun.runtime.supervise.messages import Message
from ignrun.terms.names import HostId, ModuleScope

Hear = Callable[[Message], None]
OnLines = Callable[[str, tuple[LogLine, ...]], None]
"""Takes lines of output: the host's id or the command's address, and the lines."""


class HostEngine:
    """Hosts of one interpreter, by id and epoch; lives on the running asyncio loop, none of its calls waits.

    `run_dir` is the plant's run-time folder (`places.make_run_folder`), `token` the plant's marker (`places.plant_token`),
    `env` the whole environment of the hosts. Messages heard: HostLaunched, HostSaid (never with Logged: its lines go to `on_lines`)
    and exactly one HostEnded for each launch.
    """

    def __init__(
        self,
        *,
        python: str,
        run_dir: Path,
        token: str,
        cwd: Path,
        env: Mapping[str, str],
        hear: Hear,
        on_lines: OnLines,
        mask: Callable[[str], str] = str,
        serve: str = SERVE,
    ) -> None:
        """Take what every host needs; nothing is started yet."""

    def start(self) -> None:
        """Start the template early, so that it is ready when the first host is wanted; a failure is told by HostEnded of a launch."""
        raise NotImplementedError

    def launch(self, host: HostId, epoch: int, scope: ModuleScope) -> None:
        """Bring up a host: HostLaunched, then what it says, or HostEnded."""
        raise NotImplementedError

    def give(self, host: HostId, epoch: int, order: HostOrder) -> None:
        """Send an order; dropped when that host is gone (HostEnded says so), a host that reads nothing is killed."""
        raise NotImplementedError

    def end(self, host: HostId, epoch: int, grace: float) -> None:
        """Tell a host to quit and kill it after `grace` seconds; HostEnded follows, also when it is gone already."""
        raise NotImplementedError

    async def close(self) -> None:
        """Kill what is left and end the template; nothing is heard any more."""
        raise NotImplementedError
