"""Owns the deadlines of callbacks: one timer for all that may take equally long, since thousands of instances share a few limits."""

import asyncio
from collections.abc import Callable


class Deadline:
    """One callback's time: `expire` is called when it is over, unless it was ended before."""

    __slots__ = ("_row", "at", "expire")

    def __init__(self, row: "_Row", at: float, expire: Callable[[], object]) -> None:
        self._row = row
        self.at = at
        self.expire = expire

    def end(self) -> None:
        """Need it no more."""
        self._row.waiting.pop(self, None)


class Deadlines:
    """The deadlines of one event loop."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[float, _Row] = {}

    def after(self, seconds: float, expire: Callable[[], object]) -> Deadline:
        """Have `expire` called after so many seconds."""
        row = self._rows.get(seconds)
        if row is None:
            row = self._rows[seconds] = _Row()
        loop = asyncio.get_running_loop()
        deadline = Deadline(row, loop.time() + seconds, expire)
        row.add(loop, deadline)
        return deadline


class _Row:
    """Deadlines of one length, so that the order in which they come is the order in which they are added."""

    def __init__(self) -> None:
        self.waiting: dict[Deadline, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, loop: asyncio.AbstractEventLoop, deadline: Deadline) -> None:
        self.waiting[deadline] = None
        if self._timer is None:
            self._timer = loop.call_at(deadline.at, self._due, loop)

    def _due(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        while self.waiting and (first := next(iter(self.waiting))).at <= now:
            del self.waiting[first]
            first.expire()
        if self.waiting and self._timer is None:
            self._timer = loop.call_at(next(iter(self.waiting)).at, self._due, loop)
