"""Turns a line and a pattern into whether they match, within a bounded time, whatever the pattern is."""

import re
import signal
import threading
from typing import Any, Final

LONGEST_MATCHED: Final = 4096
"""Characters of a line that are looked at."""

LIMIT: Final = 0.05
"""Seconds that one line may take; the search looks for signals while it works, so that an alarm ends it."""


class TooSlow(Exception):  # noqa: N818 - an answer about the pattern
    """A pattern that is still not done with one line after LIMIT seconds."""


class Matcher:
    """A pattern; used in the main thread, where alone an alarm can end a search (elsewhere it is not bounded)."""

    def __init__(self, pattern: str) -> None:
        """Compile; raises re.error."""
        self._pattern = re.compile(pattern)
        self._armed = False

    def finds(self, line: str) -> bool:
        """Tell whether the pattern is found in a line; raises TooSlow."""
        line = line[:LONGEST_MATCHED]
        if threading.current_thread() is not threading.main_thread():
            return self._pattern.search(line) is not None
        before = signal.signal(signal.SIGALRM, self._ring)
        self._armed = True
        try:
            signal.setitimer(signal.ITIMER_REAL, LIMIT)
            return self._pattern.search(line) is not None
        finally:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, before)

    def _ring(self, *_: Any) -> None:
        if self._armed:
            self._armed = False
            raise TooSlow
