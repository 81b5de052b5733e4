"""Writes to stdout and stderr from a thread of its own, so that a reader who is slow, or stopped, holds no runner up."""

import queue
import threading
from typing import Final, Self

from ignrun.cli.speech import result, say

WAITING: Final = 10_000
"""Lines that wait for the reader; later ones are counted and left out."""

_PATIENCE: Final = 2.0  # seconds for what still waits when everything is over


class Unhurried:
    """Takes lines without ever blocking; they are written in their order. Silent once nobody reads any more."""

    def __init__(self) -> None:
        """Begin without a line."""
        self._queue: queue.SimpleQueue[tuple[bool, str] | None] = queue.SimpleQueue()
        self._left_out = 0  # counted by those who speak
        self._said = 0  # of these, told by the thread
        self._thread = threading.Thread(target=self._work, name="output", daemon=True)

    def __enter__(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write what still waits, as far as somebody reads it."""
        self._queue.put(None)
        self._thread.join(_PATIENCE)

    def say(self, text: str) -> None:
        """Have a line written to stderr."""
        self._put(text, err=True)

    def result(self, text: str) -> None:
        """Have a text, which brings its own newline, written to stdout."""
        self._put(text, err=False)

    def _put(self, text: str, *, err: bool) -> None:
        if self._queue.qsize() < WAITING:
            self._queue.put((err, text))
        else:
            self._left_out += 1

    def _work(self) -> None:
        try:
            while (line := self._queue.get()) is not None:
                err, text = line
                (say if err else result)(text)
                if self._queue.empty():
                    self._tell_what_is_missing()
            self._tell_what_is_missing()
        except OSError:
            pass  # nobody reads: the log files have it all

    def _tell_what_is_missing(self) -> None:
        missing = self._left_out - self._said
        if missing:
            self._said += missing
            say(f"{missing} lines are left out here: they came faster than they were read")
