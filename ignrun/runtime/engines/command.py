"""Owns the commands of a plant: starts them, reads their output, probes them and ends everything they started."""

from collections.abc import Callable
from pathlib import Path

from ignrun.protocol.reports import LogLine
from ignrun.runtime.engines.fork import HostEngine
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.supervise.messages import Message
from ignrun.terms.names import Address

Hear = Callable[[Message], None]
OnLines = Callable[[str, tuple[LogLine, ...]], None]


class CommandEngine:
    """Commands of one plant, by address and epoch; lives on the running asyncio loop, none of its calls waits.

    Messages heard for each spawn: CommandStarted, CommandReady (never for a oneshot), Probed, and in the end CommandEnded when every
    process of it is gone; or CommandFailed alone when it could not be started; or CommandFailed (not ready in time) and later CommandEnded.
    `guard` is the host engine whose template ends commands when the runner is killed. `python` is the hosts' interpreter: its
    folder leads PATH. `mask` blots secrets out of lines, tails and reasons.
    """

    def __init__(
        self,
        *,
        python: str,
        run_dir: Path,
        token: str,
        guard: HostEngine,
        hear: Hear,
        on_lines: OnLines,
        mask: Callable[[str], str] = str,
    ) -> None:
        """Take what every command needs."""

    def spawn(self, launch: CommandLaunch) -> None:
        """Start a command within the next turns of the loop."""
        raise NotImplementedError

    def stop(self, address: Address, epoch: int, grace: float) -> None:
        """Send the stop signal to its group, kill everything of it after `grace` seconds (0: at once); CommandEnded follows.

        A second stop may shorten the grace. Nothing happens when it is gone already.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Kill what is left, without grace; nothing is heard any more."""
        raise NotImplementedError
