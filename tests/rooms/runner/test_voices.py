"""Holds the logs of modules to what an operator who reads only them has to know."""

from datetime import UTC, datetime

import pytest

from ignrun.manifest.model import LogPolicy
from ignrun.planner.graph.model import Graph, Rules
from ignrun.protocol.reports import LogLine
from ignrun.runner.voices import Voices
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.record import LogRecord
from ignrun.runtime.supervise.roster import HostRecord, Roster
from ignrun.terms.events import (
    AlertFired,
    ApplyEnded,
    Body,
    Event,
    LifecycleEvent,
    OperatorAsked,
    RetryScheduled,
    SlowStart,
)
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import HostId, ModuleScope
from ignrun.terms.states import ModuleState

T0 = datetime(2026, 5, 4, tzinfo=UTC)


def test_who_is_slow_or_parked_is_told_of_in_its_own_log(tmp_path) -> None:
    kept: list[LogRecord] = []
    voices = Voices(LogFiles(tmp_path), str, State, kept.append)
    bodies: tuple[Body, ...] = (
        SlowStart(ModuleState.STARTING, 10.0),
        RetryScheduled(0.0, 1),
        RetryScheduled(15.0, 6, parked=True),
        OperatorAsked("restart", "anna"),
    )
    voices.happened(tuple(Event(n, T0, 1.0, "tags@gateway", 1, body) for n, body in enumerate(bodies)))
    assert [(one.address, one.level, one.text) for one in kept] == [
        ("tags@gateway", "warning", "ignrun: has been starting for 10s"),
        ("tags@gateway", "warning", "ignrun: parked, to be tried again in 15s (attempt 6)"),
    ]


def test_a_fault_stands_whole_in_the_log_of_its_module_with_secrets_blotted_out(tmp_path) -> None:
    kept: list[LogRecord] = []
    voices = Voices(LogFiles(tmp_path), lambda text: text.replace("hunter2", "***"), State, kept.append)
    raised = Fault(FaultKind.RAISED, "ValueError: no", "startup", "Traceback (most recent call last):\n  hunter2")
    skipped = Fault(FaultKind.UPSTREAM, "skipped", upstream="tags@gateway")
    for number, (subject, fault) in enumerate([("tags@gateway", raised), ("web@gateway", skipped)]):
        moved = LifecycleEvent(ModuleState.STARTING, ModuleState.ERROR, "startup raised", 1, fault)
        voices.happened((Event(number, T0, 1.0, subject, 1, moved),))
    assert [(one.address, one.level, one.text) for one in kept] == [
        ("tags@gateway", "error", "ignrun: ValueError: no in `startup`\nTraceback (most recent call last):\n  ***")
    ]


def test_that_a_module_is_not_ready_is_news_once_until_it_runs(tmp_path) -> None:
    kept: list[LogRecord] = []
    voices = Voices(LogFiles(tmp_path), str, lambda: plant_that_logs(level="debug"), kept.append)
    fault = Fault(FaultKind.NOT_READY, "not ready: broker not up", "startup", "Traceback (most recent call last):")
    not_ready = LifecycleEvent(ModuleState.STARTING, ModuleState.ERROR, fault.summary, fault=fault)
    runs = LifecycleEvent(ModuleState.STARTING, ModuleState.RUNNING, "startup returned")
    bodies: tuple[Body, ...] = (not_ready, not_ready, not_ready, runs, not_ready)
    voices.happened(tuple(Event(n, T0, 1.0, "tags@gateway", 1, body) for n, body in enumerate(bodies)))
    assert [one.level for one in kept] == ["warning", "debug", "debug", "warning"]
    assert {one.text for one in kept} == {"ignrun: not ready: broker not up"}


def test_what_is_printed_in_a_shared_host_is_the_hosts_own_and_all_else_without_a_name_the_runners(tmp_path) -> None:
    kept: list[LogRecord] = []
    gateway = HostRecord(HostId("gateway"), ModuleScope.GATEWAY, own=False)
    state = State(roster=Roster({}, {gateway.host: gateway}))
    files = LogFiles(tmp_path)
    voices = Voices(files, str, lambda: state, kept.append)
    for speaker in ("gateway", "stranger"):
        voices.heard(speaker, (LogLine("", T0, "info", "printed"),))
    files.close()
    assert [(one.address, one.host) for one in kept] == [("", "gateway"), ("", "")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gateway.log", "runner.log"]


def plant_that_logs(**policy) -> State:
    return State(graph=Graph("plant", {}, (), rules=Rules(log=LogPolicy(**policy))))


def line(text: str, level: str = "info", **fields) -> LogLine:
    return LogLine("", T0, level, text, fields)


@pytest.mark.parametrize(
    ("policy", "in_file", "on_stdout"),
    [({}, 1, 1), ({"to": "file"}, 1, 0), ({"to": "stdout"}, 0, 1), ({"to": "both"}, 1, 1)],
)
def test_lines_go_where_the_manifest_says(tmp_path, policy, in_file, on_stdout) -> None:
    shown: list[LogRecord] = []
    files = LogFiles(tmp_path)
    voices = Voices(files, str, lambda: plant_that_logs(**policy), shown.append)
    voices.heard("web@gateway", (line("one"),))
    files.close()
    kept = (tmp_path / "web.log").read_text().count("\n") if (tmp_path / "web.log").exists() else 0
    assert (kept, len(shown)) == (in_file, on_stdout)


def test_a_line_meant_for_a_standard_output_that_nobody_has_is_kept_in_the_file(tmp_path) -> None:
    files = LogFiles(tmp_path)
    Voices(files, str, lambda: plant_that_logs(to="stdout"), None).heard("web@gateway", (line("one"),))
    files.close()
    assert "one" in (tmp_path / "web.log").read_text()


@pytest.mark.parametrize(
    ("least", "kept"),
    [(None, ["info", "warning", "error"]), ("debug", ["debug", "info", "warning", "error"]), ("error", ["error"])],
)
def test_lines_below_the_level_of_the_manifest_are_not_kept(tmp_path, least, kept) -> None:
    shown: list[LogRecord] = []
    voices = Voices(LogFiles(tmp_path), str, lambda: plant_that_logs(level=least), shown.append)
    voices.heard("web@gateway", tuple(line("x", level) for level in ("debug", "info", "warning", "error")))
    assert [one.level for one in shown] == kept


def test_figures_stay_figures_and_secret_figures_are_blotted_out(tmp_path) -> None:
    shown: list[LogRecord] = []
    voices = Voices(LogFiles(tmp_path), lambda text: text.replace("1234567", "***"), State, shown.append)
    voices.heard("web@gateway", (line("x", took=1.5, ok=True, pin=1234567, path="a/1234567"),))
    assert shown[0].fields == {"took": 1.5, "ok": True, "pin": "***", "path": "a/***"}


def test_a_flood_is_told_of_once_a_second_by_name(tmp_path) -> None:
    shown: list[LogRecord] = []
    voices = Voices(LogFiles(tmp_path), str, State, shown.append, mono=lambda: 0.0)
    voices.heard("web@gateway", tuple(line("x") for _ in range(10_000)))
    voices.tick()
    voices.tick()
    assert len(shown) == 2001
    assert shown[-1].text == "web@gateway wrote more than 1,000 lines a second: 8,000 lines are left out here"
    assert (shown[-1].address, shown[-1].level) == ("web@gateway", "warning")


def test_the_runner_has_a_log_of_its_own_and_alerts_stand_in_the_log_of_whom_they_concern(tmp_path) -> None:
    kept: list[LogRecord] = []
    voices = Voices(LogFiles(tmp_path), str, State, kept.append)
    voices.happened((Event(1, T0, 1.0, "", 1, ApplyEnded(1, "committed", "all arrived")),))
    voices.happened((Event(2, T0, 1.0, "web@gateway", 1, AlertFired("big", "critical", "memory is high")),))
    assert [(one.log, one.level, one.text) for one in kept] == [
        ("runner", "info", "apply 1 ended committed: all arrived"),
        ("web", "error", "ignrun: critical alert big fires: memory is high"),
    ]
