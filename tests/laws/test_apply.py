"""Laws of an apply: prepared before anything is touched, gated, answered once, with every failure named at its root."""

from msgspec.structs import replace

from ignrun.manifest.model import HealthPolicy, Lifecycle
from ignrun.protocol.orders import Start
from ignrun.protocol.reports import PROTOCOL, HealthReport, Hello, Move, Moves
from ignrun.runtime.supervise.effects import GiveOrder, KeepIntent, LaunchHost, LoadHost, Result, StopCommand, WakeAt
from ignrun.runtime.supervise.messages import Asked, HostSaid, Probed, ShutdownAsked
from ignrun.runtime.supervise.roster import Goal
from ignrun.terms.events import ApplyBegan, ApplyEnded, HealthChanged, LifecycleEvent, MoveRefused, RetryScheduled
from ignrun.terms.fault import FaultKind
from ignrun.terms.leaves import Tree
from ignrun.terms.names import HostId
from ignrun.terms.states import Condition, Health, ModuleState
from tests.doubles.plants import DAWN, command, edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World

TAGS, WEB = gateway("tags"), gateway("web")
GATEWAY = HostId("gateway")
PLANT = graph([module("tags"), module("web", host="other")], [edge("web", "tags")])


def applied(plant=PLANT, outcomes=None, seed=0, **fields) -> World:
    world = World(Scripts(outcomes or {}), seed)
    world.tell(proposed(plant, **fields))
    return world.run()


def orders_since(world: World, mark: int) -> list[object]:
    return [e.order for e in world.effects[mark:] if isinstance(e, GiveOrder)]


# --- preparing ---------------------------------------------------------------------------------------------------------


def test_an_import_fault_rejects_the_whole_apply_and_touches_nothing():
    world = applied()
    epochs = {a: i.epoch for a, i in world.state.roster.instances.items()}
    after = graph([*PLANT.instances.values(), module("bad", host="gateway.2"), module("fine", host="gateway.2")])
    world.scripts.outcomes[gateway("bad"), "import"] = ["raise"]
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    outcome = world.outcomes[2]
    assert outcome.result is Result.REJECTED
    assert outcome.generation == 1
    assert outcome.faults[gateway("bad")].kind is FaultKind.IMPORT
    assert {a: i.epoch for a, i in world.state.roster.instances.items()} == epochs
    assert set(world.hosts) == {"gateway", "other"}
    assert set(world.state.roster.hosts) == {"gateway", "other"}
    assert isinstance(world.happenings[-2].body, ApplyEnded)


def test_a_host_that_cannot_be_started_rejects_the_apply():
    world = applied(outcomes={("other", "launch"): ["no", "..."]})
    assert world.outcomes[1].result is Result.REJECTED
    assert world.outcomes[1].faults[WEB].summary == "host other ended while it was prepared: fork failed"
    assert world.state.roster.instances == {}


def test_nothing_is_ordered_before_the_intent_is_durable():
    world = World()
    world.tell(proposed(PLANT))
    while not any(isinstance(effect, KeepIntent) for effect in world.effects):
        world.happen()
    assert not any(isinstance(effect, GiveOrder) for effect in world.effects)
    assert world.state.roster.instances == {}


def test_a_journal_that_refuses_the_intent_changes_nothing():
    world = World()
    world.journal_refuses = {"intent"}
    world.tell(proposed(PLANT))
    world.run()
    assert world.outcomes[1].result is Result.REFUSED
    assert world.outcomes[1].summary == "nothing was touched; the journal cannot keep it: disk full"
    assert world.state.roster.instances == {} and world.hosts == {}


def test_a_journal_that_refuses_the_outcome_is_told_of():
    world = World()
    world.journal_refuses = {"outcome"}
    world.tell(proposed(PLANT))
    world.run()
    assert world.outcomes[1].result is Result.UNKEPT
    assert world.outcomes[1].summary.endswith("; the journal cannot keep the outcome yet: disk full")


def test_a_host_of_another_protocol_is_not_used():
    world = World()
    world.tell(proposed(graph([module("tags")])))
    world.lanes["host gateway"].pop()
    world.engines.send("host gateway", HostSaid(GATEWAY, 1, Hello(PROTOCOL + 1, "9", 1, "3", "/s")))
    world.run()
    assert world.outcomes[1].result is Result.REJECTED
    assert "speaks protocol" in world.outcomes[1].faults[TAGS].summary
    assert world.hosts == {}


# --- gate and outcome --------------------------------------------------------------------------------------------------


def test_a_failed_first_apply_is_held_with_its_root_cause_and_the_healthy_rest_stays():
    plant = graph(
        [module("tags"), module("web", host="other"), module("page"), module("alone")],
        [edge("web", "tags"), edge("page", "web")],
    )
    world = applied(plant, {(TAGS, "startup"): ["fatal", "..."]})
    outcome = world.outcomes[1]
    assert outcome.result is Result.HELD
    assert outcome.generation == 1
    assert {a: (f.kind, f.upstream) for a, f in outcome.faults.items()} == {
        TAGS: (FaultKind.FATAL, ""),
        WEB: (FaultKind.UPSTREAM, TAGS),
        gateway("page"): (FaultKind.UPSTREAM, TAGS),
    }
    assert outcome.summary == "failed: tags@gateway; 2 skipped because of a provider; the healthy rest stays up"
    assert world.states() == {"tags": "error", "web": "initialized", "page": "initialized", "alone": "running"}
    assert world.state.roster.instances[WEB].cause == "skipped: upstream tags@gateway"


def test_an_open_transaction_does_not_retry_and_a_closed_one_does():
    world = applied(outcomes={(TAGS, "startup"): ["raise"]})
    assert world.outcomes[1].result is Result.HELD
    world.wait()
    assert world.states() == {"tags": "running", "web": "running"}
    assert world.state.roster.instances[TAGS].statistics.restart_count == 1


def test_one_that_is_not_ready_yet_is_retried_and_committed():
    world = applied(outcomes={(TAGS, "startup"): ["not-ready", "not-ready"]})
    assert 1 not in world.outcomes
    world.wait(16.0)
    assert world.outcomes[1].result is Result.COMMITTED


def test_at_the_deadline_what_has_not_settled_counts_as_failed():
    world = applied(outcomes={(TAGS, "startup"): ["not-ready", "..."]}, deadline=60.0)
    world.wait(100.0)
    outcome = world.outcomes[1]
    assert outcome.result is Result.HELD
    assert outcome.faults[WEB].kind is FaultKind.TIMED_OUT
    assert outcome.faults[WEB].summary.endswith("it waits for tags@gateway")


def test_a_gate_of_none_is_no_veto():
    plant = graph([module("tags", gate="none")])
    world = applied(plant, {(TAGS, "startup"): ["fatal", "..."]})
    assert world.outcomes[1].result is Result.COMMITTED


def test_a_second_apply_of_the_same_is_unchanged_and_touches_nobody():
    world = applied()
    before, mark = world.state.roster, len(world.effects)
    world.tell(proposed(PLANT, PLANT, base=1, request=2))
    assert world.outcomes[2].result is Result.UNCHANGED
    assert world.state.roster == before
    assert len(world.effects) == mark + 1


def test_after_a_held_apply_the_same_again_is_held_again():
    world = applied(outcomes={(TAGS, "startup"): ["fatal", "..."]})
    world.tell(proposed(PLANT, PLANT, base=1, request=2))
    assert world.outcomes[2].result is Result.HELD
    assert TAGS in world.outcomes[2].faults


def test_without_start_a_plant_is_committed_and_rests_until_the_next_apply():
    world = applied(no_start=True)
    assert world.outcomes[1].result is Result.COMMITTED
    assert world.outcomes[1].summary == "generation 1 is in force: 2 created (not started)"
    assert world.states() == {"tags": "uninitialized", "web": "uninitialized"}
    world.tell(proposed(PLANT, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert world.states() == {"tags": "running", "web": "running"}


def test_applies_are_taken_up_one_at_a_time_and_a_stale_plan_is_refused():
    world = World()
    world.tell(proposed(PLANT), proposed(graph([module("tags")]), request=2))
    world.run()
    assert world.outcomes[1].result is Result.COMMITTED
    assert world.outcomes[2].result is Result.REFUSED
    assert world.outcomes[2].summary == "the plan is stale: it compares with generation 0, 1 is in force"


def test_every_apply_that_began_ended():
    world = applied(outcomes={(TAGS, "startup"): ["raise"]})
    bodies = [h.body for h in world.happenings if isinstance(h.body, ApplyBegan | ApplyEnded)]
    assert [type(body) for body in bodies] == [ApplyBegan, ApplyEnded]
    assert [body.result for body in bodies if isinstance(body, ApplyEnded)] == ["held"]


# --- changes -----------------------------------------------------------------------------------------------------------


def test_a_restart_leaves_the_dependents_alone():
    world = applied()
    after = graph([module("tags", code="2"), module("web", host="other")], PLANT.edges)
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert world.state.roster.instances[TAGS].epoch == 2
    assert world.state.roster.instances[WEB].epoch == 1
    assert world.state.generation == 2


def test_a_replaced_instance_moves_to_its_new_host_and_the_empty_one_ends():
    world = applied()
    after = graph([module("tags", host="gateway.2", code="2"), module("web", host="other")], PLANT.edges)
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert set(world.hosts) == {"gateway.2", "other"}
    assert set(world.state.roster.hosts) == {"gateway.2", "other"}


def test_deleted_instances_stop_in_reverse_order_and_are_forgotten():
    world = applied()
    empty = graph([])
    mark = len(world.moves())
    world.tell(proposed(empty, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert world.state.roster.instances == {} and world.hosts == {}
    assert [name for name, state in world.moves()[mark:] if state == "stopped"] == ["web", "tags"]


def test_a_dependency_turned_round_does_not_lock_up():
    plant = graph([module("a"), module("b", host="other")], [edge("a", "b")])
    world = applied(plant)
    turned = graph([module("a"), module("b", host="other")], [edge("b", "a")])
    world.tell(proposed(turned, plant, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED


# --- supervision -------------------------------------------------------------------------------------------------------


def test_what_a_host_says_of_an_earlier_incarnation_is_dropped():
    world = applied()
    before = world.state
    world.tell(HostSaid(GATEWAY, 1, Moves((Move(TAGS, 99, ModuleState.RUNNING, ModuleState.ERROR, "x", DAWN, 0.0),))))  # fmt: skip
    world.tell(HostSaid(GATEWAY, 7, Moves((Move(TAGS, 1, ModuleState.RUNNING, ModuleState.ERROR, "x", DAWN, 0.0),))))
    assert world.state.roster.instances == before.roster.instances


def test_a_move_that_the_table_does_not_know_is_refused_and_its_host_replaced():
    world = applied()
    bad = Move(TAGS, 1, ModuleState.RUNNING, ModuleState.INITIALIZED, "x", DAWN, 0.0)
    world.tell(HostSaid(GATEWAY, 1, Moves((bad,))))
    assert any(isinstance(h.body, MoveRefused) for h in world.happenings)
    world.wait()
    tags = world.state.roster.instances[TAGS]
    assert tags.state is ModuleState.RUNNING and tags.epoch == 2
    assert tags.statistics.last_error.startswith("host gateway reported a move that there is not")


def test_the_death_of_a_host_names_its_signal_and_counts_against_the_host_only():
    world = applied()
    world.kill_host("gateway")
    while world.state.roster.instances[TAGS].state is not ModuleState.ERROR:
        world.happen()
    fault = world.state.roster.instances[TAGS].fault
    assert fault is not None and fault.kind is FaultKind.EXITED
    assert fault.summary == "host gateway ended: signal 9 (SIGKILL)"
    world.wait()
    assert world.states() == {"tags": "running", "web": "running"}
    assert world.state.roster.instances[TAGS].backoff.attempt == 0
    assert world.state.roster.instances[WEB].epoch == 1
    assert world.state.roster.instances[TAGS].statistics.restart_count == 1


def test_a_host_that_falls_silent_while_it_has_work_is_ended():
    world = World()
    plant = graph([module("tags"), module("web", host="other")])
    world.tell(proposed(plant))
    world.run(until=lambda: any(isinstance(e, GiveOrder) and isinstance(e.order, Start) for e in world.effects))
    world.hosts["gateway"].hangs = True
    world.wait(290.0)
    assert world.outcomes[1].result is Result.HELD
    fault = world.outcomes[1].faults[TAGS]
    assert fault.kind is FaultKind.TIMED_OUT
    assert "host gateway has work to do and said nothing for" in fault.summary


def test_a_crash_loop_is_parked_and_tried_again_later_and_later():
    world = applied(outcomes={(TAGS, "startup"): ["raise", "..."]})
    world.wait(60.0)
    delays = [(h.body.delay, h.body.parked) for h in world.happenings if isinstance(h.body, RetryScheduled)]
    assert delays[0] == (0.0, False)
    assert 0.8 <= delays[1][0] <= 1.2
    assert [delay for delay, parked in delays if parked][:2] == [15.0, 30.0]
    assert world.state.roster.instances[TAGS].cause == "crash-loop"


def test_ten_minutes_of_health_forget_what_was():
    world = applied(outcomes={(TAGS, "startup"): ["raise", "raise"]})
    world.wait(700.0)
    world.scripts.outcomes[TAGS, "run"] = ["raise"]
    world.run()
    world.wait(1.0)
    assert world.state.roster.instances[TAGS].backoff.attempt == 1


def test_one_that_is_never_restarted_stays_in_error():
    plant = graph([module("tags", lifecycle=Lifecycle(restart="never"))])
    world = applied(plant, {(TAGS, "startup"): ["raise"]})
    world.wait()
    assert world.states() == {"tags": "error"}


def test_unhealthy_checks_in_a_row_restart_an_instance_and_say_why():
    world = applied()
    for _ in range(3):
        world.tell(HostSaid(GATEWAY, 1, HealthReport(TAGS, 1, Health.UNHEALTHY, "disk full")))
    world.wait(10.0)
    tags = world.state.roster.instances[TAGS]
    assert tags.epoch == 2 and tags.state is ModuleState.RUNNING
    assert tags.statistics.last_error == "unhealthy: disk full"
    changes = [h.body for h in world.happenings if isinstance(h.body, HealthChanged)]
    assert [(c.old, c.new, c.reason) for c in changes] == [(Health.HEALTHY, Health.UNHEALTHY, "disk full")]


def test_unhealthy_is_only_reported_where_that_is_the_policy():
    plant = graph([command("web", check=True, health=HealthPolicy(on_unhealthy="report", failures=1))])
    world = applied(plant)
    world.tell(Probed(WEB, 1, healthy=True))
    world.run()
    assert world.outcomes[1].result is Result.COMMITTED
    world.tell(Probed(WEB, 1, healthy=False, reason="HTTP 500"))
    world.wait()
    web = world.state.roster.instances[WEB]
    assert (web.epoch, web.health, web.health_reason) == (1, Health.UNHEALTHY, "HTTP 500")


# --- commands ----------------------------------------------------------------------------------------------------------


def test_a_oneshot_that_ends_well_is_stopped_healthy_and_meets_its_dependents():
    plant = graph(
        [command("schema", oneshot=True), module("tags")], [edge("tags", "schema", condition=Condition.COMPLETED)]
    )
    world = applied(plant)
    schema = world.state.roster.instances[gateway("schema")]
    assert (schema.state, schema.health, schema.cause) == (ModuleState.STOPPED, Health.HEALTHY, "completed")
    assert world.states()["tags"] == "running"


def test_a_command_that_exits_has_failed_whatever_its_code_with_its_last_words():
    world = applied(graph([command("web")]))
    world.end_command(WEB, 0, "exit 0")
    world.wait()
    (fault,) = [h.body.fault for h in world.happenings if isinstance(h.body, LifecycleEvent) and h.body.fault]
    assert (fault.kind, fault.summary, fault.detail) == (FaultKind.EXITED, "the command ended: exit 0", "last words")
    assert world.states() == {"web": "running"}


def test_restarted_on_failure_only_a_clean_exit_is_left_alone():
    world = applied(graph([command("web", lifecycle=Lifecycle(restart="on-failure"))]))
    world.end_command(WEB, 0, "exit 0")
    world.wait()
    assert world.states() == {"web": "stopped"}


def test_a_command_is_asked_to_stop_with_its_grace():
    world = applied(graph([command("web", lifecycle=Lifecycle(stop_timeout=3.0))]))
    world.tell(ShutdownAsked("operator", 0))
    assert StopCommand(WEB, 1, 3.0) in world.effects
    assert world.run().code == 0


# --- the operator ------------------------------------------------------------------------------------------------------


def test_a_restart_is_answered_when_it_holds():
    world = applied()
    world.tell(Asked("restart", TAGS, "me", 5))
    assert 5 not in world.answers
    world.run()
    assert world.answers[5] == ""
    assert world.state.roster.instances[TAGS].epoch == 2


def test_a_restart_that_fails_is_refused_with_the_reason():
    world = applied()
    world.scripts.outcomes[TAGS, "startup"] = ["fatal"]
    world.tell(Asked("restart", TAGS, "me", 5))
    world.run()
    assert world.answers[5] == "wrong licence"


def test_a_restart_tries_a_parked_instance_at_once():
    world = applied(outcomes={(TAGS, "startup"): ["fatal"]})
    assert world.states()["tags"] == "error"
    world.tell(Asked("restart", TAGS, "me", 5))
    world.run()
    assert world.answers[5] == ""
    assert world.states() == {"tags": "running", "web": "running"}


def test_an_unknown_instance_is_refused_by_name():
    world = applied()
    world.tell(Asked("restart", gateway("tgas"), "me", 5))
    assert world.answers[5] == "there is no instance `tgas@gateway`"


def test_a_stop_is_kept_over_an_apply_until_a_start():
    world = applied()
    world.tell(Asked("stop", WEB, "me", 5))
    world.run()
    assert world.answers[5] == "" and world.states()["web"] == "stopped"
    after = graph([module("tags"), module("web", host="other", code="2")], PLANT.edges)
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.COMMITTED
    assert world.state.roster.instances[WEB].held_by == "me"
    assert world.state.roster.instances[WEB].goal is Goal.DOWN
    world.tell(Asked("start", WEB, "me", 6))
    world.run()
    assert world.answers[6] == "" and world.states()["web"] == "running"


# --- details -----------------------------------------------------------------------------------------------------------


def test_instances_of_one_host_are_loaded_and_started_by_one_order_each():
    plant = graph([module(f"m{n}") for n in range(50)])
    world = applied(plant)
    assert [len(e.specs) for e in world.effects if isinstance(e, LoadHost)] == [50]
    assert [len(o.items) for o in orders_since(world, 0) if isinstance(o, Start)] == [50]
    assert len([e for e in world.effects if isinstance(e, LaunchHost)]) == 1


def test_where_a_provider_is_reaches_the_hosts_of_its_dependents():
    world = applied()
    routes = [r for o in orders_since(world, 0) for r in getattr(o, "routes", ())]
    last = [route for route in routes if route.provider == TAGS][-1]
    assert (last.socket, last.state, last.exports) == ("/run/gateway", ModuleState.RUNNING, {"of": TAGS})
    world.kill_host("gateway")
    mark = len(world.effects)
    world.wait()
    routes = [r for o in orders_since(world, mark) for r in getattr(o, "routes", ()) if r.provider == TAGS]
    assert routes[0].socket is None
    assert (routes[-1].socket, routes[-1].state) == ("/run/gateway", ModuleState.RUNNING)


def test_the_time_asked_for_is_the_earliest_that_matters():
    world = applied(outcomes={(TAGS, "startup"): ["not-ready", "..."]})
    wakes = [effect.at for effect in world.effects if isinstance(effect, WakeAt)]
    assert wakes[-1] == 5.0


def test_figures_are_kept_over_incarnations():
    world = applied(graph([module("tags")]))
    world.wait(100.0)
    world.tell(Asked("restart", TAGS, "me", 5))
    world.wait(50.0)
    figures = world.state.roster.instances[TAGS].statistics
    assert figures.startups == 2 and figures.restart_count == 1 and figures.error_count == 0
    assert figures.up_seconds == 100.0
    assert figures.shutdown_time is not None
    moves = [h for h in world.happenings if isinstance(h.body, LifecycleEvent)]
    assert figures.event_count == len(moves)


def test_an_apply_while_going_down_is_refused():
    world = applied()
    world.tell(ShutdownAsked("me", 0), proposed(PLANT, PLANT, base=1, request=2))
    assert world.outcomes[2].summary == "the plant is going down"


def test_specs_of_untouched_instances_take_their_new_words_without_a_restart():
    world = applied()
    labelled = [replace(spec, labels={"tier": "1"}) for spec in PLANT.instances.values()]
    after = graph([*labelled, module("more", host="gateway.2")], PLANT.edges)
    world.tell(proposed(after, PLANT, base=1, request=2))
    world.run()
    assert world.state.roster.instances[TAGS].spec.labels == {"tier": "1"}
    assert world.state.roster.instances[TAGS].epoch == 1


def test_what_a_oneshot_exports_outlives_it():
    plant = graph(
        [command("schema", oneshot=True, exports=Tree({"path": "/db"})), module("tags")], [edge("tags", "schema")]
    )
    world = applied(plant)
    assert world.state.roster.instances[gateway("schema")].exports == {"path": "/db"}
    routes = [r for o in orders_since(world, 0) for r in getattr(o, "routes", ()) if r.provider == gateway("schema")]
    assert routes[-1].exports == {"path": "/db"}


def test_waiting_for_one_that_is_not_ready_is_no_silence():
    plant = graph([module("tags"), module("page")], [edge("page", "tags")])
    world = applied(plant, {(TAGS, "startup"): ["not-ready"] * 6})
    world.wait(1000.0)
    assert world.outcomes[1].result is Result.COMMITTED
    assert world.state.roster.hosts[GATEWAY].epoch == 1
