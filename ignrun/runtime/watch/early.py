"""Owns EarlyReading, a reading that is begun while an edit settles and used when nothing has changed since."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from ignrun.planner.proposal import Base, Reading
from ignrun.runtime.watch.model import Picture
from ignrun.runtime.watch.picture import differing, picture_of
from ignrun.terms.failure import ReaderFailure

Read = Callable[[Base], Coroutine[Any, Any, Reading]]


class EarlyReading:
    """One reading ahead of its time: `begin` while files settle, `take` when they have; it is used once."""

    def __init__(self, read: Read) -> None:
        """Take who reads."""
        self._read = read
        self._begun: tuple[Base, asyncio.Task[Reading]] | None = None

    def begin(self, base: Base) -> None:
        """Begin to read, unless a reading is under way; what comes of it costs nothing when nobody takes it."""
        if self._begun is None or self._begun[1].done():
            self._begun = base, asyncio.create_task(self._read(base), name="early reading")

    async def take(self, base: Base, now: Picture, *, code: bool) -> Reading:
        """Give the reading that was begun if it saw the disk as the picture `now` has it, else another one; raises as the reader does."""
        begun, self._begun = self._begun, None
        if begun is not None and begun[0] == base:
            with suppress(ReaderFailure):
                early = await begun[1]
                if early.seen.files and not differing(picture_of(early.seen, code=code), now):
                    return early
        return await self._read(base)
