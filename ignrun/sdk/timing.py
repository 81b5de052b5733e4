"""Owns the clock of a module: the system's in a host, a fake one in tests."""

import asyncio
from typing import Protocol

from ignrun.terms.clock import Clock, SystemClock


class ModuleClock(Clock, Protocol):
    """Time as a module sees it; what sleeps by it can be tested without waiting."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""


class HostClock(SystemClock):
    """The machine's own clock, sleeping on the event loop."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(seconds)
