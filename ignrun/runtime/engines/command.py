"""Owns the commands of a plant: starts them, reads their output, probes them and ends everything they started."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ignrun.runtime.engines.fork import HostEngine
from ignrun.runtime.engines.incarnation import NEVER_STARTED, Incarnation
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.engines.output import Mask, OnLines
from ignrun.runtime.engines.workshop import Workshop
from ignrun.runtime.supervise.messages import CommandEnded, CommandReloaded, Message
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address

AT_ONCE: Final = 16
"""Commands started in one turn of the loop, so that it stays responsive."""

_PATIENCE: Final = 5.0


class CommandEngine:
    """Commands of one plant, by address and epoch; lives on the running asyncio loop, none of its calls waits.

    Messages heard for each spawn: CommandStarted, CommandReady (never for a oneshot), Probed, CommandReloaded for each reload, and in the end CommandEnded when every
    process of it is gone; or CommandFailed alone when it could not be started; or CommandFailed (not ready in time) and later CommandEnded.
    `guard` is the host engine, already started, whose template ends commands when the runner is killed. `python` is the hosts'
    interpreter: its folder leads PATH. `mask` blots secrets out of lines, tails and reasons.
    """

    def __init__(
        self,
        *,
        python: str,
        run_dir: Path,
        token: str,
        guard: HostEngine,
        hear: Callable[[Message], None],
        on_lines: OnLines,
        mask: Mask = str,
    ) -> None:
        """Take what every command needs."""
        self._hear = hear
        self._shop = Workshop(python, run_dir, token, guard, self._say, on_lines, mask)
        self._waiting: deque[Incarnation] = deque()
        self._running: dict[tuple[Address, int], Incarnation] = {}
        self._closing = False
        self._empty = asyncio.Event()

    def spawn(self, launch: CommandLaunch) -> None:
        """Start a command within the next turns of the loop."""
        incarnation = Incarnation(launch, self._shop, self._forget)
        self._running[launch.address, launch.epoch] = incarnation
        self._waiting.append(incarnation)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._start_some)

    def stop(self, address: Address, epoch: int, grace: float) -> None:
        """Send the stop signal to its group, kill everything of it after `grace` seconds (0: at once); CommandEnded follows.

        A second stop may shorten the grace. Nothing happens when it is gone already.
        """
        incarnation = self._running.get((address, epoch))
        if incarnation is None:
            return
        if incarnation in self._waiting:
            self._waiting.remove(incarnation)
            self._forget(incarnation)
            self._say(CommandEnded(address, epoch, None, NEVER_STARTED))
        else:
            incarnation.stop(grace)

    def tell(self, launch: CommandLaunch) -> None:
        """Check, stop and reload a running command as `launch` says from now on; its process is not touched."""
        incarnation = self._running.get((launch.address, launch.epoch))
        if incarnation is not None:
            incarnation.tell(launch)

    def check(self, address: Address, epoch: int, seconds: float) -> None:
        """Check the health of a command every so many seconds from now on (0: as its policy says), the first time at once."""
        incarnation = self._running.get((address, epoch))
        if incarnation is not None:
            incarnation.check_every(seconds)

    def reload(self, launch: CommandLaunch, change: int) -> None:
        """Have a running command take its files anew; CommandReloaded follows, whatever comes of it.

        `launch` is the whole new one. Its files are written, all or none; the reload signal is sent to its process; with `reload_ack`
        of `ready` its readiness probe has to be answered again. Another reload meanwhile breaks the first one off.
        """
        incarnation = self._running.get((launch.address, launch.epoch))
        if incarnation is None or incarnation in self._waiting:
            fault = Fault(FaultKind.NOT_STARTED, "it does not run")
            self._say(CommandReloaded(launch.address, launch.epoch, change, fault))
        else:
            incarnation.reload(launch, change)

    async def close(self) -> None:
        """Kill what is left, without grace; nothing is heard any more."""
        self._closing = True
        self._waiting.clear()
        for incarnation in tuple(self._running.values()):
            if incarnation.started:
                incarnation.stop(0.0)
            else:
                self._forget(incarnation)
        if self._running:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._empty.wait()
        self._shop.close()

    def _start_some(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._waiting.popleft().start()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._start_some)

    def _forget(self, incarnation: Incarnation) -> None:
        self._running.pop((incarnation.launch.address, incarnation.launch.epoch), None)
        if not self._running:
            self._empty.set()

    def _say(self, message: Message) -> None:
        if not self._closing:
            self._hear(message)
