"""Laws of changing what runs without ending it: asked first, all or none, undone on failure, nobody else touched."""

import pytest
from msgspec.structs import replace

from ignrun.manifest.model import HealthPolicy
from ignrun.planner.graph.model import Graph
from ignrun.protocol.orders import Start, Stop
from ignrun.protocol.reports import Prepared, Resumed, Revised, Stalled
from ignrun.runner.launches import launch_of
from ignrun.runtime.apply.state import Phase
from ignrun.runtime.supervise.draft import host_of
from ignrun.runtime.supervise.effects import (
    GiveOrder,
    KeepIntent,
    PrepareHost,
    ReloadCommand,
    Result,
    ReviseHost,
    TellCommand,
)
from ignrun.runtime.supervise.messages import Asked, HostSaid, Probed
from ignrun.terms.events import (
    ApplyEnded,
    HealthChanged,
    RollbackBegan,
    RollbackEnded,
    StepBegan,
    StepEnded,
    StepUndone,
)
from ignrun.terms.fault import FaultKind
from ignrun.terms.leaves import ExportNamed, Pending, Tree
from ignrun.terms.names import Address, HostId
from ignrun.terms.states import Health, ModuleState
from tests.doubles.plants import IN_PLACE, command, edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World

A, B, C, D = (gateway(name) for name in "abcd")


def plant(level: int = 1, *names: str, edges=(("b", "a"), ("c", "b")), **fields) -> Graph:
    """Make a, b and c, each needing the one before it, and d alone; `names` (all) have the config of this level, the others that of 1."""

    def of(name: str, host: str):
        config = Tree({"level": level if not names or name in names else 1})
        return module(name, host=host, callbacks=IN_PLACE, config=config, **fields)

    specs = [of("a", "gateway"), of("b", "other"), of("c", "gateway"), of("d", "gateway")]
    return graph(specs, [edge(*one) for one in edges])


def running(before: Graph | None = None, scripts: Scripts | None = None, seed: int = 0, **fields) -> World:
    """Have a plant applied and committed."""
    world = World(scripts, seed)
    world.tell(proposed(before or plant(**fields)))
    world.run()
    assert world.outcomes[1].result is Result.COMMITTED
    return world


def apply(world: World, after: Graph, **fields) -> Result:
    """Have another plant applied, and give how it ended."""
    request = fields.pop("request", 2)
    world.tell(proposed(after, world.state.graph, base=world.state.generation, request=request, **fields))
    world.wait(1.0)
    world.run()
    return world.outcomes[request].result


def epochs(world: World) -> dict[Address, int]:
    return {address: one.epoch for address, one in world.state.roster.instances.items()}


def levels(world: World) -> dict[str, int]:
    """Give the config that each module really goes by."""
    return {
        address.split("@")[0]: incarnation.config["level"] if incarnation.config else 0
        for host in world.hosts.values()
        for address, incarnation in host.live.items()
    }


def test_a_config_changes_in_place_and_nobody_begins_anew():
    world = running()
    before = epochs(world)
    assert apply(world, plant(2, "a", "c")) is Result.COMMITTED
    assert epochs(world) == before
    assert levels(world) == {"a": 2, "b": 1, "c": 2, "d": 1}
    assert world.outcomes[2].summary == "generation 2 is in force: 2 reconfigured"
    assert world.state.roster.instances[A].spec.config.plain == {"level": 2}


def test_only_the_paths_that_differ_are_named():
    world = running()
    apply(world, plant(2, "a"))
    (effect,) = [one for one in world.effects if isinstance(one, ReviseHost)]
    (revising,) = effect.revisings
    assert (revising.spec.address, revising.paths) == (A, (("level",),))


def test_everybody_is_asked_before_the_intent_is_kept_and_before_anything_is_ordered():
    world = running()
    mark = len(world.effects)
    apply(world, plant(2))
    kinds = [type(one) for one in world.effects[mark:]]
    asked = [one.spec.address for e in world.effects[mark:] if isinstance(e, PrepareHost) for one in e.revisings]
    assert sorted(asked) == [A, B, C, D]
    last_ask = max(number for number, kind in enumerate(kinds) if kind is PrepareHost)
    assert last_ask < kinds.index(KeepIntent) < kinds.index(ReviseHost)


@pytest.mark.parametrize("who", [A, B, C, D])
@pytest.mark.parametrize("how", ["raise", "hang"])
def test_one_who_does_not_agree_rejects_the_whole_apply_and_nothing_is_touched(who, how):
    world = running()
    before, roster = levels(world), world.state.roster.instances
    world.scripts.outcomes[who, "prepare"] = [how]
    assert apply(world, plant(2)) is Result.REJECTED
    said = world.outcomes[max(world.outcomes)]
    assert said.summary == f"nothing was touched; cannot be run: {who}: {said.faults[who].summary}"
    assert set(world.outcomes[2].faults) == {who}
    assert levels(world) == before
    assert not any(isinstance(one, ReviseHost) for one in world.effects)
    assert {a: replace(i, asked=0) for a, i in world.state.roster.instances.items()} == roster


@pytest.mark.parametrize("who", [A, B, C, D])
@pytest.mark.parametrize("how", ["raise", "hang", "exit"])
@pytest.mark.parametrize("seed", range(5))
def test_one_that_fails_while_it_changes_takes_all_of_them_back(who, how, seed):
    world = running(seed=seed)
    before = world.state
    world.scripts.outcomes[who, "reconfigure"] = [how]
    assert apply(world, plant(2)) is Result.ROLLED_BACK
    assert levels(world) == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert world.state.graph is before.graph and world.state.generation == before.generation
    assert {a: i.spec for a, i in world.state.roster.instances.items()} == {
        a: i.spec for a, i in before.roster.instances.items()
    }
    assert who in world.outcomes[2].faults
    home = host_of(before.roster.instances[who])
    mates = {a for a, i in world.state.roster.instances.items() if host_of(i) == home}
    untouched = epochs(world).keys() - (mates if how == "exit" else {who})
    assert all(world.state.roster.instances[a].epoch == 1 for a in untouched)


def test_a_rollback_tells_what_began_and_what_was_undone_in_pairs():
    world = running()
    world.scripts.outcomes[B, "reconfigure"] = ["raise"]
    apply(world, plant(2, "a", "b"))
    bodies = [h.body for h in world.happenings if not isinstance(h.body, StepBegan | StepEnded)]
    kinds = [type(b) for b in bodies]
    assert kinds.count(RollbackBegan) == kinds.count(RollbackEnded) == 1
    began = {h.subject for h in world.happenings if isinstance(h.body, StepBegan) and h.body.transaction == 2}
    undone = {h.subject for h in world.happenings if isinstance(h.body, StepUndone)}
    assert began == undone
    assert [b.result for b in bodies if isinstance(b, ApplyEnded)] == ["committed", "rolled-back"]


def test_a_stale_answer_changes_nothing():
    world = running()
    before = world.state.roster
    world.tell(
        HostSaid(HostId("gateway"), 1, Revised(A, 1, 99)),
        HostSaid(HostId("gateway"), 1, Prepared(A, 1, 99)),
        HostSaid(HostId("gateway"), 1, Revised(A, 7, 1)),
        HostSaid(HostId("gateway"), 7, Revised(A, 1, 1)),
    )
    after = world.state.roster
    assert after.instances == before.instances


def test_one_that_never_answers_is_rejected_at_the_deadline_and_its_host_is_ended_when_it_is_silent():
    world = running()
    world.scripts.outcomes[A, "prepare"] = ["mute"]
    world.tell(proposed(plant(2), world.state.graph, base=1, request=2, deadline=20.0))
    world.wait(25.0)
    assert world.outcomes[2].result is Result.REJECTED
    assert world.outcomes[2].faults[A].kind is FaultKind.TIMED_OUT


@pytest.mark.parametrize("verb", ["stop", "maintenance"])
def test_what_does_not_run_takes_its_new_config_without_a_call(verb):
    world = running()
    world.tell(Asked(verb, D, "me", 9))
    world.run()
    assert apply(world, plant(2, "d")) is Result.COMMITTED
    assert not any(isinstance(one, PrepareHost | ReviseHost) for one in world.effects)
    world.tell(Asked("resume" if verb == "maintenance" else "start", D, "me", 10))
    world.run()
    assert levels(world)["d"] == 2
    assert world.state.roster.instances[D].spec.config.plain == {"level": 2}


def test_one_in_error_takes_its_new_config_and_is_tried_again_at_once():
    world = running()
    world.scripts.outcomes[D, "run"] = ["raise"]
    world.scripts.outcomes[D, "startup"] = ["fatal"]
    world.run()
    assert world.states()["d"] == "error"
    assert apply(world, plant(2, "d")) is Result.COMMITTED
    assert levels(world)["d"] == 2 and world.states()["d"] == "running"


def test_an_apply_of_what_is_in_force_is_unchanged():
    world = running()
    apply(world, plant(2))
    before = world.state.roster
    assert apply(world, plant(2), request=3) is Result.UNCHANGED
    assert world.state.roster == before


def test_a_command_takes_its_files_anew_and_goes_back_when_another_fails():
    def of(level: int) -> Graph:
        specs = [command("web", reload=True, config=Tree({"level": level}))]
        return graph([*specs, module("tags", callbacks=IN_PLACE, config=Tree({"level": level}))])

    world = running(of(1))
    assert apply(world, of(2)) is Result.COMMITTED
    assert epochs(world) == {gateway("web"): 1, gateway("tags"): 1}
    world.scripts.outcomes[gateway("tags"), "reconfigure"] = ["raise"]
    assert apply(world, of(3), request=3) is Result.ROLLED_BACK
    levels_sent = [e.spec.config.plain["level"] for e in world.effects if isinstance(e, ReloadCommand)]
    assert levels_sent[0] == 2 and levels_sent[-1] == 2
    assert world.state.roster.instances[gateway("web")].spec.config.plain == {"level": 2}
    assert world.state.roster.instances[gateway("web")].epoch == 1


def test_a_command_that_runs_hears_of_another_policy_and_of_the_one_before_when_it_is_taken_back():
    def of(seconds: float, code: str = "1") -> Graph:
        health = HealthPolicy(interval=seconds)
        return graph(
            [command("web", check=True, health=health, gate="started"), command("idle"), module("tags", code=code)]
        )

    world = running(of(10.0))
    web = gateway("web")
    assert apply(world, of(20.0)) is Result.COMMITTED
    assert world.commands[web] == (1, launch_of(world.state.graph.instances[web], 1, {}, {}))
    assert world.state.graph.instances[web].health.interval == 20.0
    world.scripts.outcomes[gateway("tags"), "startup"] = ["fatal"]
    assert apply(world, of(30.0, code="2"), request=3) is Result.ROLLED_BACK
    told = [effect.spec.health.interval for effect in world.effects if isinstance(effect, TellCommand)]
    assert told == [20.0, 30.0, 20.0]
    assert world.commands[web] == (1, launch_of(world.state.roster.instances[web].spec, 1, {}, {}))


def test_a_command_that_nobody_checks_any_more_is_no_longer_held_to_be_sick():
    def of(*, check: bool) -> Graph:
        health = HealthPolicy(failures=1, on_unhealthy="report", interval=10.0 if check else 11.0)
        return graph([command("web", check=check, health=health, gate="started")])

    world = running(of(check=True))
    world.tell(Probed(gateway("web"), 1, healthy=False, reason="down"))
    assert world.state.roster.instances[gateway("web")].health is Health.UNHEALTHY
    assert apply(world, of(check=False)) is Result.COMMITTED
    assert world.state.roster.instances[gateway("web")].health is Health.HEALTHY


def test_dependents_made_of_an_export_follow_when_it_changes_and_go_back_with_it():
    def of(level: int) -> Graph:
        made = Tree({"of": None, "level": 0}, (Pending(("of",), (ExportNamed(A, "level"),)),))
        specs = [
            module("a", callbacks=IN_PLACE, config=Tree({"level": level})),
            module("b", host="other", callbacks=IN_PLACE, config=made),
            module("c", config=made),
            module("d", callbacks=IN_PLACE, config=Tree({"level": 1})),
        ]
        return graph(specs, [edge("b", "a"), edge("c", "a"), edge("d", "a")])

    scripts = Scripts()
    scripts.exporting = True
    world = running(of(1), scripts)
    assert apply(world, of(2)) is Result.COMMITTED
    assert epochs(world) == {A: 1, B: 1, C: 2, D: 1}
    assert [one.spec.address for e in world.effects if isinstance(e, ReviseHost) for one in e.revisings] == [A, B]
    world.scripts.outcomes[C, "startup"] = ["fatal"]
    assert apply(world, of(3), request=3) is Result.ROLLED_BACK
    assert world.state.roster.instances[A].exports["level"] == 2
    assert epochs(world)[A] == epochs(world)[B] == epochs(world)[D] == 1
    assert world.states()["c"] == "running"


def test_a_provider_is_left_before_it_is_deleted():
    def of(provider: str, *names: str) -> Graph:
        specs = [module(name) for name in names]
        return graph([*specs, module("b", host="other", callbacks=IN_PLACE)], [edge("b", provider)])

    world = running(of("a", "a", "d"))
    mark = len(world.effects)
    assert apply(world, of("d", "d")) is Result.COMMITTED
    orders = [e for e in world.effects[mark:] if isinstance(e, ReviseHost | GiveOrder)]
    revised = next(n for n, e in enumerate(orders) if isinstance(e, ReviseHost))
    cleared = [
        n
        for n, e in enumerate(orders)
        if isinstance(e, GiveOrder) and isinstance(e.order, Stop) and A in e.order.cleared
    ]
    assert all(revised < n for n in cleared)
    assert epochs(world)[B] == 1


def test_a_host_hears_of_new_providers_before_it_is_told_to_use_them():
    def of(provider: str) -> Graph:
        specs = [module("a"), module("d", host="third"), module("b", host="other", callbacks=IN_PLACE)]
        return graph(specs, [edge("b", provider)])

    world = running(of("a"))
    mark = len(world.effects)
    apply(world, of("d"))
    told = world.effects[mark:]
    revise = next(n for n, e in enumerate(told) if isinstance(e, ReviseHost))
    routes = [
        n
        for n, e in enumerate(told)
        if isinstance(e, GiveOrder) and any(r.provider == D for r in getattr(e.order, "routes", ()))
    ]
    assert routes and routes[0] < revise


def test_nothing_is_started_or_stopped_for_a_change_in_place():
    world = running()
    mark = len(world.effects)
    apply(world, plant(2))
    assert not [e for e in world.effects[mark:] if isinstance(e, GiveOrder) and isinstance(e.order, Start | Stop)]
    assert all(one.state is ModuleState.RUNNING for one in world.state.roster.instances.values())


def test_what_checks_said_before_a_change_says_nothing_of_what_is_there_now():
    scripts = Scripts()
    scripts.checked = {"a@gateway"}
    scripts.outcomes["a@gateway", "health"] = ["ok", "ok"]
    world = running(plant(1), scripts)
    sick = replace(world.state.roster.instances[A], health=Health.UNHEALTHY, health_reason="too hot", failures=3)
    roster = replace(world.state.roster, instances={**world.state.roster.instances, A: sick})
    world.state = replace(world.state, roster=roster)
    assert apply(world, plant(2, "a")) is Result.COMMITTED
    assert world.state.roster.instances[A].health is Health.HEALTHY
    changes = [one.body for one in world.happenings if isinstance(one.body, HealthChanged) and one.subject == A]
    assert [(one.old, one.new) for one in changes][-2:] == [
        (Health.UNHEALTHY, Health.UNKNOWN),
        (Health.UNKNOWN, Health.HEALTHY),
    ]


def bare(level: int, *names: str) -> Graph:
    """Make the plant of classes that cannot be changed in place."""
    made = plant(level, *names)
    specs = (replace(one, body=replace(one.body, callbacks=())) for one in made.instances.values())
    return graph(specs, made.edges)


@pytest.mark.parametrize("seed", range(10))
def test_who_is_to_be_restarted_is_asked_whether_the_next_one_could_be(seed):
    world = running(bare(1), seed=seed)
    world.scripts.outcomes[A, "prepare"] = ["raise"]
    epochs = {address: one.epoch for address, one in world.state.roster.instances.items()}
    world.tell(proposed(bare(2, "a"), bare(1), base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.REJECTED
    assert {address: one.epoch for address, one in world.state.roster.instances.items()} == epochs
    asked = [one for effect in world.effects if isinstance(effect, PrepareHost) for one in effect.revisings]
    assert [(one.spec.address, one.anew) for one in asked] == [(A, True)]


def test_of_one_that_is_stuck_no_answer_is_waited_for_before_it_is_restarted():
    world = running(bare(1))
    world.hosts["gateway"].hangs = True
    world.tell(HostSaid(HostId("gateway"), 1, Stalled(A, "a.py:1", 2.0)))
    world.tell(proposed(bare(2, "a"), bare(1), base=1, request=2))
    world.run()
    assert world.state.transaction is not None
    assert world.state.transaction.phase is Phase.APPLYING


def test_an_apply_does_not_end_well_while_a_member_keeps_its_host():
    world = running(bare(1))
    world.tell(proposed(bare(2, "a"), bare(1), base=1, request=2, soak=3.0))
    world.run()
    world.tell(HostSaid(HostId("gateway"), 1, Stalled(A, "a.py:1", 1.0)))
    world.wait(5.0)
    assert 2 not in world.outcomes
    world.tell(HostSaid(HostId("gateway"), 1, Resumed(A, 6.0)))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
