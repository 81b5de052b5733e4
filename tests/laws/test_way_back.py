"""Laws of the way back over plants of any shape: going there and back is having stayed, for everybody."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ignrun.planner.graph.model import Graph, Hosted, InstanceSpec
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.events import LifecycleEvent
from ignrun.terms.leaves import Tree
from ignrun.terms.states import ModuleState
from tests.doubles.plants import IN_PLACE, edge, gateway, graph, module, planned, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World
from tests.laws import judge
from tests.laws.plants_drawn import seeds, sketches
from tests.laws.sabotage import SABOTAGES


def in_place(spec: InstanceSpec, level: int) -> InstanceSpec:
    """Let a module be one that changes in place, with a config of this level."""
    body = replace(spec.body, callbacks=IN_PLACE) if isinstance(spec.body, Hosted) else spec.body
    facets = replace(spec.facets, config=f"{spec.facets.identity} {level}")
    return replace(spec, body=body, config=Tree({"level": level}), facets=facets)


@st.composite
def pairs(draw) -> tuple[Graph, Graph]:
    """Draw a plant, and the same with some modules changed, gone, or added."""
    sketch = draw(sketches(most=6))
    whole = sketch.graph()
    before, after = [], []
    for spec in whole.instances.values():
        then, now = draw(st.sampled_from((0, 1, 1, 1))), draw(st.sampled_from((0, 1, 1, 2, 2, 3)))
        if then:
            before.append(in_place(spec, 1))
        if now == 3:
            newer = replace(spec, facets=replace(spec.facets, identity="2"))
            if isinstance(spec.body, Hosted):
                newer = replace(newer, body=replace(spec.body, code="2"))
            after.append(in_place(newer, 1))
        elif now:
            after.append(in_place(spec, now))
    return _wired(before, whole), _wired(after, whole)


def _wired(specs: list[InstanceSpec], whole: Graph) -> Graph:
    there = {spec.address for spec in specs}
    return graph(specs, [one for one in whole.edges if one.dependent in there and one.provider in there])


def go_and_fail(before: Graph, after: Graph, seed: int, data: st.DataObject, decide=None) -> World | None:
    """Apply the one, then the other, in which somebody who is changed fails; None where nobody could."""
    world = World(Scripts(), seed, **({"decide": decide} if decide else {}))
    world.tell(proposed(before))
    world.run()
    steps = [step for step in planned(before, after, 1).plan.steps if step.action not in ("delete", "policy", "no-op")]
    if not steps or world.state.good is None:
        return None
    chosen = data.draw(st.sampled_from(steps))
    in_place = chosen.action in ("reconfigure", "rebind")
    world.scripts.outcomes[chosen.address, "reconfigure" if in_place else "startup"] = [
        "raise" if in_place else "fatal"
    ]
    world.tell(proposed(after, before, base=1, request=2, soak=1.0))
    world.wait(400.0)
    return world


def differences(world: World, before: Graph, after: Graph) -> list[str]:
    """Say what is not as it was."""
    found = judge.legal_moves(world) + judge.ends(world)
    roster = world.state.roster.instances
    if world.state.graph != before or set(roster) != set(before.instances):
        found.append("another plant runs")
    moved = {step.address for step in planned(before, after, 1).plan.steps}
    for address, spec in before.instances.items():
        instance = roster.get(address)
        if instance is None or instance.spec != spec:
            found.append(f"{address} is not what it was")
        elif instance.state is not ModuleState.RUNNING and not instance.completed:
            found.append(f"{address} is {instance.state}")
        elif address not in moved and instance.epoch != 1:
            found.append(f"{address} was touched")
    homes = {spec.body.host for spec in before.instances.values() if isinstance(spec.body, Hosted)}
    if set(world.hosts) != homes:
        found.append(f"hosts {set(world.hosts)} instead of {homes}")
    return found


@given(pairs(), seeds, st.data())
@settings(max_examples=100)
def test_there_and_back_is_having_stayed(pair, seed, data):
    before, after = pair
    world = go_and_fail(before, after, seed, data)
    assume(world is not None)
    assert world is not None
    assert world.outcomes[2].result is Result.ROLLED_BACK
    assert differences(world, before, after) == []


@given(pairs(), seeds)
def test_there_and_forth_touches_nobody_who_stays_what_he_is(pair, seed):
    before, after = pair
    world = World(Scripts(), seed)
    world.tell(proposed(before))
    world.run()
    world.tell(proposed(after, before, base=1, request=2, soak=1.0))
    world.wait(400.0)
    assert world.outcomes[2].result in (Result.COMMITTED, Result.UNCHANGED)
    steps = {step.address: step.action for step in planned(before, after, 1).plan.steps}
    for address, instance in world.state.roster.instances.items():
        assert instance.spec == after.instances[address]
        if address in before.instances and steps.get(address) in (None, "reconfigure", "rebind", "policy"):
            assert instance.epoch == 1
    moved = {h.subject for h in world.happenings[-1:] if isinstance(h.body, LifecycleEvent)}
    assert moved <= set(steps)


def test_a_way_back_that_restores_nothing_does_not_go_unnoticed():
    before = graph([in_place(spec, 1) for spec in _two().instances.values()], _two().edges)
    after = graph([in_place(spec, 2) for spec in _two().instances.values()], _two().edges)
    world = World(Scripts(), 0, decide=SABOTAGES["restores nothing"])
    world.tell(proposed(before))
    world.run()
    world.scripts.outcomes[gateway("b"), "reconfigure"] = ["raise"]
    world.tell(proposed(after, before, base=1, request=2))
    world.wait(400.0)
    assert differences(world, before, after)


def _two() -> Graph:
    return graph([module("a"), module("b", host="other")], [edge("b", "a")])
