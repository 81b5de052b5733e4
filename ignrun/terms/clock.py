"""Owns the narrow door through which time comes in."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two views of now: wall-clock time for people, monotonic time for decisions."""

    def utc(self) -> datetime:
        """Give the time of day, aware, in UTC."""

    def monotonic(self) -> float:
        """Give seconds that never jump."""


class SystemClock:
    """The machine's own clock."""

    def utc(self) -> datetime:
        """Give the time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give seconds that never jump."""
        return time.monotonic()
