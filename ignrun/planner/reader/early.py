"""Owns EarlyReading, a reading that is begun while an edit settles and used when nothing has changed since."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.seen import Seen
from ignrun.planner.proposal import Base, Reading
from ignrun.terms.failure import ReaderFailure

Read = Callable[[Inputs, Base], Coroutine[Any, Any, Reading]]


class EarlyReading:
    """One reading ahead of its time: `begin` while files settle, `take` when they have; it is used once."""

    def __init__(self, read: Read) -> None:
        """Take who reads."""
        self._read = read
        self._begun: tuple[Inputs, Base, asyncio.Task[Reading]] | None = None

    def begin(self, inputs: Inputs, base: Base) -> None:
        """Begin to read, unless a reading is under way; what comes of it costs nothing when nobody takes it."""
        if self._begun is None or self._begun[2].done():
            self._begun = inputs, base, asyncio.create_task(self._read(inputs, base), name="early reading")

    async def take(self, inputs: Inputs, base: Base, is_current: Callable[[Seen], bool]) -> Reading | None:
        """Give the reading that was begun if it is the one asked for and saw what is there now; None otherwise."""
        begun, self._begun = self._begun, None
        if begun is None:
            return None
        was, compared, task = begun
        try:
            early = await task
        except ReaderFailure:
            return None
        is_same = was == inputs and compared.generation == base.generation and compared.graph is base.graph
        return early if is_same and early.seen.files and is_current(early.seen) else None
