"""Owns Feed, the values of one stream between the provider's generator and its reader, never more than agreed."""

import asyncio
from collections import deque
from typing import Any

from ignrun.sdk.peer import Overflow


class Gone(Exception):  # noqa: N818 - says what happened to the provider
    """The provider of a stream went away; it may come back."""


class Feed:
    """A bounded buffer: `put` waits, or drops the oldest value, when `size` values lie in it."""

    def __init__(self, size: int, overflow: Overflow) -> None:
        self._size = max(1, size)
        self._drops = overflow == "drop_oldest"
        self._values: deque[Any] = deque()
        self._ended = False
        self._outcome: BaseException | None = None
        self._writer: asyncio.Future[None] | None = None
        self._reader: asyncio.Future[None] | None = None

    async def put(self, value: Any) -> None:
        """Add a value, waiting for room where the reader is to be waited for."""
        while len(self._values) >= self._size and not self._ended:
            if self._drops:
                await asyncio.sleep(0)  # a provider that never waits for anything must not keep the loop
                break
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        self.put_now(value)

    def put_now(self, value: Any) -> None:
        """Add a value at once; the oldest goes when there is no room."""
        if len(self._values) >= self._size and self._drops:
            self._values.popleft()
        self._values.append(value)
        _wake(self._reader)

    def end(self, outcome: BaseException | None = None) -> None:
        """Say that no more values come, and why when it is not the stream's own end."""
        if not self._ended:
            self._ended, self._outcome = True, outcome
            _wake(self._reader)
            _wake(self._writer)

    async def take(self, most: int | None = None) -> list[Any]:
        """Give the values that are there, one to `most`; none at the end of the stream. Raises what ended it."""
        while not self._values:
            if self._ended:
                if self._outcome is not None:
                    raise self._outcome
                return []
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        count = len(self._values) if most is None else min(most, len(self._values))
        taken = [self._values.popleft() for _ in range(count)]
        _wake(self._writer)
        return taken

    def close(self) -> None:
        """Nobody reads any more."""
        self._values.clear()
        self.end()


def _wake(future: "asyncio.Future[None] | None") -> None:
    if future is not None and not future.done():
        future.set_result(None)
