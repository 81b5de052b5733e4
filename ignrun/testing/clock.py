"""Owns FakeClock, time that passes only when a test says so."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from typing import Final

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)

_TURNS: Final = 25
"""Turns of the event loop that others get, so that everything that can go on has gone on."""


class FakeClock:
    """A clock for modules under test: `self.clock` is this one, and `await self.clock.sleep(..)` returns by `advance`.

    What sleeps by `asyncio.sleep` is not concerned.
    """

    def __init__(self, utc: datetime = BEGINNING) -> None:
        """Begin at an aware time of day."""
        self._began = utc
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    def utc(self) -> datetime:
        """Give the time of day, aware, in UTC."""
        return self._began + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        """Give seconds since the beginning."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has advanced by so many seconds."""
        self._number += 1
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, self._number, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let so many seconds pass; whoever sleeps wakes in order, each at its own time, and may sleep again."""
        end = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not future.done():
                future.set_result(None)
                await settle()
        self._now = end
        await settle()


async def settle() -> None:
    """Let every task go on that can go on without time passing."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
