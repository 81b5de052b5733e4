"""Laws of modules that move to another host: who waits for them, and who stops before them, is told what is so now."""

import pytest

from ignrun.planner.graph.model import Graph
from ignrun.protocol.orders import ClearStop, Stop
from ignrun.runtime.supervise.effects import GiveOrder, Result
from ignrun.runtime.supervise.messages import ShutdownAsked
from ignrun.terms.states import ModuleState
from tests.doubles.plants import edge, gateway, graph, module, proposed
from tests.doubles.world import World

A, B = gateway("a"), gateway("b")


def plant(home: str) -> Graph:
    """Make b, that requires a: b lives in `gateway`, a in `home`."""
    return graph([module("a", host=home), module("b")], [edge("b", "a")])


@pytest.mark.parametrize("seed", range(20))
def test_who_waits_in_its_host_for_a_provider_that_moves_out_begins_anew_and_comes_up(seed):
    world = World(seed=seed)
    world.scripts.outcomes[A, "startup"] = ["fatal"]
    world.tell(proposed(plant("gateway"), on_failure="hold"))
    world.run()
    assert world.states() == {"a": "error", "b": "initialized"}
    world.tell(proposed(plant("gateway+1"), plant("gateway"), base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert world.states() == {"a": "running", "b": "running"}


@pytest.mark.parametrize("seed", range(20))
def test_who_runs_stops_before_a_provider_that_has_moved_in(seed):
    world = World(seed=seed)
    world.tell(proposed(plant("other")))
    world.run()
    world.tell(proposed(plant("gateway"), plant("other"), base=1, request=2))
    world.run()
    assert world.states() == {"a": "running", "b": "running"}
    began = len(world.happenings)
    effects = world.tell(ShutdownAsked("ada", 0))
    stops = [e.order for e in effects if isinstance(e, GiveOrder) and isinstance(e.order, Stop)]
    assert [address for order in stops for address in order.cleared] == [B]
    later = len(world.effects)
    world.run()
    cleared = [e.order for e in world.effects[later:] if isinstance(e, GiveOrder) and isinstance(e.order, ClearStop)]
    assert [item.address for order in cleared for item in order.items] == [A]
    moves = [(h.subject, h.body.new) for h in world.happenings[began:] if hasattr(h.body, "new")]
    assert moves.index((B, ModuleState.STOPPED)) < moves.index((A, ModuleState.STOPPING))
