"""Owns HealthResult, what one check says of a module, and the three words that make it."""

from collections.abc import Iterable

import msgspec

from ignrun.terms.states import Health


class HealthResult(msgspec.Struct, frozen=True, gc=False):
    """The answer of a check; `reason` is one plain line, empty when there is nothing to say."""

    health: Health
    reason: str = ""


_HEALTHY = HealthResult(Health.HEALTHY)
_WEIGHT = {Health.HEALTHY: 0, Health.UNKNOWN: 1, Health.DEGRADED: 2, Health.UNHEALTHY: 3}


def healthy(reason: str = "") -> HealthResult:
    """Answer of a check: all is well."""
    return HealthResult(Health.HEALTHY, reason) if reason else _HEALTHY


def degraded(reason: str) -> HealthResult:
    """Answer of a check: it works, but not as it should; counts as healthy for those who wait for it."""
    return HealthResult(Health.DEGRADED, reason)


def unhealthy(reason: str) -> HealthResult:
    """Answer of a check: it does not do its work; several in a row may restart the module."""
    return HealthResult(Health.UNHEALTHY, reason)


def read_answer(answer: object) -> HealthResult:
    """Turn what a check returned into its result: nothing means healthy; anything strange is unhealthy."""
    if answer is None:
        return healthy()
    if isinstance(answer, HealthResult):
        return answer
    return unhealthy(f"the check returned `{type(answer).__name__}`, not healthy(), degraded() or unhealthy()")


def worst_of(results: Iterable[HealthResult]) -> HealthResult:
    """Give the result that weighs most; nothing at all is healthy."""
    return max(results, key=lambda result: _WEIGHT[result.health], default=healthy())
