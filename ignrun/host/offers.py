"""Says what an instance offers to those who depend on it, and what a binding needs, both as bits that are compared in one step."""

from typing import Final, assert_never

from ignrun.protocol.orders import Binding
from ignrun.terms.states import Condition, Health

STARTED: Final = 1
"""It runs."""

HEALTHY: Final = 2
"""It runs and is healthy, degraded counts."""

COMPLETED: Final = 4
"""Its main loop has come to a good end."""

IDLE: Final = 8
"""It is not on its way to being healthy."""

ENDLESS: Final = 16
"""It is not on its way to a good end."""

NOTHING: Final = IDLE | ENDLESS
"""What is offered by who neither runs nor is brought up."""

_SERVING: Final = {
    Health.HEALTHY: STARTED | HEALTHY | NOTHING,
    Health.DEGRADED: STARTED | HEALTHY | NOTHING,
    Health.UNHEALTHY: STARTED | NOTHING,
    Health.UNKNOWN: STARTED,
}


def offer_of(health: Health, *, may_complete: bool) -> int:
    """Give what an instance that runs offers; `may_complete` says that its main loop may end."""
    offer = _SERVING[health]
    return offer & ~ENDLESS if may_complete else offer


def need_of(binding: Binding) -> int:
    """Give what a dependent waits for: any one of these is enough; without `required` it does not wait in vain."""
    match binding.condition:
        case Condition.HEALTHY:
            met, hopeless = HEALTHY | COMPLETED, IDLE
        case Condition.STARTED:
            met, hopeless = STARTED | COMPLETED, IDLE
        case Condition.COMPLETED:
            met, hopeless = COMPLETED, ENDLESS
        case _:
            assert_never(binding.condition)
    return met if binding.required else met | hopeless
