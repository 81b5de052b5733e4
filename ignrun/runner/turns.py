"""Owns whose turn it is to change a plant, one wish at a time, and how long others wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ignrun.runner.loop import Loop
from ignrun.runtime.apply.state import State
from ignrun.terms.failure import LockHeld

_HINT = "`ignrun status` shows how far it is; `--lock-timeout` waits longer"


class Turns:
    """The turn to change a plant: taken by one at a time, in the order in which they came."""

    def __init__(self, loop: Loop) -> None:
        """Take the loop, in whose state the change under way stands."""
        self._loop = loop
        self._lock = asyncio.Lock()
        self._reads = ""
        self._changes = ""

    @asynccontextmanager
    async def taken(self, by: str, until: float | None) -> AsyncIterator[None]:
        """Take the turn for a block; raises LockHeld when that has not come by `until` (time of the event loop, None: never too late)."""
        async with self._patience(until):
            await self._lock.acquire()
        try:
            self._reads = by
            yield
        finally:
            self._lock.release()

    async def free(self, condition: Callable[[State], bool], until: float | None) -> None:
        """Return when the change under way lets another begin; raises LockHeld when it does not by `until`."""
        async with self._patience(until):
            await self._loop.until(condition)

    def begun(self, by: str) -> None:
        """Remember who makes the change that is under way from now on."""
        self._changes = by

    @asynccontextmanager
    async def _patience(self, until: float | None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(until):
                yield
        except TimeoutError:
            raise LockHeld("the turn to change this plant", self._owner(), _HINT) from None

    def _owner(self) -> str:
        change = self._loop.state.transaction
        if change is None:
            return f"{self._reads}, whose manifest is being read"
        return f"{self._changes}, whose change {change.number} is {change.phase.value}"
