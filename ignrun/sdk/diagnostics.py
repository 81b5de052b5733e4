"""Owns ModuleDiagnosticsManager: a module's log, the errors it recorded, and its checks."""

import logging
from datetime import datetime
from typing import Final

import msgspec

from ignrun.sdk.health import HealthResult
from ignrun.sdk.raised import NotOffered
from ignrun.terms.clock import Clock

KEPT: Final = 20
"""How many recorded errors are remembered."""


class RecordedError(msgspec.Struct, frozen=True):
    """One error that the module itself reported."""

    at: datetime
    kind: str
    text: str


class ModuleDiagnosticsManager:
    """What a module says about itself beyond its state; errors recorded here are logged and counted, and change no state."""

    def __init__(self, log: logging.Logger, clock: Clock, checks: tuple[str, ...]) -> None:
        self.log = log
        self.checks = checks
        self.error_count = 0
        self.last_result: HealthResult | None = None
        self._clock = clock
        self._errors: list[RecordedError] = []

    @property
    def errors(self) -> tuple[RecordedError, ...]:
        """The last recorded errors, oldest first."""
        return tuple(self._errors)

    def record_error(self, error: BaseException | str, **fields: object) -> None:
        """Log an error with its traceback, keep it among the last, and count it."""
        kind = type(error).__name__ if isinstance(error, BaseException) else "error"
        self.error_count += 1
        self._errors = [*self._errors, RecordedError(self._clock.utc(), kind, str(error))][-KEPT:]
        self.log.error(
            "%s: %s", kind, error, exc_info=error if isinstance(error, BaseException) else None, extra=fields
        )

    def set_metric(self, name: str, value: float) -> None:  # noqa: ARG002 - part of the contract
        """Publish a figure; raises NotOffered: figures are not collected yet."""
        message = f"the metric `{name}` is not collected: this version of ignrun keeps no metrics of modules"
        raise NotOffered(message)
