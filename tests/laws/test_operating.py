"""Laws of operating: an operator's stop is kept, maintenance takes an instance out of everybody's hands, and both end."""

from hypothesis import given
from hypothesis import strategies as st

from ignrun.protocol.reports import HealthReport
from ignrun.runtime.supervise.effects import Result
from ignrun.runtime.supervise.messages import Asked, HostSaid, ShutdownAsked
from ignrun.runtime.supervise.roster import Goal
from ignrun.terms.names import HostId
from ignrun.terms.states import Health, ModuleState
from tests.doubles.plants import command, edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World
from tests.laws import judge
from tests.laws.plants_drawn import outcomes, seeds, sketches

TAGS, WEB, PUMP = gateway("tags"), gateway("web"), gateway("pump")
PLANT = graph([module("tags"), module("web", host="other"), command("pump")], [edge("web", "tags")])


def applied(outcomes=None) -> World:
    world = World(Scripts(outcomes or {}))
    world.tell(proposed(PLANT))
    return world.run()


def asked(world: World, verb, address, number=5) -> str | None:
    world.tell(Asked(verb, address, "anna", number))
    world.run()
    return world.answers.get(number)


def one(world: World, address):
    return world.state.roster.instances[address]


# --- an operator's stop -----------------------------------------------------------------------------------------------


def test_what_an_operator_stopped_stays_stopped_through_applies_and_is_kept():
    world = applied()
    assert asked(world, "stop", PUMP) == ""
    assert world.holds == {PUMP: "anna"}
    after = graph(
        [module("tags", code="2"), module("web", host="other"), command("pump", code="2")], [edge("web", "tags")]
    )
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert (one(world, PUMP).state, one(world, PUMP).held_by) == (ModuleState.STOPPED, "anna")
    assert one(world, PUMP).spec.body == after.instances[PUMP].body
    assert asked(world, "start", PUMP, 6) == ""
    assert one(world, PUMP).state is ModuleState.RUNNING
    assert world.holds == {}


def test_one_that_has_failed_is_stopped_for_good_and_comes_back_when_it_is_started():
    world = World(Scripts({(WEB, "startup"): ["fatal"]}))
    world.tell(proposed(PLANT, on_failure="hold"))
    world.run()
    assert one(world, WEB).state is ModuleState.ERROR
    assert asked(world, "stop", WEB) == ""
    world.wait(600)
    assert (one(world, WEB).state, one(world, WEB).held_by) == (ModuleState.STOPPED, "anna")
    assert asked(world, "start", WEB, 6) == ""
    assert one(world, WEB).state is ModuleState.RUNNING
    assert judge.legal_moves(world) == []


def test_a_stop_that_ends_in_error_is_answered_so_and_nothing_is_tried_again():
    world = applied({(WEB, "shutdown"): ["not-ready"]})
    assert asked(world, "stop", WEB) == "`web@gateway` has ended, but in error: broker not up"
    world.wait(600)
    assert one(world, WEB).state is ModuleState.ERROR
    assert one(world, WEB).backoff.next_retry is None
    assert asked(world, "stop", WEB, 6) == ""
    assert one(world, WEB).state is ModuleState.STOPPED


def test_the_next_runner_keeps_it_stopped_and_the_going_down_of_a_plant_holds_nobody():
    first = applied()
    asked(first, "stop", PUMP)
    first.tell(ShutdownAsked("anna", 0))
    first.run()
    assert first.holds == {PUMP: "anna"}
    second = World()
    second.state = type(second.state)(holds=first.holds)
    second.tell(proposed(PLANT))
    second.run()
    assert second.outcomes[1].result is Result.COMMITTED
    assert second.states() == {"tags": "running", "web": "running", "pump": "uninitialized"}
    assert one(second, PUMP).held_by == "anna"
    assert asked(second, "start", PUMP) == ""
    assert one(second, PUMP).state is ModuleState.RUNNING


def test_of_a_module_that_is_removed_nothing_is_held():
    world = applied()
    asked(world, "stop", PUMP)
    rest = graph([module("tags"), module("web", host="other")], [edge("web", "tags")])
    world.tell(proposed(rest, PLANT, base=1, request=2))
    world.run()
    assert world.holds == {}


# --- maintenance ------------------------------------------------------------------------------------------------------


def test_in_maintenance_the_incarnation_goes_on_and_its_checks_count_for_nothing():
    world = applied()
    before = one(world, TAGS)
    assert asked(world, "maintenance", TAGS) == ""
    sick = HealthReport(TAGS, before.epoch, Health.UNHEALTHY, "no")
    world.tell(*[HostSaid(HostId("gateway"), 1, sick)] * 5)
    world.run()
    kept = one(world, TAGS)
    assert (kept.state, kept.epoch, kept.held_by) == (ModuleState.MAINTENANCE, before.epoch, "anna")
    assert one(world, WEB).state is ModuleState.RUNNING
    assert asked(world, "resume", TAGS, 6) == ""
    back = one(world, TAGS)
    assert (back.state, back.epoch, back.held_by) == (ModuleState.RUNNING, before.epoch, "")
    assert judge.legal_moves(world) == []


def test_a_command_that_ends_in_maintenance_stays_down_until_maintenance_ends():
    world = applied()
    asked(world, "maintenance", PUMP)
    world.end_command(PUMP, 1, "exit 1")
    world.wait(600)
    gone = one(world, PUMP)
    assert (gone.state, gone.pid, gone.cause) == (
        ModuleState.MAINTENANCE,
        None,
        "the command ended: exit 1, in maintenance",
    )
    assert asked(world, "resume", PUMP, 6) == ""
    assert one(world, PUMP).state is ModuleState.RUNNING
    assert judge.legal_moves(world) == []


def test_when_its_host_dies_in_maintenance_only_its_neighbours_come_back():
    plant = graph([module("tags"), module("mate")])
    world = World()
    world.tell(proposed(plant))
    world.run()
    asked(world, "maintenance", TAGS)
    world.kill_host("gateway")
    world.wait(60)
    assert world.states() == {"tags": "maintenance", "mate": "running"}
    assert asked(world, "resume", TAGS, 6) == ""
    assert world.states() == {"tags": "running", "mate": "running"}


def test_what_an_apply_changes_of_one_in_maintenance_waits_and_vetoes_nothing():
    world = applied()
    asked(world, "maintenance", TAGS)
    epoch = one(world, TAGS).epoch
    after = graph([module("tags", code="2"), module("web", host="other", code="2"), command("pump")], PLANT.edges)
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert (one(world, TAGS).state, one(world, TAGS).epoch) == (ModuleState.MAINTENANCE, epoch)
    assert one(world, WEB).state is ModuleState.RUNNING
    assert asked(world, "resume", TAGS, 6) == ""
    world.run()
    assert (one(world, TAGS).state, one(world, TAGS).spec.facets.identity) == (ModuleState.RUNNING, "2")


def test_one_that_failed_can_be_taken_out_of_supervision_and_is_not_tried_again_meanwhile():
    world = applied({(TAGS, "startup"): ["raise", "raise", "ok"]})
    world.wait(0.0)
    world.tell(Asked("maintenance", TAGS, "anna", 5))
    epoch = one(world, TAGS).epoch
    world.wait(600)
    assert (one(world, TAGS).state, one(world, TAGS).epoch) == (ModuleState.MAINTENANCE, epoch)
    assert one(world, WEB).upstream == TAGS
    assert asked(world, "resume", TAGS, 6) == ""
    assert world.states() == {"tags": "running", "web": "running", "pump": "running"}


def test_only_what_runs_or_has_failed_can_be_taken_out_of_supervision():
    world = applied()
    asked(world, "stop", PUMP)
    assert asked(world, "maintenance", PUMP, 6) == (
        "`pump@gateway` is stopped: what runs or has failed can be taken out of supervision"
    )
    assert asked(world, "resume", TAGS, 7) == "`tags@gateway` is not in maintenance, it is running"


def test_what_is_being_stopped_cannot_be_taken_out_of_supervision():
    world = applied()
    world.tell(Asked("stop", PUMP, "anna", 5))
    world.tell(Asked("maintenance", PUMP, "anna", 6))
    world.wait()
    assert world.answers[6].startswith("`pump@gateway` is")
    assert (one(world, PUMP).goal, one(world, PUMP).held_by) == (Goal.DOWN, "anna")


def test_stop_and_restart_end_a_maintenance():
    world = applied()
    asked(world, "maintenance", TAGS)
    epoch = one(world, TAGS).epoch
    assert asked(world, "restart", TAGS, 6) == ""
    assert (one(world, TAGS).state, one(world, TAGS).epoch) == (ModuleState.RUNNING, epoch + 1)
    asked(world, "maintenance", PUMP, 7)
    assert asked(world, "stop", PUMP, 8) == ""
    assert (one(world, PUMP).state, one(world, PUMP).goal) == (ModuleState.STOPPED, Goal.DOWN)
    assert judge.legal_moves(world) == []


VERBS = st.sampled_from(("stop", "start", "restart", "maintenance", "resume"))


@given(st.data(), sketches(), seeds)
def test_whatever_is_asked_when_everybody_is_answered_and_the_plant_goes_down(data, sketch, seed):
    plant = sketch.graph()
    world = World(Scripts(data.draw(outcomes(sketch))), seed)
    world.tell(proposed(plant))
    asks = data.draw(
        st.lists(st.tuples(VERBS, st.sampled_from(sorted(plant.instances)), st.integers(0, 20)), max_size=6)
    )
    for number, (verb, address, moments) in enumerate(asks):
        for _ in range(moments):
            world.happen()
        world.tell(Asked(verb, address, "anna", 100 + number))
    world.wait()
    assert judge.legal_moves(world) == []
    held = {a: i.held_by for a, i in world.state.roster.instances.items() if i.goal is Goal.DOWN}
    assert world.holds == held
    world.tell(ShutdownAsked("anna", 0))
    world.wait()
    assert world.code == 0
    assert set(world.answers) == {100 + number for number in range(len(asks))}
    assert judge.legal_moves(world) == []
