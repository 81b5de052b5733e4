"""Decides which lines are let through when somebody writes without end, and counts by name what is left out."""

from typing import Final

import msgspec

MOST_OF_ONE: Final = 1000.0
"""Lines a second that one instance may write for long."""

MOST_OF_PROCESS: Final = 4000.0
"""Lines a second that one process may write for long, whoever lives in it."""

LONG: Final = 4096
"""Characters that count as one line: a longer line counts as several."""

_BURST: Final = 2.0  # seconds' worth of lines that may come at once


class _Bucket(msgspec.Struct):
    """How much more may come now; it fills up as time goes by."""

    rate: float
    left: float
    at: float

    def fill(self, mono: float) -> None:
        self.left = min(self.rate * _BURST, self.left + (mono - self.at) * self.rate)
        self.at = mono


class Floods:
    """The measure that each writer has; times are monotonic seconds. Small: one entry for each name that has written."""

    def __init__(self, of_one: float = MOST_OF_ONE, of_process: float = MOST_OF_PROCESS) -> None:
        """Take how many lines a second are let through, of one name and of one process."""
        self._of_one = of_one
        self._of_process = of_process
        self._names: dict[str, _Bucket] = {}
        self._processes: dict[str, _Bucket] = {}
        self._left_out: dict[str, int] = {}
        self.suppressed: dict[str, int] = {}

    def admits(self, name: str, process: str, length: int, mono: float) -> bool:
        """Tell whether a line of so many characters may come in; one that may not is counted under its name."""
        cost = 1 + length // LONG
        own = self._bucket(self._names, name, self._of_one, mono)
        whole = self._bucket(self._processes, process, self._of_process, mono)
        if own.left < cost or whole.left < cost:
            self._left_out[name] = self._left_out.get(name, 0) + 1
            return False
        own.left -= cost
        whole.left -= cost
        return True

    def told(self) -> dict[str, int]:
        """Give how many lines of whom were left out since this was last asked."""
        told, self._left_out = self._left_out, {}
        for name, count in told.items():
            self.suppressed[name] = self.suppressed.get(name, 0) + count
        return told

    def _bucket(self, of: dict[str, _Bucket], name: str, rate: float, mono: float) -> _Bucket:
        found = of.get(name)
        if found is None:
            found = of[name] = _Bucket(rate, rate * _BURST, mono)
        found.fill(mono)
        return found
