"""Owns Metric, one figure that a module keeps of its own work, as it stands at one moment."""

import re
from typing import Final, Literal

import msgspec

MetricKind = Literal["counter", "gauge", "timer"]

METRIC_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
"""What a metric or a label may be called."""

MOST_METRICS: Final = 200
"""How many metrics, labels taken apart, of one incarnation are collected."""

MOST_LABELS: Final = 8
LONGEST_LABEL: Final = 128
"""Characters of a label's value, or of what is said about a metric; longer ones are cut."""

Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""


class Metric(msgspec.Struct, frozen=True):
    """One figure: a counter's `value` is its sum, a gauge's the last one, a timer's all seconds together.

    `count` and `longest` (seconds) are those of a timer. All of them begin anew with each incarnation.
    """

    name: str
    kind: MetricKind
    value: float
    labels: Labels = ()
    about: str = ""
    count: int = 0
    longest: float = 0.0
