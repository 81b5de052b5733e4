"""Holds the logs of modules to what an operator who reads only them has to know."""

from datetime import UTC, datetime

from ignrun.runner.voices import Voices
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.record import LogRecord
from ignrun.terms.events import Body, Event, OperatorAsked, RetryScheduled, SlowStart
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
