"""Ends the host process when it should end and its event loop does not get round to it."""

import _thread
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Final

from ignrun.protocol.pulse import BEAT

ORPHAN_GRACE: Final = 2.0
"""Seconds that a host has after its runner has gone."""

BLOCKED: Final = 121
"""Exit code of a host that had to be ended from here."""

_HANG_UP: Final = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class Watchdog:
    """A thread that sees the runner's end of the socket close, and knows by when the process has to be gone; it looks around meanwhile."""

    def __init__(self, runner: socket.socket, look: Callable[[], None] | None = None) -> None:
        self._runner = runner
        self._look = look
        self._deadline: float | None = None
        self._wake_read, self._wake_write = os.pipe()

    def begin(self) -> None:
        """Watch from now on."""
        _thread.start_new_thread(self._watch, ())  # threading.Thread would have the host wait until it runs

    def end_within(self, seconds: float) -> None:
        """End the process after so many seconds, whatever happens; an earlier deadline stands."""
        deadline = time.monotonic() + seconds
        if self._deadline is None or deadline < self._deadline:
            self._deadline = deadline
            os.write(self._wake_write, b"\0")

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._runner.fileno(), _HANG_UP)
        poll.register(self._wake_read, select.POLLIN)
        while True:
            if self._look is not None:
                self._look()
            for number, _ in poll.poll(self._left()):
                poll.unregister(number)
                if number != self._wake_read and self._deadline is None:
                    self._deadline = time.monotonic() + ORPHAN_GRACE + 0.5
            if self._deadline is not None and time.monotonic() >= self._deadline:
                os._exit(BLOCKED)

    def _left(self) -> float | None:
        """Milliseconds until the deadline or the next look; None without either."""
        pause = None if self._look is None else BEAT * 1000
        if self._deadline is None:
            return pause
        left = max(0.0, (self._deadline - time.monotonic()) * 1000)
        return left if pause is None else min(left, pause)
