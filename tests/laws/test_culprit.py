"""Laws of blame: who brings a shared host down comes back alone, and only he and the host are counted for it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ignrun.protocol.reports import Move, Moves, Stalled
from ignrun.runtime.supervise.culprit import MOST_SPREAD
from ignrun.runtime.supervise.effects import Result
from ignrun.runtime.supervise.messages import Asked, HostSaid
from ignrun.terms.events import PlacedAlone
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import HostId
from ignrun.terms.states import ModuleState
from tests.doubles.plants import edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World
from tests.laws import judge
from tests.laws.plants_drawn import seeds, sketches

BAD, MATE, WEB = gateway("bad"), gateway("mate"), gateway("web")
PLANT = graph([module("bad"), module("mate"), module("web")], [edge("web", "mate")])


def applied(outcomes=None, plant=PLANT) -> World:
    world = World(Scripts(outcomes or {}))
    world.tell(proposed(plant))
    return world.run()


def homes(world: World) -> dict[str, str]:
    return {a.split("@")[0]: i.spec.body.host for a, i in world.state.roster.instances.items()}  # type: ignore[union-attr]


def fall(world: World, address: str) -> World:
    """Let an instance end the process that it runs in."""
    world.scripts.outcomes[address, "run"] = ["exit"]
    return world.run()


def test_the_culprit_comes_back_alone_and_his_neighbours_share_a_host_without_him():
    world = fall(applied(), BAD).wait(5.0)
    assert homes(world) == {"bad": BAD, "mate": "gateway", "web": "gateway"}
    assert world.states() == {"bad": "running", "mate": "running", "web": "running"}
    assert set(world.hosts) == {"gateway", BAD}
    moved = [(h.subject, h.body.host) for h in world.happenings if isinstance(h.body, PlacedAlone)]
    assert moved == [(BAD, "gateway")]
    assert judge.all_of(world, PLANT) == []


def test_only_the_culprit_and_the_host_are_counted():
    world = fall(applied(), BAD).wait(5.0)
    roster = world.state.roster
    assert roster.instances[BAD].backoff.attempt == 1
    assert roster.hosts[HostId("gateway")].backoff.attempt == 1
    assert {roster.instances[a].backoff.attempt for a in (MATE, WEB)} == {0}
    assert roster.alone == {BAD: "host gateway ended: signal 9 (SIGKILL)"}


def test_falling_again_he_takes_nobody_with_him():
    world = fall(applied(), BAD).wait(5.0)
    epochs = {a: world.state.roster.instances[a].epoch for a in (MATE, WEB)}
    fall(world, BAD).wait(5.0)
    assert {a: world.state.roster.instances[a].epoch for a in (MATE, WEB)} == epochs
    assert homes(world)["bad"] == BAD


def test_when_nobody_is_known_to_have_done_it_all_come_back_together():
    world = applied()
    world.kill_host("gateway")
    world.wait(5.0)
    assert set(homes(world).values()) == {"gateway"}
    assert world.state.roster.alone == {}


def test_when_it_happens_again_and_nobody_is_known_each_comes_back_alone():
    world = applied()
    for _ in range(2):
        world.kill_host("gateway")
        world.wait(5.0)
    assert homes(world) == {"bad": BAD, "mate": MATE, "web": WEB}
    assert world.states() == {"bad": "running", "mate": "running", "web": "running"}
    assert set(world.hosts) == {BAD, MATE, WEB}
    assert "nobody knows because of whom" in world.state.roster.alone[BAD]
    epochs = {a: world.state.roster.instances[a].epoch for a in (MATE, WEB)}
    world.kill_host(BAD)
    world.wait(5.0)
    assert {a: world.state.roster.instances[a].epoch for a in (MATE, WEB)} == epochs
    assert judge.all_of(world, PLANT) == []


def test_two_ends_that_lie_far_apart_spread_nobody():
    world = applied()
    for _ in range(3):
        world.kill_host("gateway")
        world.wait(120.0)
    assert set(homes(world).values()) == {"gateway"}


def test_an_end_that_is_explained_begins_the_count_anew():
    world = applied()
    world.kill_host("gateway")
    fall(world.wait(3.0), BAD).wait(3.0)
    world.kill_host("gateway")
    world.wait(5.0)
    assert homes(world) == {"bad": BAD, "mate": "gateway", "web": "gateway"}


def test_a_host_that_many_share_is_not_spread():
    many = graph([module(f"m{number}") for number in range(MOST_SPREAD + 1)])
    world = applied(plant=many)
    for _ in range(3):
        world.kill_host("gateway")
        world.wait(5.0)
    assert set(homes(world).values()) == {"gateway"}
    assert set(world.states().values()) == {"running"}


def test_while_exactly_one_is_under_way_and_the_rest_runs_it_was_he():
    world = World(Scripts({(BAD, "initialize"): ["exit"]}))
    rest = graph([module("mate"), module("web")], [edge("web", "mate")])
    world.tell(proposed(rest))
    world.run()
    for_all = world.hosts["gateway"]
    for_all.tells = False
    world.tell(proposed(PLANT, rest, base=1, request=2, on_failure="hold"))
    world.run()
    world.wait(10.0)
    assert homes(world) == {"bad": BAD, "mate": "gateway", "web": "gateway"}


def test_in_an_apply_the_bystanders_are_not_among_the_failed():
    world = applied({(BAD, "startup"): ["exit", "..."]})
    outcome = world.outcomes[1]
    assert outcome.result is Result.HELD
    assert set(outcome.faults) == {BAD}
    assert world.states()["mate"] == world.states()["web"] == "running"


def test_who_blocks_the_loop_past_its_deadline_comes_back_alone():
    world = applied({(BAD, "shutdown"): ["hang"]})
    after = graph([module("bad"), module("mate", code="2"), module("web")], PLANT.edges)
    world.hosts["gateway"].hangs = True
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    world.tell(HostSaid(HostId("gateway"), 1, Stalled(BAD, "Bad.run at bad.py:4", 1.0)))
    world.wait(120.0)
    assert homes(world) == {"bad": BAD, "mate": "gateway", "web": "gateway"}
    assert world.states() == {"bad": "running", "mate": "running", "web": "running"}
    assert judge.legal_moves(world) == []


def test_an_apply_that_changes_the_culprit_gives_him_another_chance_among_the_others_and_no_other_apply_does():
    world = fall(applied(), BAD).wait(5.0)
    other = graph([module("bad"), module("mate"), module("web", code="2")], PLANT.edges)
    world.tell(proposed(other, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert homes(world)["bad"] == BAD
    mended = graph([module("bad", code="2"), module("mate"), module("web", code="2")], PLANT.edges)
    world.tell(proposed(mended, other, base=2, request=3))
    world.run()
    assert world.outcomes[3].result is Result.COMMITTED
    assert set(homes(world).values()) == {"gateway"}
    assert set(world.hosts) == {"gateway"}
    assert world.state.roster.alone == {}


@given(st.data(), sketches(), seeds)
def test_whoever_falls_everybody_comes_back_and_no_law_is_broken(data, sketch, seed):
    plant = sketch.graph()
    world = World(seed=seed)
    world.tell(proposed(plant))
    world.run()
    for _ in range(data.draw(st.integers(1, 3))):
        world.scripts.outcomes[data.draw(st.sampled_from(sorted(plant.instances))), "run"] = ["exit"]
        world.run()
        world.wait(data.draw(st.sampled_from((0.0, 5.0))))
    world.wait()
    assert judge.all_of(world, plant) == []
    assert all(i.state is ModuleState.RUNNING or i.completed for i in world.state.roster.instances.values())


def test_a_host_of_ones_own_in_which_memory_ran_out_is_not_used_again():
    world = World()
    world.tell(proposed(graph([module("big", host="big@gateway")])))
    world.run()
    big = gateway("big")
    record = next(iter(world.state.roster.hosts.values()))
    fault = Fault(FaultKind.RAISED, "MemoryError: no more", callback="run")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    moved = Move(big, 1, ModuleState.RUNNING, ModuleState.ERROR, "raised", at, 1.0, fault)
    world.tell(HostSaid(record.host, record.epoch, Moves((moved,))))
    world.wait(30.0)
    world.run()
    after = world.state.roster.hosts[record.host]
    assert after.epoch == record.epoch + 1
    assert world.state.roster.instances[big].state is ModuleState.RUNNING


def clings(world: World, name: str) -> World:
    """Let the host say that a callback of an instance goes on although its time is over."""
    instance = world.state.roster.instances[gateway(name)]
    record = world.state.roster.hosts[instance.spec.body.host]  # type: ignore[union-attr]
    fault = Fault(FaultKind.OVERDUE, "`shutdown` goes on all the same", callback="shutdown")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    moved = Move(gateway(name), instance.epoch, instance.state, ModuleState.ERROR, "failed", at, 1.0, fault)
    world.hosts[record.host].live.pop(gateway(name))
    world.tell(HostSaid(record.host, record.epoch, Moves((moved,))))
    return world.wait(30.0).run()


def test_a_host_of_ones_own_goes_with_the_callback_that_clings_in_it():
    world = clings(applied(plant=graph([module("big", host="big@gateway"), module("mate")])), "big")
    assert {host: record.epoch for host, record in world.state.roster.hosts.items()} == {"big@gateway": 2, "gateway": 1}
    assert world.states() == {"big": "running", "mate": "running"}


def test_who_leaves_a_callback_behind_in_a_shared_host_comes_back_alone_and_nobody_else_is_touched():
    world = clings(applied(), "bad")
    assert homes(world) == {"bad": BAD, "mate": "gateway", "web": "gateway"}
    assert world.state.roster.hosts[HostId("gateway")].epoch == 1
    assert world.states() == {"bad": "running", "mate": "running", "web": "running"}
    assert judge.all_of(world, PLANT) == []


def test_a_host_in_which_everybody_is_kept_stopped_is_ended_and_made_anew_for_the_first_who_starts():
    world = applied(plant=graph([module("big", host="big@gateway"), module("mate")]))
    world.tell(Asked("stop", gateway("big"), "anna", 5))
    world.wait(30.0).run()
    assert set(world.state.roster.hosts) == {"gateway"}
    world.tell(Asked("start", gateway("big"), "anna", 6))
    world.wait(30.0).run()
    assert world.states() == {"big": "running", "mate": "running"}
