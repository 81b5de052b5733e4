"""Holds the tables of processes, alerts and the past to what people have to see in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ignrun.render.alerts import AlertsReport, AlertStatus, alerts_text, by_gravity
from ignrun.render.past import past_of, past_text
from ignrun.render.sparkline import BARS, sparkline
from ignrun.render.top import top_of, top_text
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.figures import Figures
from ignrun.runtime.observe.history import Bucket
from ignrun.runtime.observe.observer import Look
from ignrun.runtime.supervise.roster import HostRecord, Instance, Roster
from ignrun.terms.events import Event, HealthChanged, ProcessStarted
from ignrun.terms.names import HostId, ModuleScope
from ignrun.terms.states import Health, ModuleState
from tests.doubles.plants import command, graph, module

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MIB = 2**20
TAKES = {
    "": (Look(1.0, Figures(1, 40 * MIB)), Look(2.0, Figures(1, 40 * MIB, 0.01, 5, 30, 0.0, 0.0))),
    "gateway": (Look(1.0, Figures(7, 100 * MIB)), Look(2.0, Figures(7, 120 * MIB, 0.5, 9, 50, 1024.0, 2048.0))),
    "web@gateway": (Look(2.0, Figures(9, 10 * MIB, 1.25, 1, 4)),),
}


def plant(*, host_pid: int = 7) -> State:
    up: dict[str, Any] = {"state": ModuleState.RUNNING, "health": Health.HEALTHY}
    specs = [module("tags"), module("historian"), command("web")]
    instances = {one.address: Instance(one, **up) for one in specs}
    web = specs[2].address
    instances[web] = replace(instances[web], pid=9, health=Health.DEGRADED)
    host = HostRecord(HostId("gateway"), ModuleScope.GATEWAY, own=False, pid=host_pid)
    return State(graph=graph(specs), roster=Roster(instances, {host.host: host}))


def test_every_process_stands_with_what_it_takes_and_who_lives_in_it() -> None:
    report = top_of(plant(), "line-4", 1, AT, lambda name: TAKES.get(name, ()))
    assert [(one.name, one.kind, one.pid, one.cpu, one.memory) for one in report.processes] == [
        ("runner", "runner", 1, 1.0, 40 * MIB),
        ("web@gateway", "command", 9, 125.0, 10 * MIB),
        ("gateway", "host", 7, 50.0, 120 * MIB),
    ]
    assert report.processes[2].instances == ("tags@gateway", "historian@gateway")
    text = top_text(report)
    assert text.splitlines()[0] == "line-4: 3 processes, 176.0 % of a processor, 170 MiB"
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["PROCESS", "runner", "web", "gateway"]
    assert text.splitlines()[-1].endswith("1 KiB   2 KiB      tags, historian")


def test_figures_of_a_process_before_are_not_those_of_the_one_now() -> None:
    report = top_of(plant(host_pid=8), "line-4", 1, AT, lambda name: TAKES.get(name, ()))
    assert next(one for one in report.processes if one.name == "gateway").memory is None
    assert " - " in top_text(report)


def test_what_does_not_fit_is_counted() -> None:
    report = top_of(plant(), "line-4", 1, AT, lambda _: ())
    assert top_text(report, rows=1).endswith("and 2 more\n")


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9))))
def test_a_sparkline_has_one_sign_for_each_value(values) -> None:
    drawn = sparkline(values)
    assert len(drawn) == len(values) and set(drawn) <= {*BARS, "·"}


def test_a_sparkline_goes_from_the_least_to_the_most() -> None:
    assert sparkline([0, None, 1, 2, 3, 4, 5, 6, 7]) == "▁·▂▃▄▅▆▇█"
    assert sparkline([5, 5]) == "▁▁" and sparkline([5, 5], floor=0) == "██"


def alert(name: str, severity: str, state: str = "firing", seconds: float = 90) -> AlertStatus:
    return AlertStatus(name, f"{name}@gateway", severity, state, AT - timedelta(seconds=seconds), "memory is high")


def test_the_gravest_alert_stands_first() -> None:
    found = by_gravity(
        [alert("a", "info"), alert("b", "critical", "pending"), alert("c", "critical"), alert("d", "warning")]
    )
    assert [one.alert for one in found] == ["c", "d", "a", "b"]
    text = alerts_text(AlertsReport("1.0", "line-4", AT, found, ("a", "b", "c", "d")))
    assert text.splitlines()[1].split() == ["c", "c", "critical", "firing", "1m30s", "memory", "is", "high"]


@pytest.mark.parametrize(("rules", "said"), [((), "0 rules"), (("big",), "1 rule"), (("a", "b"), "2 rules")])
def test_quiet_is_said_in_one_line(rules, said) -> None:
    assert alerts_text(AlertsReport("1.0", "p", AT, (), rules)) == f"no alert fires ({said})\n"


def test_the_past_of_a_module_is_what_became_of_it_and_what_its_process_took() -> None:
    since, events = (
        AT - timedelta(hours=1),
        [
            Event(1, AT, 1.0, "tags@gateway", 1, HealthChanged(Health.HEALTHY, Health.DEGRADED, "slow")),
            Event(2, AT, 1.0, "tags@gateway", 1, ProcessStarted(1, "x")),
            Event(3, AT, 1.0, "stranger@gateway", 1, HealthChanged(Health.HEALTHY, Health.DEGRADED)),
        ],
    )
    at = int(since.timestamp())
    series = {
        ("gateway", "memory"): (Bucket(at, 1, MIB, MIB, MIB), Bucket(at + 3599, 1, 2 * MIB, 0, 0)),
        ("other", "cpu"): (),
    }
    report = past_of(plant().graph, events, series, since, AT)
    tags = report.modules[0]
    assert [(one.seq, one.text) for one in tags.happened] == [(1, "health healthy -> degraded: slow")]
    assert [(one.subject, one.figure, one.values[0], one.values[-1]) for one in tags.series] == [
        ("gateway", "memory", MIB, 2 * MIB)
    ]
    text = past_text(report)
    assert text.startswith("plant: the last 1h\n\ntags\n  memory       ▅·")
    assert "█ 2 MiB (of host gateway)" in text and "web\n  nothing is known of this time" in text
