"""What a binding needs is met by what is offered exactly as the words of the contract say."""

from itertools import product
from typing import NamedTuple

import pytest

from ignrun.host.offers import COMPLETED, NOTHING, need_of, offer_of
from ignrun.protocol.orders import Binding
from ignrun.terms.states import Condition, Health


class Place(NamedTuple):
    """Where a provider is, and what it is said to offer then."""

    offer: int
    where: str
    health: Health | None = None
    may_complete: bool = False


PLACES = [
    *(
        Place(offer_of(health, may_complete=may), "running", health, may)
        for health, may in product(Health, (False, True))
    ),
    Place(NOTHING, "at rest"),
    Place(0, "on its way up"),
    Place(COMPLETED | NOTHING, "completed"),
    Place(COMPLETED, "completed, and on its way up"),
]


@pytest.mark.parametrize("condition", Condition)
@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_need_is_met_by_what_was_reached_or_where_nothing_is_required_by_the_end_of_hope(
    condition, required, place
) -> None:
    runs = place.where == "running"
    reached = {
        Condition.HEALTHY: place.health in {Health.HEALTHY, Health.DEGRADED},
        Condition.STARTED: runs,
        Condition.COMPLETED: False,
    }[condition]
    rising = place.health is Health.UNKNOWN or place.where.endswith("on its way up")
    hope = rising or (condition is Condition.COMPLETED and runs and place.may_complete)
    met = reached or place.where.startswith("completed") or (not required and not hope)
    need = need_of(Binding("", "provider@gateway", condition, local=True, required=required))
    assert bool(need & place.offer) == met
