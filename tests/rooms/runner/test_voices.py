"""Holds the logs of modules to what an operator who reads only them has to know."""

from datetime import UTC, datetime

from ignrun.protocol.reports import LogLine
from ignrun.runner.voices import Voices
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.record import LogRecord
from ignrun.runtime.supervise.roster import HostRecord, Roster
from ignrun.terms.events import Body, Event, LifecycleEvent, OperatorAsked, RetryScheduled, SlowStart
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
