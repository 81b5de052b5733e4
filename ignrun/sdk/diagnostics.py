"""Owns ModuleDiagnosticsManager: a module's log, the errors it recorded, its checks and its metrics."""

import logging
from datetime import datetime
from typing import Final, Protocol

import msgspec

from ignrun.sdk.health import HealthResult
from ignrun.sdk.metrics import Metrics
from ignrun.terms.clock import Clock

KEPT: Final = 20
"""How many recorded errors are remembered."""


class RecordedError(msgspec.Struct, frozen=True):
    """One error that the module itself reported."""

    at: datetime
    kind: str
    text: str


class Measured(Protocol):
    """What the manager looks at."""

    @property
    def clock(self) -> Clock:
        """Time."""

    @property
    def metrics(self) -> Metrics:
        """The figures that the module keeps."""

    health: HealthResult


class ModuleDiagnosticsManager:
    """What a module says about itself beyond its state; errors recorded here are logged and counted, and change no state.

    `log` is `self.log`, `checks` are the names of its health checks, `error_count` says how many errors this incarnation has recorded.
    """

    def __init__(self, measured: Measured, log: logging.Logger, checks: tuple[str, ...]) -> None:
        self.log = log
        self.checks = checks
        self.error_count = 0
        self._measured = measured
        self._errors: list[RecordedError] = []

    @property
    def last_result(self) -> HealthResult:
        """What its checks said last, the worst of them; `unknown` before the first of them was asked."""
        return self._measured.health

    @property
    def errors(self) -> tuple[RecordedError, ...]:
        """The last recorded errors, oldest first."""
        return tuple(self._errors)

    def record_error(self, error: BaseException | str, **fields: object) -> None:
        """Log an error with its traceback, keep it among the last, and count it."""
        kind = type(error).__name__ if isinstance(error, BaseException) else "error"
        self.error_count += 1
        self._errors = [*self._errors, RecordedError(self._measured.clock.utc(), kind, str(error))][-KEPT:]
        self.log.error(
            "%s: %s", kind, error, exc_info=error if isinstance(error, BaseException) else None, extra=fields
        )

    @property
    def metrics(self) -> Metrics:
        """Counters, gauges and timers: `metrics.counter("rows").add(3)`; collected every few seconds."""
        return self._measured.metrics

    def set_metric(self, name: str, value: float) -> None:
        """Set a gauge; raises ValueError for a name that is none, or for what is no finite number."""
        self.metrics.gauge(name).set(value)
