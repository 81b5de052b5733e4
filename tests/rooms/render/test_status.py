"""Holds the status to the truth about rosters, and its table to what people need to see."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from ignrun.render.status import status_of, unready
from ignrun.render.status_report import ApplyStatus, Usage, decode_status, encode_status
from ignrun.render.status_table import plant_line, status_text
from ignrun.runtime.apply.state import Phase, State, Transaction
from ignrun.runtime.supervise.roster import Backoff, Goal, HostPhase, HostRecord, Instance, Roster, Stall, Statistics
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address, HostId, ModuleScope
from ignrun.terms.states import Health, ModuleState
from tests.doubles.plants import proposed
from tests.rooms.render.plants import AT, LINE, RUNNER, graph_of, hosted

NOW = 1000.0
UP: dict[str, Any] = {
    "state": ModuleState.RUNNING,
    "health": Health.HEALTHY,
    "goal": Goal.UP,
    "since": NOW - 90,
    "cause": "started",
}


def state_of(*instances, hosts=(), **changed) -> State:
    roster = Roster({one.spec.address: one for one in instances}, {host.host: host for host in hosts})
    graph = graph_of(*(one.spec for one in instances))
    return State(graph=graph, roster=roster, generation=3, **changed)


def report_of(*instances, **changed):
    usage = changed.pop("usage", None)
    return status_of(state_of(*instances, **changed), mono=NOW, at=AT, runner=RUNNER, usage=usage)


def one_of(*instances, **changed):
    return report_of(*instances, **changed).instances[0]


def shared_host(pid=77) -> HostRecord:
    return HostRecord(HostId("gateway"), ModuleScope.GATEWAY, own=False, phase=HostPhase.SERVING, pid=pid)


def test_the_plant_says_who_runs_it_and_what_is_in_force() -> None:
    plant = report_of(Instance(hosted("tags@gateway"), **UP)).plant
    assert (plant.name, plant.state, plant.generation, plant.pid) == ("line", "running", 3, 42)
    assert plant.socket == "/run/line.sock"
    assert plant.uptime_seconds == 3600.0


@pytest.mark.parametrize(
    ("changed", "word"), [({"held": True}, "held"), ({"ending": 0, "held": True}, "ending"), ({}, "running")]
)
def test_the_plant_says_in_one_word_how_it_is(changed, word) -> None:
    assert report_of(Instance(hosted("tags@gateway"), **UP), **changed).plant.state == word


def test_uptime_goes_on_counting_while_it_runs_and_survives_an_error() -> None:
    statistics = Statistics(up_seconds=100.0, error_count=2, startups=3, startup_seconds=0.6)
    running = one_of(Instance(hosted("tags@gateway"), statistics=statistics, **UP)).statistics
    failed = Instance(hosted("tags@gateway"), state=ModuleState.ERROR, since=NOW - 10, statistics=statistics)
    assert running.uptime_seconds == 190.0
    assert one_of(failed).statistics.uptime_seconds == 100.0


def test_means_are_means_and_null_without_anything_to_take_them_of() -> None:
    statistics = Statistics(up_seconds=100.0, error_count=2, startups=3, startup_seconds=0.6)
    counted = one_of(Instance(hosted("tags@gateway"), statistics=statistics, **UP)).statistics
    assert counted.average_startup_time == pytest.approx(0.2)
    assert counted.mean_time_between_failures == pytest.approx(95.0)
    new = one_of(Instance(hosted("tags@gateway"))).statistics
    assert (new.average_startup_time, new.mean_time_between_failures, new.availability_percentage) == (None,) * 3


def test_availability_is_the_share_of_time_that_it_was_up() -> None:
    statistics = Statistics(up_seconds=90.0, down_seconds=10.0)
    failed = Instance(hosted("tags@gateway"), state=ModuleState.ERROR, since=NOW - 20, statistics=statistics)
    assert one_of(failed).statistics.availability_percentage == 75.0


def test_who_shares_a_process_is_named_and_has_no_memory_of_its_own() -> None:
    specs = [hosted("tags@gateway"), hosted("alarms@gateway")]
    usage = {77: Usage(1000, 5.0)}
    tags = one_of(*(Instance(spec, **UP) for spec in specs), hosts=[shared_host()], usage=usage)
    assert (tags.host, tags.pid, tags.shares_with) == ("gateway", 77, ("alarms@gateway",))
    assert tags.statistics.memory_usage is None
    alone = one_of(Instance(specs[0], **UP), hosts=[shared_host()], usage=usage)
    assert (alone.statistics.memory_usage, alone.statistics.cpu_usage) == (1000, 5.0)


def test_a_retry_to_come_has_a_time_of_day() -> None:
    parked = Backoff(attempt=4, parked=True, next_retry=NOW + 15)
    one = one_of(Instance(hosted("tags@gateway"), state=ModuleState.ERROR, since=NOW, backoff=parked))
    assert one.next_retry == AT + timedelta(seconds=15)
    assert (one.attempt, one.parked) == (4, True)


def test_instances_stand_in_the_order_in_which_they_start() -> None:
    instances = {address: Instance(spec, **UP) for address, spec in reversed(LINE.instances.items())}
    state = State(graph=LINE, roster=Roster(instances), generation=1)
    report = status_of(state, mono=NOW, at=AT, runner=RUNNER)
    assert [one.address for one in report.instances] == list(LINE.instances)


def test_the_public_form_comes_back_as_it_went() -> None:
    report = report_of(Instance(hosted("tags@gateway"), **UP), hosts=[shared_host()])
    assert decode_status(encode_status(report)) == report


def test_the_public_form_has_the_names_that_the_field_knows() -> None:
    form = msgspec.json.decode(encode_status(report_of(Instance(hosted("tags@gateway"), **UP))))
    assert set(form) == {"format_version", "plant", "instances"}
    assert {"name", "socket", "generation", "state"} <= set(form["plant"])
    assert {"address", "state", "health", "pid", "host", "cause"} <= set(form["instances"][0])
    assert set(form["instances"][0]["statistics"]) == {
        "uptime_seconds", "restart_count", "error_count", "last_error", "last_error_time", "health_status", "startup_time",
        "shutdown_time", "average_startup_time", "availability_percentage", "mean_time_between_failures", "event_count",
        "memory_usage", "cpu_usage",
    }  # fmt: skip


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_shows_state_health_and_why() -> None:
    fault = Fault(FaultKind.UPSTREAM, "skipped", upstream="tags@gateway")
    report = report_of(
        Instance(hosted("tags@gateway"), **UP),
        Instance(hosted("alarms@gateway"), state=ModuleState.ERROR, since=NOW - 5, fault=fault),
        hosts=[shared_host()],
    )
    assert status_text(report, now=AT) == (
        "plant line: running, 1 of 2 not well, generation 3, runner pid 42, up 1h\n"
        "\n"
        "MODULE  STATE    HEALTH   UP     RESTARTS  PID  HOST                   WHY\n"
        "tags    running  healthy  1m30s  0         77   gateway (shared by 2)  started\n"
        "alarms  error    unknown  -      0         77   gateway (shared by 2)  skipped: upstream tags\n"
    )


def test_who_waits_in_vain_names_the_root_cause() -> None:
    waiting = Instance(hosted("web@gateway"), state=ModuleState.INITIALIZED, since=NOW, upstream="tags@gateway")
    assert status_text(report_of(waiting), now=AT).endswith("skipped: upstream tags\n")


def test_whoever_was_in_a_blocked_host_was_not_skipped() -> None:
    fault = Fault(FaultKind.TIMED_OUT, "host gateway was blocked for 14s", "startup", upstream="tags@gateway")
    culprit = Instance(hosted("tags@gateway"), state=ModuleState.ERROR, since=NOW, fault=fault)
    assert status_text(report_of(culprit), now=AT).endswith("host gateway was blocked for 14s\n")


@pytest.mark.parametrize(("since", "said"), [("", "no answer"), ("no answer", "no answer; alone since then")])
def test_who_runs_alone_because_of_what_is_said_already_says_it_once(since, said) -> None:
    fault = Fault(FaultKind.TIMED_OUT, "no answer", "startup")
    culprit = Instance(hosted("tags@gateway"), state=ModuleState.ERROR, since=NOW, fault=fault)
    report = report_of(culprit)
    (one,) = report.instances
    shown = replace(report, instances=(replace(one, alone=since),))
    assert status_text(shown, now=AT).endswith(f"  {said}\n")


@pytest.mark.parametrize("health", [Health.HEALTHY, Health.DEGRADED, Health.UNHEALTHY])
def test_nobody_who_runs_in_a_stuck_host_is_called_healthy(health) -> None:
    stuck = replace(shared_host(), stall=Stall("tags@gateway", "Tags.run at tags.py:7", NOW - 3))
    up = {**UP, "health": health, "health_reason": "as it was"}
    runs = Instance(hosted("web@gateway"), **up, ordered=True)
    one = one_of(runs, Instance(hosted("tags@gateway"), **UP, ordered=True), hosts=[stuck])
    if health is Health.UNHEALTHY:
        assert (one.health, one.health_reason) == ("unhealthy", "as it was")
        return
    assert (one.health, one.statistics.health_status) == ("degraded", "degraded")
    assert one.health_reason == "blocked by tags@gateway in Tags.run at tags.py:7 for 3s"


def test_a_second_scope_brings_the_scopes_into_view() -> None:
    report = report_of(Instance(hosted("tags@gateway"), **UP), Instance(hosted("tags@designer"), **UP))
    assert "tags@gateway " in status_text(report, now=AT)


def test_a_failure_says_when_it_will_be_tried_again() -> None:
    broken = Instance(
        hosted("tags@gateway"),
        state=ModuleState.ERROR,
        since=NOW,
        fault=Fault(FaultKind.RAISED, "ValueError: no"),
        backoff=Backoff(attempt=3, parked=True, next_retry=NOW + 15),
    )
    assert "ValueError: no; parked, again in 15s (attempt 3)" in status_text(report_of(broken), now=AT)


def test_a_retry_that_is_due_is_not_announced_any_more() -> None:
    due = Instance(
        hosted("tags@gateway"),
        state=ModuleState.ERROR,
        since=NOW,
        fault=Fault(FaultKind.RAISED, "ValueError: no"),
        backoff=Backoff(attempt=3, next_retry=NOW - 1),
    )
    assert status_text(report_of(due), now=AT).endswith("  ValueError: no\n")


def test_whoever_runs_without_its_required_provider_says_so() -> None:
    instances = {address: Instance(spec, **UP) for address, spec in LINE.instances.items()}
    broken = Instance(
        LINE.instances[Address("tags@gateway")],
        state=ModuleState.ERROR,
        since=NOW,
        fault=Fault(FaultKind.RAISED, "no"),
    )
    state = State(graph=LINE, roster=Roster(instances | {Address("tags@gateway"): broken}), generation=1)
    text = status_text(status_of(state, mono=NOW, at=AT, runner=RUNNER), now=AT)
    whys = {line.split()[0]: line for line in text.splitlines()[3:]}
    assert whys["historian"].endswith("  upstream tags: error")
    assert whys["web"].endswith("  started")
    assert text.startswith("plant line: running, 1 of 4 not well, ")


@pytest.mark.parametrize("width", [90, 120])
def test_a_narrow_terminal_shows_the_whole_reason_in_more_lines(width) -> None:
    long = Instance(hosted("tags@gateway"), **UP | {"cause": "a very long reason " * 20})
    lines = status_text(report_of(long), now=AT, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert "\n".join(lines).count("reason") == 20


def test_what_a_module_says_cannot_steer_a_terminal() -> None:
    nasty = Instance(
        hosted("tags@gateway"), **UP | {"health": Health.DEGRADED, "health_reason": "\x1b]0;mine\x07\nfalse row"}
    )
    text = status_text(report_of(nasty), now=AT)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4


def test_a_plant_that_never_applied_anything_is_one_line() -> None:
    report = status_of(State(), mono=NOW, at=AT, runner=RUNNER)
    assert status_text(report, now=AT) == "plant line: idle, runner pid 42, up 1h\n"


def test_the_address_type_is_what_the_graph_uses() -> None:
    assert Address("tags@gateway") in state_of(Instance(hosted("tags@gateway"))).roster.instances


def test_an_apply_under_way_has_its_number_and_says_how_far_it_is() -> None:
    plant = report_of(Instance(hosted("tags@gateway"), **UP)).plant
    under_way = msgspec.structs.replace(plant, apply=ApplyStatus(4, 3, "applying", "cli", 1, 0, 2.0))
    assert "apply 4: 0 of 1 settled" in plant_line(under_way)


@pytest.mark.parametrize(
    ("health", "said"),
    [(Health.HEALTHY, "its health is watched"), (Health.DEGRADED, "waits for tags@gateway to be healthy")],
)
def test_an_apply_whose_health_is_watched_names_who_is_degraded(health, said) -> None:
    spec = hosted("tags@gateway")
    proposal = proposed(graph_of(spec)).proposal
    soaking = Transaction(4, 3, proposal, "cli", (), Phase.SOAKING, NOW, members=frozenset({spec.address}))
    plant = report_of(Instance(spec, **(UP | {"health": health})), transaction=soaking).plant
    assert f"settled, {said}, runner" in plant_line(plant)


def test_a_crowd_in_one_process_names_few_and_counts_all() -> None:
    specs = [hosted(f"m{number}@gateway") for number in range(1000)]
    roster = Roster({spec.address: Instance(spec) for spec in specs})
    report = status_of(State(graph=graph_of(*specs), roster=roster), mono=1.0, at=AT, runner=RUNNER)
    assert {(len(one.shares_with), one.shared_by) for one in report.instances} == {(20, 1000)}
    assert all(one.address not in one.shares_with for one in report.instances)
    assert len(encode_status(report)) < 3_000_000
    assert "gateway (shared by 1000)" in status_text(report, now=AT)


def test_of_a_crowd_a_terminal_shows_those_that_want_to_be_looked_at() -> None:
    specs = [hosted(f"m{number}@gateway") for number in range(1000)]
    failed = Instance(specs[7], state=ModuleState.ERROR, fault=Fault(FaultKind.RAISED, "no disk"), goal=Goal.UP)
    others = [Instance(spec, **UP) for spec in specs if spec is not specs[7]]
    sick = msgspec.structs.replace(others[3], health=Health.UNHEALTHY, health_reason="slow")
    text = status_text(report_of(*others[:3], sick, failed, *others[4:]), now=AT, width=100, most=50)
    assert [line.split()[0] for line in text.splitlines()[2:5]] == ["MODULE", "m7", "m3"]
    assert "and 998 running, healthy\n`ignrun status --all` shows every one\n" in text
    assert len(status_text(report_of(*others), now=AT, width=100, most=50).splitlines()) == 4


READINESS = [
    (state_of(Instance(hosted("a@gateway"), **UP)), ""),
    (State(), "nothing has been applied yet"),
    (state_of(Instance(hosted("a@gateway"), state=ModuleState.ERROR)), "in error: a@gateway"),
    (state_of(Instance(hosted("a@gateway"), **UP | {"health": Health.UNHEALTHY})), "unhealthy: a@gateway"),
    (state_of(Instance(hosted("a@gateway"), **UP | {"state": ModuleState.STARTING})), "not running: a@gateway"),
    (state_of(Instance(hosted("a@gateway"), **UP | {"state": ModuleState.STOPPED, "completed": True})), ""),
    (state_of(Instance(hosted("a@gateway"), state=ModuleState.STOPPED, goal=Goal.DOWN, held_by="ann")), ""),
    (
        state_of(*(Instance(hosted(f"m{n}@gateway"), state=ModuleState.ERROR) for n in range(900))),
        "in error: m0@gateway, m1@gateway, m2@gateway, m3@gateway, m4@gateway and 895 more",
    ),
]


@pytest.mark.parametrize(("state", "reason"), READINESS, ids=[reason[:20] or "ready" for _, reason in READINESS])
def test_a_plant_is_ready_when_all_that_is_meant_to_be_up_is(state, reason) -> None:
    assert unready(state) == reason
