"""Owns the clock of a module: the system's in a host, a fake one in tests."""

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from ignrun.terms.clock import Clock, SystemClock


class ModuleClock(Clock, Protocol):
    """Time as a module sees it; what sleeps by it can be tested without waiting."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""


class HostClock(SystemClock):
    """The machine's own clock, sleeping on the event loop; read several times in each start, so there is nothing between."""

    utc = staticmethod(partial(datetime.now, UTC))
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(seconds)
