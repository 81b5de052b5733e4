"""Owns StandingLoop, an event loop in which nothing runs and no time passes unless its owner says so."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

EARLY = 1e-9
"""Seconds by which a timer may be early: what adding and taking away of times loses."""


class StandingLoop:
    """What callbacks and timers are handed to, as far as a runner hands any; `now` says what time it is."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[asyncio.TimerHandle] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the loop that runs, for as long as the block does."""
        asyncio._set_running_loop(self)  # type: ignore[arg-type]
        try:
            yield
        finally:
            asyncio._set_running_loop(None)

    def run(self) -> None:
        """Call all that is ready, and what gets ready by that."""
        with self.running():
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()

    def due(self) -> float | None:
        """Say when the next timer is due."""
        return min((timer.when() for timer in self._timers), default=None)

    def ring(self) -> None:
        """Make those timers ready that are due by now."""
        due = [timer for timer in self._timers if timer.when() <= self._now() + EARLY]
        self._timers = [timer for timer in self._timers if timer not in due]
        self._ready.extend(due)

    # --- what others ask of a loop ------------------------------------------------------------------------------------

    def time(self) -> float:
        """Give the time by which timers go."""
        return self._now()

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """Have something called next."""
        self._ready.append(asyncio.Handle(callback, args, self, context))  # type: ignore[arg-type]
        return self._ready[-1]

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """Have something called after so many seconds."""
        return self.call_at(self._now() + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """Have something called at a time."""
        self._timers.append(asyncio.TimerHandle(when, callback, args, self, context))  # type: ignore[arg-type]
        return self._timers[-1]

    def get_debug(self) -> bool:
        """Say that nobody is looking for bugs of asyncio."""
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._timers = [timer for timer in self._timers if timer is not handle]
