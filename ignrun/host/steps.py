"""Marks whose code takes each step of the event loop, in the pulse of this host process."""

import selectors
import time
from collections.abc import Coroutine, Generator
from typing import Any

from ignrun.protocol.pulse import MARK, Pulse, mark_of


class Here:
    """The pulse of this process: kept where nobody looks until a host process has made its own."""

    pulse = Pulse()


class Left(RuntimeError):  # noqa: N818 - says what happened
    """A task of one instance wanted to end the whole process, which is not its own; that ends the task."""

    def __init__(self, error: SystemExit | KeyboardInterrupt) -> None:
        """Say what it did."""
        called = f"called sys.exit({error.code!r})" if isinstance(error, SystemExit) else "raised KeyboardInterrupt"
        super().__init__(f"a task {called}")


class Marked(Coroutine[Any, Any, Any]):
    """A coroutine that marks each of its steps as an instance's."""

    __slots__ = ("__name__", "__qualname__", "_mark", "_page", "_work", "left")

    def __init__(self, work: Coroutine[Any, Any, Any], address: str) -> None:
        """Take the coroutine, and whose it is."""
        self._work = work
        self.left: Left | None = None
        self._page = Here.pulse.page
        self._mark = mark_of(address)
        self.__name__ = getattr(work, "__name__", "coroutine")
        self.__qualname__ = getattr(work, "__qualname__", self.__name__)

    def send(self, value: Any) -> Any:
        """Take one step."""
        self._page[MARK] = self._mark
        try:
            return self._work.send(value)
        except (SystemExit, KeyboardInterrupt) as error:
            self.left = Left(error)
            raise self.left from error

    def throw(self, *error: Any) -> Any:
        """Take one step that begins with an exception."""
        self._page[MARK] = self._mark
        try:
            return self._work.throw(*error)
        except (SystemExit, KeyboardInterrupt) as left:
            self.left = Left(left)
            raise self.left from left

    def close(self) -> None:
        """Take no more steps."""
        self._work.close()

    def __await__(self) -> Generator[Any, None, Any]:
        """Be awaited like the coroutine itself."""
        return self._work.__await__()


def mark(address: str) -> None:
    """Mark what follows in this step as an instance's."""
    Here.pulse.page[MARK] = mark_of(address)


class PulsingSelector(selectors.DefaultSelector):
    """A selector that writes into the pulse when the loop begins a turn and when it waits for the next."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for something to do."""
        turn = Here.pulse.turn
        turn(0.0)
        found = super().select(timeout)
        turn(time.monotonic())
        return found
