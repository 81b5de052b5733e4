"""Laws of a transaction: it is watched before it is good, goes back when it fails, and ends once, for everybody who asked."""

from collections.abc import Callable

import pytest

from ignrun.planner.graph.model import Graph
from ignrun.protocol.orders import Check
from ignrun.runtime.apply.state import Phase, State
from ignrun.runtime.supervise.effects import GiveOrder, KeepOutcome, Outcome, Result
from ignrun.runtime.supervise.messages import Asked, CancelAsked, Probed, ShutdownAsked
from ignrun.terms.events import ApplyBegan, ApplyEnded, RollbackBegan, SoakBegan, SoakEnded
from ignrun.terms.fault import FaultKind
from ignrun.terms.leaves import Tree
from ignrun.terms.names import Address
from ignrun.terms.states import Condition, ModuleState
from tests.doubles.plants import IN_PLACE, command, edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World

A, B, C = (gateway(name) for name in "abc")


def of(level: int, *, code: str = "1", **fields) -> Graph:
    """Make a, which b needs, both of this level, and c, which never changes."""
    made = {"callbacks": IN_PLACE, "config": Tree({"level": level}), "code": code, **fields}
    specs = [module("a", **made), module("b", host="other", **made), module("c")]
    return graph(specs, [edge("b", "a")])


def running(plant: Graph | None = None, **fields) -> World:
    world = World(Scripts(**fields))
    world.scripts.checked = {A, B}
    world.tell(proposed(plant or of(1)))
    world.run()
    assert world.state.good is not None
    return world


def ask(world: World, after: Graph, *, request: int = 2, soak: float = 3.0, **fields) -> World:
    base = fields.pop("base", world.state.generation)
    world.tell(proposed(after, world.state.graph, base=base, request=request, soak=soak, **fields))
    return world.run()


def phase(world: World) -> Phase | None:
    return world.state.transaction.phase if world.state.transaction else None


def outcome(world: World, request: int = 2) -> Outcome:
    return world.outcomes[request]


def bodies(world: World, *kinds: type) -> list[object]:
    return [h.body for h in world.happenings if isinstance(h.body, kinds)]


@pytest.fixture
def world() -> World:
    return running()


# --- soaking -----------------------------------------------------------------------------------------------------------


def test_an_apply_is_watched_for_its_soak_before_it_is_good(world):
    ask(world, of(2))
    assert phase(world) is Phase.SOAKING and 2 not in world.outcomes
    world.wait(2.9)
    assert phase(world) is Phase.SOAKING
    assert world.state.good is not None and world.state.good.generation == 1
    world.wait(0.2)
    assert outcome(world).result is Result.COMMITTED
    assert world.state.good.generation == 2
    assert bodies(world, SoakBegan, SoakEnded) == [SoakBegan(2, 3.0), SoakEnded(2)]


def test_while_it_is_watched_it_is_asked_every_second_and_afterwards_as_usual(world):
    ask(world, of(2)).wait(4.0)
    checks = [e.order for e in world.effects if isinstance(e, GiveOrder) and isinstance(e.order, Check)]
    asked = [(item.address, order.interval) for order in checks for item in order.items]
    for address in (A, B):  # at once after the change, watched, and as usual again
        assert [interval for one, interval in asked if one == address] == [0.0, 1.0, 0.0]


def test_without_two_good_answers_in_a_row_it_is_not_good_yet(world):
    world.scripts.outcomes[B, "health"] = ["degraded", "..."]
    ask(world, of(2)).wait(100.0)
    assert phase(world) is Phase.SOAKING
    world.wait(300.0)
    assert outcome(world).result is Result.ROLLED_BACK
    assert outcome(world).faults[B].kind is FaultKind.UNHEALTHY


def test_a_command_has_to_prove_itself_too():
    def plant(code: str) -> Graph:
        return graph([command("web", check=True, code=code), module("a")])

    web, world = gateway("web"), World()
    ask(world, plant("1"), request=1, soak=0.0)
    answer(world, web)
    ask(world, plant("2"))
    assert phase(world) is Phase.APPLYING  # nothing but the check can say that it is well
    world.scripts.outcomes[web, "health"] = ["no", "no"]
    answer(world, web)
    assert phase(world) is Phase.SOAKING
    world.wait(10.0)
    assert phase(world) is Phase.SOAKING
    answer(world, web)
    answer(world, web)
    assert outcome(world).result is Result.COMMITTED


def answer(world: World, address: Address) -> None:
    """Let a command answer a check well."""
    world.engines.send(f"command {address}", Probed(address, world.state.roster.instances[address].epoch, healthy=True))
    world.run()


def test_a_change_of_words_or_policy_is_not_watched(world):
    after = graph(
        [
            module("a", labels={"x": "1"}, callbacks=IN_PLACE, config=Tree({"level": 1})),
            *list(of(1).instances.values())[1:],
        ],
        [edge("b", "a")],
    )
    ask(world, after)
    assert outcome(world).result is Result.COMMITTED
    assert not bodies(world, SoakBegan)


@pytest.mark.parametrize("how", ["raise", "exit"])
def test_a_crash_while_it_is_watched_goes_back_at_once(world, how):
    ask(world, of(2, code="2")).wait(1.0)
    world.scripts.outcomes[B, "run"] = [how]
    world.wait(0.5)
    assert outcome(world).result is Result.ROLLED_BACK
    assert {a: i.spec.facets.identity for a, i in world.state.roster.instances.items()} == {A: "1", B: "1", C: "1"}
    assert world.states() == {"a": "running", "b": "running", "c": "running"}


def test_who_is_not_touched_and_fails_meanwhile_speaks_against_it(world):
    ask(world, of(2)).wait(1.0)
    world.scripts.outcomes[C, "run"] = ["raise"]
    world.wait(0.5)
    assert outcome(world).result is Result.ROLLED_BACK
    assert C in outcome(world).faults


def test_who_was_broken_before_and_is_not_touched_has_no_say():
    world = running()
    world.scripts.outcomes[C, "run"] = ["raise"]
    world.scripts.outcomes[C, "startup"] = ["fatal"]
    world.wait(1.0)
    assert world.states()["c"] == "error"
    ask(world, of(2)).wait(4.0)
    assert outcome(world).result is Result.COMMITTED
    assert world.states()["c"] == "error"


# --- what a failure leads to -------------------------------------------------------------------------------------------


def failing(world: World, **fields) -> World:
    """Let b fail when it comes up with its second version."""
    world.scripts.outcomes[B, "startup"] = ["fatal"]
    return ask(world, of(2, code="2"), **fields).wait(20.0)


def test_the_first_apply_has_nothing_to_go_back_to_and_is_held():
    world = World(Scripts({(B, "startup"): ["fatal"]}))
    ask(world, of(1), base=0)
    assert outcome(world).result is Result.HELD and world.state.good is None


def test_after_a_held_first_apply_a_failure_is_held_again():
    world = World(Scripts({(B, "startup"): ["fatal", "..."]}))
    ask(world, of(1), base=0)
    ask(world, of(2, code="2"), request=3)
    assert outcome(world, 3).result is Result.HELD


def test_hold_leaves_what_was_done(world):
    failing(world, on_failure="hold")
    assert outcome(world).result is Result.HELD
    assert world.state.generation == 2 and world.state.good.generation == 1
    assert world.state.roster.instances[A].spec.facets.identity == "2"


def test_after_a_held_apply_a_failure_goes_back_to_what_was_good(world):
    failing(world, on_failure="hold")
    world.scripts.outcomes[B, "startup"] = ["fatal"]
    ask(world, of(3, code="3"), request=3).wait(20.0)
    assert outcome(world, 3).result is Result.ROLLED_BACK
    assert {i.spec.facets.identity for i in world.state.roster.instances.values()} == {"1"}
    assert world.state.generation == 1 and world.states()["b"] == "running"


def test_exit_takes_the_plant_down_with_code_one(world):
    failing(world, on_failure="exit")
    assert outcome(world).result is Result.HELD
    assert world.code == 1


def test_exit_takes_the_plant_down_also_when_the_journal_cannot_keep_that(world):
    world.journal_refuses = {"outcome"}
    failing(world, on_failure="exit")
    assert outcome(world).result is Result.UNKEPT
    assert world.code == 1


def test_what_has_proven_itself_is_gone_back_to_also_when_the_journal_could_not_keep_that_so_far(world):
    world.journal_refuses = {"outcome"}
    ask(world, of(2, code="2")).wait(20.0)
    assert outcome(world).result is Result.UNKEPT
    world.journal_refuses = set()
    world.scripts.outcomes[B, "startup"] = ["fatal"]
    ask(world, of(3, code="3"), request=3).wait(20.0)
    assert outcome(world, 3).result is Result.ROLLED_BACK
    assert [world.state.roster.instances[address].spec.facets.identity for address in (A, B)] == ["2", "2"]


def test_nothing_goes_back_behind_an_irreversible_step(world):
    world.scripts.outcomes[B, "startup"] = ["fatal"]
    ask(world, of(2, code="2", irreversible=True)).wait(20.0)
    assert outcome(world).result is Result.HELD
    assert outcome(world).summary.startswith("not rolled back, for the step of a@gateway, b@gateway is irreversible")


def test_what_cannot_be_restored_is_named_and_ends_in_error(world):
    world.scripts.outcomes[B, "startup"] = ["fatal"]
    world.scripts.outcomes[A, "startup"] = ["ok", "fatal"]
    ask(world, of(2, code="2")).wait(20.0)
    result = outcome(world)
    assert result.result is Result.ROLLBACK_PARTIAL
    assert A in result.faults and "a@gateway" in result.summary
    assert world.states()["a"] == "error" and world.states()["c"] == "running"


def test_going_back_does_not_wait_for_health():
    world = running(graph(of(1).instances.values()))
    world.scripts.outcomes[B, "startup"] = ["fatal"]
    world.scripts.outcomes[A, "health"] = ["no", "..."]
    ask(world, graph(of(2, code="2").instances.values())).wait(1.0)
    assert outcome(world).result is Result.ROLLED_BACK


def test_what_has_completed_is_not_done_again_because_something_is_undone():
    def plant(code: str) -> Graph:
        specs = [command("schema", oneshot=True), module("a", code=code)]
        return graph(specs, [edge("a", "schema", condition=Condition.COMPLETED)])

    world = running(plant("1"))
    world.scripts.outcomes[A, "startup"] = ["fatal"]
    ask(world, plant("2")).wait(10.0)
    assert outcome(world).result is Result.ROLLED_BACK
    assert world.state.roster.instances[gateway("schema")].epoch == 1


def test_a_oneshot_that_was_run_anew_is_complete_after_the_way_back():
    def plant(code: str) -> Graph:
        specs = [command("schema", oneshot=True, code=code), module("a", code=code)]
        return graph(specs, [edge("a", "schema", condition=Condition.COMPLETED)])

    world = running(plant("1"))
    world.scripts.outcomes[A, "startup"] = ["fatal"]
    ask(world, plant("2")).wait(10.0)
    assert outcome(world).result is Result.ROLLED_BACK
    schema = world.state.roster.instances[gateway("schema")]
    assert (schema.epoch, schema.completed, schema.spec.facets.identity) == (2, True, "1")
    assert world.states()["a"] == "running"


def test_an_operator_s_stop_outlives_the_way_back(world):
    ask(world, of(2, code="2")).wait(1.0)
    world.tell(Asked("stop", A, "me", 9))
    world.run()
    world.scripts.outcomes[C, "run"] = ["raise"]
    world.wait(10.0)
    assert outcome(world).result in (Result.ROLLED_BACK, Result.ROLLBACK_PARTIAL)
    assert world.states()["a"] == "stopped" and world.state.roster.instances[A].held_by == "me"


def test_deleted_modules_come_back(world):
    world.scripts.outcomes[C, "startup"] = ["fatal"]
    ask(world, graph([module("c", code="2")])).wait(10.0)
    assert outcome(world).result is Result.ROLLED_BACK
    assert world.states() == {"a": "running", "b": "running", "c": "running"}


def test_created_modules_go_again_and_their_hosts_with_them(world):
    world.scripts.outcomes[gateway("d"), "startup"] = ["fatal"]
    hosts = set(world.hosts)
    after = graph([*of(1).instances.values(), module("d", host="gateway+1")], [edge("b", "a")])
    ask(world, after).wait(10.0)
    assert outcome(world).result is Result.ROLLED_BACK
    assert set(world.hosts) == hosts and set(world.state.roster.instances) == {A, B, C}


def test_replaced_modules_come_back_where_they_were(world):
    after = graph([module("a", host="gateway+1", code="2"), *list(of(1).instances.values())[1:]], [edge("b", "a")])
    world.scripts.outcomes[A, "startup"] = ["fatal"]
    ask(world, after).wait(10.0)
    assert outcome(world).result is Result.ROLLED_BACK
    assert set(world.hosts) == {"gateway", "other"}
    assert world.state.roster.instances[C].epoch == world.state.roster.instances[B].epoch == 1


def test_there_is_no_swinging_to_and_fro(world):
    failing(world)
    mark = len(world.happenings)
    world.wait(3600.0)
    later = world.happenings[mark:]
    assert not [h for h in later if isinstance(h.body, ApplyBegan | RollbackBegan)]
    assert world.states() == {"a": "running", "b": "running", "c": "running"}


# --- remembered, joined, superseded --------------------------------------------------------------------------------------


def test_what_was_rolled_back_is_not_tried_again_until_somebody_wants_it(world):
    failing(world)
    mark = len(world.effects)
    ask(world, of(2, code="2"), request=3)
    assert outcome(world, 3).result is Result.ROLLED_BACK and B in outcome(world, 3).faults
    assert len(world.effects) == mark + 1
    ask(world, of(2, code="2"), request=4, retry=True).wait(10.0)
    assert outcome(world, 4).result is Result.COMMITTED


def test_what_was_rejected_is_remembered_too_and_forgotten_with_the_next_commit(world):
    world.scripts.outcomes[A, "prepare"] = ["raise"]
    ask(world, of(2))
    assert outcome(world).result is Result.REJECTED
    ask(world, of(2), request=3)
    assert outcome(world, 3).result is Result.REJECTED
    ask(world, of(3), request=4, soak=0.0)
    ask(world, of(2), request=5, soak=0.0)
    assert outcome(world, 5).result is Result.COMMITTED


def test_who_asks_for_what_is_under_way_gets_its_outcome(world):
    ask(world, of(2))
    ask(world, of(2), request=3)
    world.wait(10.0)
    assert outcome(world) == outcome(world, 3)
    assert outcome(world).result is Result.COMMITTED and len(bodies(world, ApplyBegan)) == 2


def test_a_later_edit_takes_over_while_the_first_is_watched(world):
    ask(world, of(2))
    ask(world, of(3), request=3)
    assert [h.body.result for h in world.happenings if isinstance(h.body, ApplyEnded)][1:] == ["superseded"]
    world.wait(10.0)
    assert outcome(world) == outcome(world, 3)
    assert outcome(world).result is Result.COMMITTED and outcome(world).generation == 3
    kept = [e.outcome.result for e in world.effects if isinstance(e, KeepOutcome)]
    assert kept == [Result.COMMITTED, Result.SUPERSEDED, Result.COMMITTED]


def test_the_way_back_of_a_later_edit_leads_to_what_is_good(world):
    ask(world, of(2))
    world.scripts.outcomes[B, "reconfigure"] = ["raise"]
    ask(world, of(3), request=3).wait(10.0)
    assert outcome(world, 3).result is Result.ROLLED_BACK
    assert world.state.generation == 1
    assert {i.spec.config.plain.get("level", 1) for i in world.state.roster.instances.values()} == {1}
    assert world.state.roster.instances[A].epoch == 1


def test_a_later_edit_that_is_rejected_leaves_the_first_to_its_soak(world):
    ask(world, of(2))
    world.scripts.outcomes[A, "prepare"] = ["raise"]
    ask(world, of(3), request=3)
    assert outcome(world, 3).result is Result.REJECTED
    assert phase(world) is Phase.SOAKING and 2 not in world.outcomes
    world.wait(10.0)
    assert outcome(world).result is Result.COMMITTED and outcome(world).generation == 2


def test_a_later_edit_gives_way_when_the_first_fails_before_it_could_begin(world):
    ask(world, of(2))
    world.scripts.outcomes[A, "prepare"] = ["mute"]
    ask(world, of(3), request=3)
    world.scripts.outcomes[B, "run"] = ["raise"]
    world.wait(5.0)
    assert outcome(world, 3).result is Result.REFUSED
    assert outcome(world).result is Result.ROLLED_BACK
    assert world.states() == {"a": "running", "b": "running", "c": "running"}


# --- taken back ----------------------------------------------------------------------------------------------------------


def test_a_cancelled_apply_goes_back(world):
    ask(world, of(2))
    world.tell(CancelAsked("me"))
    world.wait(5.0)
    assert outcome(world).result is Result.ROLLED_BACK
    assert "cancelled by me" in outcome(world).summary


def test_what_was_cancelled_is_tried_again_when_it_is_asked_for_again(world):
    ask(world, of(2))
    world.tell(CancelAsked("me"))
    world.wait(5.0)
    assert outcome(world).result is Result.ROLLED_BACK
    ask(world, of(2), request=3).wait(5.0)
    assert outcome(world, 3).result is Result.COMMITTED


def test_cancelled_before_anything_was_touched_nothing_was_touched(world):
    world.scripts.outcomes[A, "prepare"] = ["mute"]
    ask(world, of(2))
    world.tell(CancelAsked("me"))
    assert outcome(world).result is Result.REFUSED
    assert outcome(world).summary == "nothing was touched; cancelled by me"


def test_cancelled_twice_the_way_back_is_not_waited_for(world):
    ask(world, of(2, code="2")).wait(1.0)
    world.scripts.outcomes[A, "shutdown"] = ["hang"]
    world.hosts["gateway"].hangs = True
    world.tell(CancelAsked("me"))
    world.run()
    assert phase(world) is Phase.ROLLING_BACK
    world.tell(CancelAsked("me"))
    world.run()
    assert outcome(world).result is Result.ROLLBACK_PARTIAL
    assert outcome(world).faults[A].summary == "not waited for: cancelled by me"


def test_cancelling_nothing_does_nothing(world):
    before = world.state
    world.tell(CancelAsked("me"))
    assert world.state == before


@pytest.mark.parametrize("after", [lambda w: ask(w, of(2)), failing])
def test_a_shutdown_ends_whatever_is_under_way_and_answers(world, after: Callable[[World], World]):
    after(world)
    world.tell(ShutdownAsked("me", 0))
    world.run()
    assert world.code == 0 and 2 in world.outcomes


# --- boot ----------------------------------------------------------------------------------------------------------------


def test_a_boot_with_other_files_goes_back_to_what_was_good(world):
    fresh = World(Scripts({(B, "startup"): ["fatal"]}))
    fresh.state = State(good=world.state.good, last_generation=1, last_transaction=1)
    fresh.tell(proposed(of(2, code="2"), request=1, trigger="boot"))
    fresh.wait(10.0)
    assert fresh.outcomes[1].result is Result.ROLLED_BACK
    assert fresh.state.generation == 1
    assert {i.spec.facets.identity for i in fresh.state.roster.instances.values()} == {"1"}
    assert all(i.state is ModuleState.RUNNING for i in fresh.state.roster.instances.values())


@pytest.mark.parametrize("seed", range(20))
def test_what_was_to_be_loaded_when_the_way_back_began_is_not_loaded(seed):
    world = World(Scripts({(B, "startup"): ["fatal"]}), seed)
    ask(world, graph([module("a")]), request=1, base=0, soak=0.0)
    after = graph([module("b"), module("a", code="2"), module("c")], [edge("a", "b")])
    ask(world, after).wait(100.0)
    assert outcome(world).result is Result.ROLLED_BACK
    assert world.state.roster.instances[A].spec.facets.identity == "1"
