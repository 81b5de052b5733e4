"""Owns the attention that a command gets while it lives: waits until it is ready, then asks for its health again and again."""

import asyncio
from collections.abc import Callable
from typing import Final

from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.engines.matching import LIMIT, Matcher, TooSlow
from ignrun.runtime.engines.probes import ASKED, Probe, Site, read_probe
from ignrun.terms.duration import show_duration

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5


class Probes:
    """The probes of one command, read; raises ValueError where a probe is none."""

    def __init__(self, launch: CommandLaunch, *, again: bool = False) -> None:
        """Read what is declared; `again` says that it was ready before, and has to say that it takes something anew."""
        self.ready = read_probe(launch.ready)
        check = self.ready if launch.check == "ready" else read_probe(launch.check)
        self.check = check if check and check.kind in ASKED else None
        self.told = asyncio.Event()
        self.alive_for = launch.alive_for
        self._is_about_it = not again
        self._pattern = Matcher(str(self.ready.argument)) if self.ready and self.ready.kind == "log" else None
        self.trouble = ""

    @property
    def notified(self) -> bool:
        """Whether it will say itself that it is ready."""
        return self.ready is not None and self.ready.kind == "notify"

    @property
    def asks(self) -> bool:
        """Whether it is asked if it is ready."""
        return self.ready is not None and self.ready.kind in ASKED

    @property
    def watch(self) -> Callable[[str], None] | None:
        """What is to see every line of output, if anything."""
        return self._look if self._pattern else None

    def hear(self, said: bytes) -> None:
        """Hear one thing that it notified (`sd_notify`)."""
        if said == b"RELOADING=1":
            self._is_about_it = True
        elif said == b"READY=1" and self._is_about_it:
            self.told.set()

    def _look(self, line: str) -> None:
        if self._pattern is None or self.told.is_set():
            return
        try:
            if self._pattern.finds(line):
                self.told.set()
        except TooSlow:
            self._pattern = None
            self.trouble = f"the pattern takes more than {show_duration(LIMIT)} for a line of {len(line)} characters"


class NotReadyInTime(Exception):  # noqa: N818 - an answer, not an error of ours
    """A command did not become ready; the text says what was last wrong."""


Objection = Callable[[], str]
"""Says why a good answer does not count, nothing when it does."""


def no_objection() -> str:
    """Let every good answer count."""
    return ""


async def await_ready(
    probes: Probes, site: Site, seconds: float, objection: Objection = no_objection, after: str = ""
) -> None:
    """Return when the command is ready; raises NotReadyInTime after so many seconds (`after`: since what, as ` of waiting`)."""
    if probes.ready is None:
        await asyncio.sleep(probes.alive_for)
        return
    last = [""]
    try:
        async with asyncio.timeout(seconds):
            await _be_answered(probes.ready, probes.told, site, last, objection)
    except TimeoutError:
        what = f"{probes.ready}: {last[0] or probes.trouble or 'no answer'}"
        raise NotReadyInTime(f"it was not ready after {show_duration(seconds)}{after} ({what})") from None


async def _be_answered(probe: Probe, told: asyncio.Event, site: Site, last: list[str], objection: Objection) -> None:
    if probe.kind not in ASKED:
        await told.wait()
        return
    pause = _FIRST_PAUSE
    while answer := await ASKED[probe.kind](probe.argument, site) or objection():
        last[0] = answer
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


async def ask_once(probe: Probe, site: Site, seconds: float) -> str:
    """Check health once: an empty answer is a good one; none within so many seconds is a bad one."""
    try:
        async with asyncio.timeout(seconds):
            return await ASKED[probe.kind](probe.argument, site)
    except TimeoutError:
        return f"no answer within {show_duration(seconds)}"
