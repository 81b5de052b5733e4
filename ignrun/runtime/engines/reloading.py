"""Owns one reload of a running command: its files anew, the signal, and the proof that it took them."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from ignrun.runtime.engines.attention import NotReadyInTime, Probes, await_ready
from ignrun.runtime.engines.files import Content, Former, put_back, write_files
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.engines.probes import Site
from ignrun.runtime.engines.process import signal_number
from ignrun.runtime.engines.workshop import Workshop
from ignrun.terms.fault import Fault, FaultKind

SETTLE: Final = 0.05
"""Seconds after the signal before an answer of a probe that asks is one of after the signal."""


class Patient(Protocol):
    """The running command, as far as a reload touches it."""

    def contents(self, launch: CommandLaunch) -> tuple[Content, ...]:
        """Render all that it is to read anew; raises ValueError."""

    def expect(self, probes: Probes) -> None:
        """Let what it says from now on be judged by these probes."""

    def signal(self, number: int) -> None:
        """Send its process a signal."""


class Reload:
    """One reload under way; `say` is told its end once: nothing, or the fault."""

    def __init__(self, launch: CommandLaunch, change: int, say: Callable[[Fault | None], None]) -> None:
        """Take what is to be in effect, and the number of the change."""
        self.launch = launch
        self.change = change
        self._say = say
        self._is_over = False
        self._asking: asyncio.Task[None] | None = None

    async def run(self, patient: Patient, site: Site, shop: Workshop) -> None:
        """Replace the files, send the signal, and wait until it shows that it took them; on a timeout the old files are put back."""
        try:
            probes = Probes(self.launch, again=True)
            number = signal_number(self.launch.reload_signal or "")
            formers = await shop.off_loop(write_files, patient.contents(self.launch))
        except (OSError, ValueError) as error:
            self.end(Fault(FaultKind.NOT_STARTED, str(error)))
            return
        if self._is_over:
            return
        patient.expect(probes)
        patient.signal(number)
        await self._prove(probes, site, formers, shop)

    async def _prove(self, probes: Probes, site: Site, formers: tuple[Former, ...], shop: Workshop) -> None:
        self._asking = asyncio.create_task(self._asked(probes, site))
        try:
            await self._asking
        except NotReadyInTime as error:
            self.end(Fault(FaultKind.TIMED_OUT, f"{error}{await _restored(shop, formers)}"))
        except asyncio.CancelledError:
            if not self._is_over:
                raise
        else:
            self.end(None)

    async def _asked(self, probes: Probes, site: Site) -> None:
        if self.launch.reload_ack == "none":
            return
        if probes.ready and probes.asks:
            await asyncio.sleep(SETTLE)
        after = f" of `{self.launch.reload_signal}`"
        await await_ready(probes, site, self.launch.reload_timeout, after=after)

    def end(self, fault: Fault | None) -> None:
        """Tell its end, unless it has been told."""
        if not self._is_over:
            self._is_over = True
            self._say(fault)

    def break_off(self, summary: str) -> None:
        """Something else happened to the command meanwhile: nobody knows what is in effect."""
        self.end(Fault(FaultKind.EXITED, summary))
        if self._asking:
            self._asking.cancel()


async def _restored(shop: Workshop, formers: tuple[Former, ...]) -> str:
    """Put the old files back; the text says where that failed, empty when they are there."""
    try:
        await shop.off_loop(put_back, formers)
    except OSError as error:
        return f"; its files could not be put back: {error.strerror or error}"
    return ""
