"""Owns the instances whose start has been ordered and not begun: few begin in one turn of the loop, so that no turn takes long."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from ignrun.host.seat import Seat

AT_ONCE: Final = 64
"""How many starts are begun in one turn of the loop."""


class Due:
    """A queue of seats; used on the event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: Callable[[Seat], None]) -> None:
        self._loop = loop
        self._begin = begin
        self._waiting: deque[Seat] = deque()
        self._planned = False

    def add(self, seat: Seat) -> None:
        """Put one at the end."""
        seat.due = True
        self._waiting.append(seat)

    def begin_some(self) -> None:
        """Begin with a few of those that are still due, and with the next in the next turn."""
        for _ in range(min(AT_ONCE, len(self._waiting))):
            seat = self._waiting.popleft()
            if seat.due:
                seat.due = False
                self._begin(seat)
        if self._waiting and not self._planned:
            self._planned = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._planned = False
        self.begin_some()
