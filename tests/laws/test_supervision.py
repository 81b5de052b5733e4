"""Laws of start, stop, failure and restart, held in scripted worlds where everything happens in any order."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ignrun.runtime.apply.decide import decide
from ignrun.runtime.supervise import dispatch, order
from ignrun.runtime.supervise.effects import Result
from ignrun.runtime.supervise.messages import ShutdownAsked
from ignrun.runtime.supervise.roster import Goal
from ignrun.terms.events import LifecycleEvent, StepBegan, StepEnded
from ignrun.terms.states import ModuleState
from tests.doubles.plants import at, edge, graph, module, planned, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World
from tests.laws import judge
from tests.laws.plants_drawn import outcomes, seeds, sketches

DOWN = ShutdownAsked("operator", 0)


@given(sketches(), seeds)
def test_a_sound_plant_is_committed_with_everybody_where_he_should_be(sketch, seed):
    plant = sketch.graph()
    world = World(seed=seed)
    world.tell(proposed(plant))
    world.run()
    assert world.outcomes[1].result is Result.COMMITTED
    assert judge.all_of(world, plant) == []
    assert all(i.state is ModuleState.RUNNING or i.completed for i in world.state.roster.instances.values())


@given(sketches(), seeds)
def test_a_sound_plant_goes_down_in_reverse_order_and_the_runner_ends(sketch, seed):
    plant = sketch.graph()
    world = World(seed=seed)
    world.tell(proposed(plant))
    world.run()
    world.tell(ShutdownAsked("operator", 7))
    world.run()
    assert world.code == 7
    assert judge.all_of(world, plant) == []


@given(st.data(), sketches(), seeds)
def test_whatever_fails_everybody_ends_in_his_goal_or_in_error_with_a_fault(data, sketch, seed):
    plant = sketch.graph()
    world = World(Scripts(data.draw(outcomes(sketch))), seed)
    world.tell(proposed(plant))
    world.run()
    world.wait(400.0)
    assert 1 in world.outcomes
    world.wait()
    assert judge.all_of(world, plant) == []


@given(st.data(), sketches(), seeds)
def test_without_restarts_every_failure_is_named_once_and_the_rest_is_skipped(data, sketch, seed):
    plant = sketch.never().graph()
    world = World(Scripts(data.draw(outcomes(sketch))), seed)
    world.tell(proposed(plant))
    world.run()
    outcome = world.outcomes[1]
    roots = {a for a, f in outcome.faults.items() if f.kind.value != "upstream"}
    skipped = {f.upstream for f in outcome.faults.values() if f.kind.value == "upstream"}
    assert skipped <= roots | {a for a, i in world.state.roster.instances.items() if i.fault}
    assert (outcome.result is Result.HELD) == bool(outcome.faults)


@given(st.data(), sketches(), seeds, st.integers(0, 60))
def test_asked_to_go_down_at_any_moment_the_runner_ends_and_nothing_is_left(data, sketch, seed, moment):
    plant = sketch.graph()
    world = World(Scripts(data.draw(outcomes(sketch))), seed)
    world.tell(proposed(plant))
    for _ in range(moment):
        world.happen()
    world.tell(DOWN)
    world.wait()
    assert world.code == 0
    assert 1 in world.outcomes
    assert judge.legal_moves(world) == []


@given(st.data(), sketches(), seeds, st.integers(0, 60))
def test_asked_twice_it_goes_down_without_waiting_for_anybody(data, sketch, seed, moment):
    plant = sketch.graph()
    world = World(Scripts(data.draw(outcomes(sketch))), seed)
    world.tell(proposed(plant))
    for _ in range(moment):
        world.happen()
    world.tell(DOWN, DOWN)
    world.run()
    assert world.code == 0
    assert judge.legal_moves(world) == []


@given(st.data(), sketches(), seeds)
def test_after_the_death_of_a_host_everybody_in_it_comes_back(data, sketch, seed):
    plant = sketch.graph()
    world = World(seed=seed)
    world.tell(proposed(plant))
    world.run()
    before = {a: i.epoch for a, i in world.state.roster.instances.items()}
    for _ in range(data.draw(st.integers(1, 3))):
        if world.hosts:
            world.kill_host(data.draw(st.sampled_from(sorted(world.hosts))))
            for _ in range(data.draw(st.integers(0, 10))):
                world.happen()
    world.wait()
    assert judge.all_of(world, plant) == []
    for address, instance in world.state.roster.instances.items():
        assert instance.state is ModuleState.RUNNING or instance.completed
        assert instance.epoch >= before[address]


@given(st.data(), sketches(), seeds)
def test_going_from_any_plant_to_any_other_ends_in_the_other_one(data, sketch, seed):
    before = sketch.graph()
    after = data.draw(sketches(code=data.draw(st.sampled_from("12")))).graph()
    world = World(seed=seed)
    world.tell(proposed(before))
    world.run()
    pids = {a: i.epoch for a, i in world.state.roster.instances.items()}
    proposal = planned(before, after, base=1)
    world.tell(proposed(after, before, base=1, request=2))
    world.run()
    wanted = Result.UNCHANGED if proposal.plan.is_empty else Result.COMMITTED
    assert world.outcomes[2].result is wanted
    assert judge.legal_moves(world) == judge.ends(world) == []
    assert set(world.state.roster.instances) == set(after.instances)
    moved = {step.address for step in proposal.plan.steps}
    untouched = [a for a in after.instances if a in before.instances and a not in moved]
    assert all(world.state.roster.instances[a].epoch == pids[a] for a in untouched)
    assert set(world.hosts) == {s.body.host for s in after.instances.values() if hasattr(s.body, "host")}


@given(sketches(), seeds)
def test_every_step_that_begins_ends(sketch, seed):
    plant = sketch.graph()
    world = World(seed=seed)
    world.tell(proposed(plant))
    world.run()
    began = {h.subject for h in world.happenings if isinstance(h.body, StepBegan)}
    ended = {h.subject for h in world.happenings if isinstance(h.body, StepEnded)}
    assert began == ended == set(plant.instances)


@given(st.data(), sketches(), seeds)
def test_hearing_nothing_changes_nothing_and_asks_for_nothing(data, sketch, seed):
    plant = sketch.graph()
    world = World(Scripts(data.draw(outcomes(sketch))), seed)
    world.tell(proposed(plant))
    for _ in range(data.draw(st.integers(0, 60))):
        world.happen()
    state, effects = decide(world.state, (), at(world.mono))
    assert effects == ()
    assert state == world.state


@given(st.data(), sketches(), seeds)
def test_a_decision_writes_into_nothing_that_it_was_given(data, sketch, seed):
    plant = sketch.graph()

    def careful(state, inbox, now):
        before = msgspec.msgpack.encode((state.roster, state.transaction, inbox))
        result = decide(state, inbox, now)
        assert msgspec.msgpack.encode((state.roster, state.transaction, inbox)) == before
        return result

    world = World(Scripts(data.draw(outcomes(sketch))), seed, decide=careful)
    world.tell(proposed(plant))
    world.run()
    if world.hosts:
        world.kill_host(min(world.hosts))
    world.wait(100.0)


@given(st.data(), sketches(), seeds)
def test_the_same_messages_lead_to_the_same_decisions(data, sketch, seed):
    plant = sketch.graph()
    drawn = data.draw(outcomes(sketch))
    worlds = [World(Scripts(drawn), seed) for _ in range(2)]
    for world in worlds:
        world.tell(proposed(plant))
        world.wait()
    assert worlds[0].effects == worlds[1].effects


def test_a_broken_order_does_not_go_unnoticed(monkeypatch):
    plant = graph([module("tags"), module("web", host="other")], [edge("web", "tags")])
    sound, broken = [], []
    for seed in range(30):
        world = World(seed=seed)
        world.tell(proposed(plant))
        sound += judge.start_order(world.run(), plant)
    monkeypatch.setattr(order, "_is_cleared", lambda draft, instance: True)
    for seed in range(30):
        world = World(seed=seed)
        world.tell(proposed(plant))
        broken += judge.start_order(world.run(), plant)
    assert sound == []
    assert "web@gateway started before tags@gateway" in broken


def test_a_broken_stop_order_does_not_go_unnoticed(monkeypatch):
    for room in (order, dispatch):
        monkeypatch.setattr(room, "is_held_up", lambda draft, instance: False)
    plant = graph([module("tags"), module("web", host="other")], [edge("web", "tags")])
    broken = []
    for seed in range(30):
        world = World(seed=seed)
        world.tell(proposed(plant))
        world.run()
        world.tell(DOWN)
        broken += judge.stop_order(world.run(), plant)
    assert "tags@gateway stopped before its dependent web@gateway" in broken


def test_all_states_but_maintenance_are_entered():
    seen = set()
    for seed in range(5):
        plant = graph([module("tags"), module("web", host="other")], [edge("web", "tags")])
        world = World(Scripts({("web@gateway", "startup"): ["raise"]}), seed)
        world.tell(proposed(plant))
        seen |= {i.state for i in world.state.roster.instances.values()}
        world.wait()
        world.tell(DOWN)
        world.run()
        for happening in world.happenings:
            if isinstance(happening.body, LifecycleEvent):
                seen |= {happening.body.old, happening.body.new}
        assert all(i.goal is Goal.DOWN for i in world.state.roster.instances.values())
    assert seen == set(ModuleState) - {ModuleState.MAINTENANCE}
