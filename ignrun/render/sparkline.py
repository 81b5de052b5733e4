"""Turns a series of values into one line of small bars."""

from collections.abc import Sequence
from typing import Final

BARS: Final = "▁▂▃▄▅▆▇█"
NOTHING: Final = "·"


def sparkline(values: Sequence[float | None], *, floor: float | None = None) -> str:
    """Draw values between the least (or `floor`) and the most of them; what is not known is a dot, what never changes is low."""
    known = [value for value in values if value is not None]
    if not known:
        return NOTHING * len(values)
    low = min(known) if floor is None else min(floor, *known)
    span = max(known) - low
    return "".join(NOTHING if value is None else BARS[_step(value - low, span)] for value in values)


def _step(height: float, span: float) -> int:
    return min(len(BARS) - 1, int(height / span * len(BARS))) if span > 0 else 0
