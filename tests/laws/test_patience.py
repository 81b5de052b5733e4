"""Laws of waiting and failing: who waits loses no time of his own, who is slow is named, who crash-loops is parked, alone."""

from msgspec.structs import replace

from ignrun.manifest.model import Lifecycle
from ignrun.protocol.reports import HealthReport
from ignrun.runtime.supervise.effects import Result
from ignrun.runtime.supervise.messages import Asked, HostSaid
from ignrun.terms.events import LifecycleEvent, RetryScheduled, SlowStart
from ignrun.terms.names import HostId
from ignrun.terms.states import Condition, Health, ModuleState
from tests.doubles.plants import command, edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World
from tests.laws import judge

TAGS, WEB, PAGE, LOOP = gateway("tags"), gateway("web"), gateway("page"), gateway("loop")


def applied(plant, outcomes=None) -> World:
    world = World(Scripts(outcomes or {}))
    world.tell(proposed(plant))
    return world.run()


def named(world: World) -> list[tuple[str, float]]:
    return [(h.subject, h.body.seconds) for h in world.happenings if isinstance(h.body, SlowStart)]


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_waiting_for_others_consumes_nothing_of_ones_own_time():
    for host in ("gateway", "other"):
        plant = graph(
            [module("tags"), module("web", host=host), command("page")], [edge("web", "tags"), edge("page", "web")]
        )
        world = applied(plant, {(TAGS, "startup"): ["not-ready"] * 6})  # 5 + 10 + 20 + 40 + 80 + 80 seconds
        world.wait(234.0)
        assert world.states() == {"tags": "error", "web": "initialized", "page": "initialized"}
        assert named(world) == []
        world.wait(2.0)
        assert world.outcomes[1].result is Result.COMMITTED
        assert world.state.roster.instances[WEB].epoch == 1
        assert set(world.hosts) == ({"gateway"} | {host})


def test_a_failed_provider_is_one_root_cause_and_no_avalanche():
    chain = [module(f"m{n}", host="gateway" if n % 2 else "other") for n in range(30)]
    plant = graph(chain, [edge(f"m{n}", f"m{n - 1}") for n in range(1, 30)])
    world = applied(plant, {(gateway("m0"), "startup"): ["fatal", "..."]})
    faults = [h for h in world.happenings if isinstance(h.body, LifecycleEvent) and h.body.fault is not None]
    assert [h.subject for h in faults] == [gateway("m0")]
    assert {i.upstream for i in world.state.roster.instances.values()} == {"", gateway("m0")}


def test_after_and_wants_wait_for_the_end_whatever_it_is_and_requires_for_a_good_one():
    once = replace(command("once", oneshot=True), lifecycle=replace(module("x").lifecycle, restart="never"))
    plant = graph(
        [once, command("eager"), command("later"), command("needy")],
        [
            edge("eager", "once", "wants", Condition.COMPLETED),
            edge("later", "once", "after", Condition.COMPLETED),
            edge("needy", "once", "requires", Condition.COMPLETED),
        ],
    )
    good = applied(plant)
    assert good.states() == {"once": "stopped", "eager": "running", "later": "running", "needy": "running"}
    bad = applied(plant, {(gateway("once"), "startup"): ["exit"]})
    assert bad.states() == {"once": "error", "eager": "running", "later": "running", "needy": "initialized"}


# --- slow starters ----------------------------------------------------------------------------------------------------


def test_a_slow_starter_is_named_after_ten_seconds_and_every_minute_and_nobody_who_waits_for_it():
    slow = replace(module("tags"), lifecycle=Lifecycle(start_timeout=500.0))
    plant = graph([slow, module("web", host="other")], [edge("web", "tags")])
    world = World(Scripts())
    world.tell(proposed(plant))
    while "gateway" not in world.hosts or TAGS not in world.hosts["gateway"].live:
        world.happen()
    world.hosts["gateway"].live[TAGS].cleared = False
    world.run()
    world.hosts["gateway"].live[TAGS].cleared = True
    world.hosts["gateway"]._move(TAGS, world.hosts["gateway"].live[TAGS], ModuleState.STARTING)
    world.hosts["gateway"].hangs = True
    world.wait(150.0)
    assert named(world) == [(TAGS, 10.0), (TAGS, 70.0), (TAGS, 130.0)]
    world.hosts["gateway"].hangs = False
    world.wait(200.0)
    assert len(named(world)) == 3
    assert world.states() == {"tags": "running", "web": "running"}


# --- crashes ----------------------------------------------------------------------------------------------------------


def test_a_crash_restarts_those_dependents_who_asked_for_it_and_no_others():
    follows = replace(edge("web", "tags"), on_crash="restart")
    plant = graph(
        [command("tags"), module("web"), command("page"), command("also")],
        [follows, edge("page", "tags"), replace(edge("also", "tags"), on_crash="restart")],
    )
    world = applied(plant)
    world.end_command(TAGS, 1, "exit 1")
    world.wait(5.0)
    epochs = {a.split("@")[0]: i.epoch for a, i in world.state.roster.instances.items()}
    assert epochs == {"tags": 2, "web": 2, "page": 1, "also": 2}
    assert set(world.states().values()) == {"running"}
    causes = [
        h.body.cause
        for h in world.happenings
        if isinstance(h.body, LifecycleEvent) and h.body.new is ModuleState.STOPPING
    ]
    assert f"its provider {TAGS} crashed" in causes
    assert judge.all_of(world, plant) == []


def crash_looping(world: World, address: str, seconds: float) -> World:
    """Let a command end as soon as it is up, again and again, for so long."""
    end = world.mono + seconds
    while world.mono < end:
        if address in world.commands and world.state.roster.instances[address].state is ModuleState.RUNNING:  # type: ignore[index]
            world.end_command(address, 1, "exit 1")
        world.wait(0.25)
    return world


def test_in_a_plant_of_fifty_one_that_crash_loops_for_a_minute_is_parked_and_nobody_else_is_touched():
    others = [command(f"m{n}") if n % 2 else module(f"m{n}", host=f"gateway.{n % 5}") for n in range(49)]
    plant = graph([command("loop"), *others], [edge("m1", "loop")])
    world = applied(plant)
    before = {a: (i.epoch, i.pid) for a, i in world.state.roster.instances.items() if a != LOOP}
    crash_looping(world, LOOP, 60.0)
    after = {a: (i.epoch, i.pid) for a, i in world.state.roster.instances.items() if a != LOOP}
    assert after == before
    loop = world.state.roster.instances[LOOP]
    tries = [h.body for h in world.happenings if isinstance(h.body, RetryScheduled) and h.subject == LOOP]
    assert [one.parked for one in tries] == [False] * 5 + [True] * (len(tries) - 5)
    assert [round(one.delay) for one in tries if one.parked][:2] == [15, 30]
    assert 5 <= loop.statistics.restart_count <= 7
    assert (loop.cause, loop.backoff.parked) == ("crash-loop", True)


# --- failed checks ----------------------------------------------------------------------------------------------------


def fail_its_checks(world: World, address) -> None:
    """Answer three checks in a row badly."""
    epoch = world.state.roster.instances[address].epoch
    sick = HealthReport(address, epoch, Health.UNHEALTHY, "no broker")
    world.tell(*(HostSaid(HostId("gateway"), 1, sick) for _ in range(3)))
    world.run()


def test_who_fails_its_checks_again_and_again_waits_in_error_and_is_parked_there():
    scripts = Scripts()
    scripts.checked = {TAGS}
    world = World(scripts)
    world.tell(proposed(graph([module("tags"), module("web")])))
    world.run()
    fail_its_checks(world, TAGS)
    assert (world.states()["tags"], world.state.roster.instances[TAGS].epoch) == (
        "running",
        2,
    )  # the first time at once
    fail_its_checks(world, TAGS)
    waits = world.state.roster.instances[TAGS]
    assert (waits.state, waits.cause, waits.health) == (ModuleState.ERROR, "unhealthy: no broker", Health.UNHEALTHY)
    assert waits.fault is not None
    assert waits.statistics.error_count == 2
    while not world.state.roster.instances[TAGS].backoff.parked:
        world.wait(12.0)
        fail_its_checks(world, TAGS)
    parked = world.state.roster.instances[TAGS]
    assert (parked.state, parked.cause) == (ModuleState.ERROR, "crash-loop")
    world.wait(20.0)
    assert world.states() == {"tags": "running", "web": "running"}
    assert judge.legal_moves(world) == []


def test_an_operator_who_restarts_a_sick_one_is_told_and_does_not_wait_for_ever():
    scripts = Scripts()
    scripts.checked = {TAGS}
    world = World(scripts)
    world.tell(proposed(graph([module("tags"), module("web")])))
    world.run()
    fail_its_checks(world, TAGS)
    world.tell(Asked("maintenance", TAGS, "anna", 7))
    world.run()
    world.scripts.checked = set()
    world.tell(Asked("resume", TAGS, "anna", 8))
    fail_its_checks(world, TAGS)
    assert world.answers[8] == "unhealthy: no broker"
