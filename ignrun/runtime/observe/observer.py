"""Owns what is seen of a plant beside its state: figures of its processes, counts of its lines, and which alerts fire; listens, never calls."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from ignrun.protocol.reports import Measured
from ignrun.runtime.observe.alerts import Change, Key, Seen, Watch, decide
from ignrun.runtime.observe.figures import NAMES, Figures, figures_of
from ignrun.runtime.observe.history import History, Point
from ignrun.runtime.observe.record import LogRecord
from ignrun.runtime.observe.rules import Rule
from ignrun.terms.metric import Metric
from ignrun.terms.sample import ProcessSample

REMEMBERED: Final = 120
"""How many looks at a process are remembered beside the history, for what is drawn at once."""

RUNNER: Final = ""
"""The subject of the runner's own figures."""


class Look(msgspec.Struct, frozen=True):
    """What a process took at one moment (Unix seconds)."""

    at: float
    figures: Figures


class Observer:
    """Listens in the runner's loop: whoever samples, counts or looks hands it what he found; everything asked is answered from memory."""

    def __init__(self, history: History) -> None:
        """Take who keeps figures for later."""
        self._history = history
        self._samples: dict[str, ProcessSample] = {}
        self._looks: dict[str, deque[Look]] = {}
        self._lines: dict[Key, int] = {}
        self._metrics: dict[str, Measured] = {}
        self.counted: dict[tuple[str, str], int] = {}
        self.watch = Watch()

    # --- processes ----------------------------------------------------------------------------------------------------

    def sampled(self, samples: Mapping[str, ProcessSample], at: float) -> None:
        """Take one look at all processes, by subject (a host, the address of a command, empty for the runner); `at` in Unix seconds."""
        points: list[Point] = []
        for subject, sample in samples.items():
            figures = figures_of(sample, self._samples.get(subject))
            self._looks.setdefault(subject, deque(maxlen=REMEMBERED)).append(Look(at, figures))
            found = ((name, getattr(figures, name)) for name in NAMES)
            points += [Point(subject, name, at, float(value)) for name, value in found if value is not None]
        self._samples = dict(samples)
        self._looks = {subject: looks for subject, looks in self._looks.items() if subject in samples}
        if points:
            self._history.keep(tuple(points))

    def figures(self, subject: str) -> Figures | None:
        """Give what a process takes, None before it was first looked at."""
        looks = self._looks.get(subject)
        return looks[-1].figures if looks else None

    def looks(self, subject: str) -> tuple[Look, ...]:
        """Give the last looks at a process, oldest first."""
        return tuple(self._looks.get(subject, ()))

    def sample(self, subject: str) -> ProcessSample | None:
        """Give the last look at a process as the kernel counted, None before the first."""
        return self._samples.get(subject)

    # --- what modules measure -----------------------------------------------------------------------------------------

    def measured(self, measured: tuple[Measured, ...], at: float) -> None:
        """Take what modules say of their own work; `at` in Unix seconds."""
        points: list[Point] = []
        for one in measured:
            self._metrics[one.address] = one
            points += [Point(one.address, figure_of(metric), at, metric.value) for metric in one.metrics]
        if points:
            self._history.keep(tuple(points))

    def metrics(self, addresses: Iterable[str]) -> dict[str, tuple[Metric, ...]]:
        """Give what these instances last said, and forget what all others did."""
        known = set(addresses)
        self._metrics = {address: one for address, one in self._metrics.items() if address in known}
        return {address: one.metrics for address, one in self._metrics.items()}

    # --- lines --------------------------------------------------------------------------------------------------------

    def counts(self, record: LogRecord) -> None:
        """Count a line by its instance (or host) and level."""
        key = (record.address or record.host, record.level.lower())
        self.counted[key] = self.counted.get(key, 0) + 1

    def matched(self, rule: str, address: str) -> None:
        """Count a line that the pattern of a rule was found in."""
        self._lines[rule, address] = self._lines.get((rule, address), 0) + 1

    # --- alerts -------------------------------------------------------------------------------------------------------

    def look(self, rules: tuple[Rule, ...], seen: Mapping[str, Seen], mono: float) -> tuple[Change, ...]:
        """Look at the instances once (`mono` in monotonic seconds) and give the alerts that now fire or are over."""
        lines, self._lines = self._lines, {}
        self.watch, changes = decide(rules, self.watch, seen, lines, mono)
        return changes


def figure_of(metric: Metric) -> str:
    """Say under which name the history keeps a metric: `metric.jobs{queue=fast}`."""
    labels = ",".join(f"{name}={value}" for name, value in metric.labels)
    return f"metric.{metric.name}" + (f"{{{labels}}}" if labels else "")
