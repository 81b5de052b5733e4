"""Owns Metrics, the figures that a module keeps of its own work: counters, gauges and timers."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from ignrun.terms.metric import LONGEST_LABEL, METRIC_NAME, MOST_LABELS, MOST_METRICS, Labels, Metric, MetricKind

M = TypeVar("M", bound="_Instrument")


class _Instrument:
    """What the three kinds have in common; used from any thread."""

    kind: ClassVar[MetricKind]

    def __init__(self, metrics: "Metrics", name: str, labels: Labels, about: str) -> None:
        self.name = name
        self.labels = labels
        self.about = about
        self.value = 0.0
        self._metrics = metrics

    def reading(self) -> Metric:
        """Say how it stands."""
        return Metric(self.name, self.kind, self.value, self.labels, self.about)


class Counter(_Instrument):
    """Counts what has happened; it only ever grows."""

    kind = "counter"

    def add(self, amount: float = 1.0) -> None:
        """Count so many more; raises ValueError for less than nothing."""
        if not 0 <= amount < math.inf:
            message = f"the counter `{self.name}` grows by what is finite and not negative, not by {amount}"
            raise ValueError(message)
        with self._metrics.guard:
            self.value += amount
            self._metrics.changed = True


class Gauge(_Instrument):
    """Says how much there is now."""

    kind = "gauge"

    def set(self, value: float) -> None:
        """Say how much there is; raises ValueError for what is no finite number."""
        if not math.isfinite(value):
            message = f"the gauge `{self.name}` is set to a finite number, not to {value}"
            raise ValueError(message)
        with self._metrics.guard:
            self.value = float(value)
            self._metrics.changed = True

    def add(self, amount: float) -> None:
        """Say that there is so much more, or less."""
        with self._metrics.guard:
            self.value += amount
            self._metrics.changed = True


class Timer(_Instrument):
    """Says how often something was done, and how long it took."""

    kind = "timer"

    def __init__(self, metrics: "Metrics", name: str, labels: Labels, about: str) -> None:
        """Begin with nothing done."""
        super().__init__(metrics, name, labels, about)
        self.count = 0
        self.longest = 0.0

    def record(self, seconds: float) -> None:
        """Say that it was done once more and took so long; raises ValueError for what is no time."""
        if not 0 <= seconds < math.inf:
            message = f"the timer `{self.name}` records seconds, not {seconds}"
            raise ValueError(message)
        with self._metrics.guard:
            self.value += seconds
            self.count += 1
            self.longest = max(self.longest, seconds)
            self._metrics.changed = True

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Record how long the block takes, also where it raises."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.record(time.perf_counter() - began)

    def reading(self) -> Metric:
        """Say how it stands."""
        return Metric(self.name, self.kind, self.value, self.labels, self.about, self.count, self.longest)


class Metrics:
    """The figures of one incarnation. A metric is made when it is first asked for, and is the same one ever after.

    Names are in lower case with underscores; labels take a metric apart: `metrics.counter("rows", kind="tag").add()`. Figures
    are collected every few seconds; more than 200 of them, labels taken apart, are kept but not collected.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.guard = threading.Lock()
        self.changed = False
        self._metrics: dict[tuple[str, Labels], _Instrument] = {}
        self._kinds: dict[str, MetricKind] = {}

    def counter(self, name: str, about: str = "", **labels: object) -> Counter:
        """Give a counter; raises ValueError for a name that is none, or that is another kind's."""
        return self._made(Counter, name, about, labels)

    def gauge(self, name: str, about: str = "", **labels: object) -> Gauge:
        """Give a gauge; raises ValueError for a name that is none, or that is another kind's."""
        return self._made(Gauge, name, about, labels)

    def timer(self, name: str, about: str = "", **labels: object) -> Timer:
        """Give a timer; raises ValueError for a name that is none, or that is another kind's."""
        return self._made(Timer, name, about, labels)

    def readings(self) -> tuple[Metric, ...]:
        """Say how all of them stand, in the order in which they were made."""
        with self.guard:
            self.changed = False
            return tuple(metric.reading() for metric in self._metrics.values())

    def _made(self, kind: type[M], name: str, about: str, labels: dict[str, object]) -> M:
        written = tuple(sorted((label, str(value)[:LONGEST_LABEL]) for label, value in labels.items()))
        if self._kinds.setdefault(name, kind.kind) != kind.kind:
            message = f"`{name}` is a {self._kinds[name]} already"
            raise ValueError(message)
        found = self._metrics.get((name, written))
        if found is None:
            _refuse_odd(name, labels)
            found = kind(self, name, written, about[:LONGEST_LABEL])
            with self.guard:
                if len(self._metrics) < MOST_METRICS:
                    self.changed = True
                    found = self._metrics.setdefault((name, written), found)
        assert isinstance(found, kind)
        return found


def _refuse_odd(name: str, labels: dict[str, object]) -> None:
    for one in (name, *labels):
        if not METRIC_NAME.match(one):
            message = f"`{one}` is no name of a metric or label: lower case letters, digits and underscores, 64 at most"
            raise ValueError(message)
    if len(labels) > MOST_LABELS:
        message = f"`{name}` has {len(labels)} labels, {MOST_LABELS} are allowed"
        raise ValueError(message)
