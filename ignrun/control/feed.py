"""Owns the wait for the next durable event: whoever follows keeps a number, never a queue."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from ignrun.control.sse import Message, written
from ignrun.terms.events import Event

KEPT: Final = 2048
"""How many of the last events are given from memory; older ones are read from the journal."""


class EventFeed:
    """Hands durable events to any number of followers, each at its own pace and without memory of its own.

    A slow follower costs nothing: what it has not had yet lies in the journal. Lives in the runner's loop.
    """

    def __init__(self, read: Callable[[int, int], tuple[Event, ...]], last: int = 0) -> None:
        """Take how older events are read (`Journal.events_after`) and the number of the last durable one."""
        self._read = read
        self._recent: deque[Event] = deque(maxlen=KEPT)
        self._last = last
        self._news = asyncio.Event()
        self._written: dict[int, bytes] = {}

    @property
    def last(self) -> int:
        """Number of the last durable event, 0 before the first."""
        return self._last

    def publish(self, events: tuple[Event, ...]) -> None:
        """Take in the events that the journal has just made durable, in order."""
        if not events:
            return
        self._recent.extend(events)
        self._last = events[-1].seq
        self._news.set()
        self._news = asyncio.Event()

    def after(self, seq: int, limit: int = 256) -> tuple[Event, ...]:
        """Give up to `limit` durable events above `seq`, none when there are none yet."""
        if seq >= self._last:
            return ()
        if not self._recent or self._recent[0].seq > seq + 1:
            return self._read(seq, limit)
        first = seq + 1 - self._recent[0].seq
        return tuple(self._recent[at] for at in range(first, min(first + limit, len(self._recent))))

    def written(self, event: Event) -> bytes:
        """Give an event as the message of a stream, its number as id; a crowd of followers shares the bytes."""
        found = self._written.get(event.seq)
        if found is None:
            if len(self._written) >= KEPT:
                self._written.clear()
            found = self._written[event.seq] = written(Message(msgspec.json.encode(event), id=str(event.seq)))
        return found

    async def wait_after(self, seq: int, limit: int = 256) -> tuple[Event, ...]:
        """Wait until there are events above `seq` and give up to `limit` of them."""
        while self._last <= seq:
            await self._news.wait()
        return self.after(seq, limit)
