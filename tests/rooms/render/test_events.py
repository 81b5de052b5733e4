"""Holds the lines of events to their kinds: none is forgotten, none can steer a terminal."""

from typing import get_args

import pytest

from ignrun.render.events import body_text, event_line
from ignrun.terms import events as kinds
from ignrun.terms.events import Body, Event
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import Health, ModuleState
from tests.rooms.render.plants import AT

FAULT = Fault(FaultKind.RAISED, "ValueError: no", "startup")

TOLD = {
    kinds.RunnerStarted(42, "0.1.0"): "runner started (pid 42, ignrun 0.1.0)",
    kinds.RunnerEnded(0): "runner ended with exit code 0",
    kinds.ApplyBegan(1, "feed", "cli", 2): "apply 1 began: 2 steps, asked for by cli",
    kinds.ApplyEnded(1, "held", "1 of 2 arrived"): "apply 1 ended held: 1 of 2 arrived",
    kinds.StepBegan(1, "create"): "create began",
    kinds.StepEnded(1, "create", FAULT): "create failed: ValueError: no",
    kinds.SoakBegan(1, 3.0): "apply 1 has arrived, its health is watched for 3s",
    kinds.SoakEnded(1, "web@gateway: unhealthy"): "the watch over apply 1 is over: web@gateway: unhealthy",
    kinds.RollbackBegan(2, 1, "web@gateway: no"): "apply 2 is rolled back to generation 1: web@gateway: no",
    kinds.RollbackEnded(2, 1, 1): "apply 2 was rolled back to generation 1, but 1 instance could not be restored",
    kinds.StepUndone(2, "restart", FAULT): "restart could not be undone: ValueError: no",
    kinds.LifecycleEvent(ModuleState.STARTING, ModuleState.RUNNING, "startup returned"): (
        "starting -> running: startup returned"
    ),
    kinds.MoveRefused(ModuleState.STOPPED, ModuleState.RUNNING): (
        "refused a move stopped -> running, which the table of states does not allow"
    ),
    kinds.HealthChanged(Health.HEALTHY, Health.UNHEALTHY, "no answer"): "health healthy -> unhealthy: no answer",
    kinds.ProcessStarted(7, "host gateway"): "host gateway started (pid 7)",
    kinds.ProcessEnded(7, "host gateway", "signal 9 (SIGKILL)"): "host gateway ended: signal 9 (SIGKILL) (pid 7)",
    kinds.RetryScheduled(15.0, 4, parked=True): "parked, to be tried again in 15s (attempt 4)",
    kinds.ExportsChanged(("path", "url")): "exports path, url",
    kinds.SlowStart(ModuleState.STARTING, 70.0): "has been starting for 1m10s",
    kinds.PlacedAlone("gateway", "host gateway ended: exit 1"): (
        "comes back in a host of its own, apart from those in host gateway: host gateway ended: exit 1"
    ),
    kinds.OperatorAsked("restart", "anna"): "restart asked for by anna",
    kinds.HostStalled("gateway", "Bad.startup at bad.py:4", 1.25): (
        "has blocked host gateway for 1.2s in Bad.startup at bad.py:4"
    ),
    kinds.HostResumed("gateway", 6.04): "host gateway goes on after 6s",
    kinds.AlertFired("big", "critical", "memory 412 MiB is above 400 MiB"): (
        "critical alert big fires: memory 412 MiB is above 400 MiB"
    ),
    kinds.AlertResolved("big", "critical", 90.0): "critical alert big is over after 1m30s",
    kinds.LogsRefused("No space left on device"): "log lines cannot be kept: No space left on device",
    kinds.LogsKept(12): "log lines are kept again; 12 lines missing",
    kinds.WatchTurned("polling", "no inotify"): "the watcher is polling: no inotify",
    kinds.EditSettled("ab", ("/p/plant.yaml", "/p/b", "/p/c", "/p/d")): (
        "an edit has settled: plant.yaml, b, c and 1 more"
    ),
    kinds.EditRefused("ab", "plant.yaml:3:2 IGN204 unknown key"): (
        "the edit is not applied, what runs goes on: plant.yaml:3:2 IGN204 unknown key"
    ),
    kinds.JournalMended("the journal was damaged"): "the journal was damaged",
    kinds.JournalStalled(
        12.34, "disk full"
    ): "the journal keeps everything again; it could keep nothing for 12.3s: disk full",
    kinds.EventsLost(3, "disk full"): "3 events before this one could not be kept: disk full",
}


def test_every_kind_of_event_has_a_line() -> None:
    assert {type(body) for body in TOLD} == set(get_args(Body))


@pytest.mark.parametrize("body", TOLD, ids=lambda body: type(body).__name__)
def test_an_event_reads(body) -> None:
    assert body_text(body) == TOLD[body]


def test_a_line_bears_time_number_and_subject() -> None:
    event = Event(9, AT, 1.0, "web@gateway", 3, kinds.ExportsChanged(("url",)))
    assert event_line(event) == "2026-01-02T03:04:05.678Z #9 web@gateway: exports url"


def test_the_root_cause_is_named() -> None:
    upstream = Fault(FaultKind.UPSTREAM, "skipped", upstream="tags@gateway")
    body = kinds.LifecycleEvent(ModuleState.STARTING, ModuleState.ERROR, "", fault=upstream)
    assert body_text(body) == "starting -> error: skipped (root cause: tags@gateway)"


def test_what_a_module_says_of_its_failure_cannot_steer_a_terminal() -> None:
    assert "\x1b" not in body_text(kinds.HealthChanged(Health.HEALTHY, Health.UNHEALTHY, "\x1b[2Jgone\nnew line"))
