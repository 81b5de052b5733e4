"""A runner that lives for one module ends with that module's exit code."""

from datetime import UTC, datetime

import pytest

from ignrun.runner.until import Until
from ignrun.terms.events import Body, Event, LifecycleEvent, ProcessEnded, RetryScheduled
from ignrun.terms.states import ModuleState as S

AT = datetime(2026, 1, 1, tzinfo=UTC)
COMPLETED = LifecycleEvent(S.STOPPING, S.STOPPED, "completed")
FAILED = LifecycleEvent(S.RUNNING, S.ERROR, "exit 7")


def _codes(*turns: tuple[Body, ...], subject: str = "job@gateway") -> list[int]:
    codes: list[int] = []
    until = Until("job", lambda _, code: codes.append(code))
    for turn in turns:
        until.happened(Event(n, AT, 1.0, subject, 1, body) for n, body in enumerate(turn))
    return codes


@pytest.mark.parametrize(
    ("turns", "codes"),
    [
        (((ProcessEnded(9, "command", "exit 0"), COMPLETED),), [0]),
        (((ProcessEnded(9, "command", "exit 7"), FAILED),), [7]),
        (((ProcessEnded(9, "command", "signal 9 (SIGKILL)"), FAILED),), [1]),
        (((ProcessEnded(9, "command", "exit 7"), FAILED, RetryScheduled(0.0, 1)),), [7]),  # a command says it once
        (((FAILED, RetryScheduled(1.0, 1)),), []),
        (((FAILED, RetryScheduled(15.0, 6, parked=True)),), [1]),
        (((FAILED, RetryScheduled(1.0, 1)), (COMPLETED,)), [0]),
        (((COMPLETED,), (FAILED,)), [0]),  # it is asked to go down once
        (((LifecycleEvent(S.STOPPING, S.STOPPED, "to be stopped"),),), []),
    ],
)
def test_the_code_is_that_of_the_module(turns, codes) -> None:
    assert _codes(*turns) == codes


def test_what_others_do_does_not_count() -> None:
    assert _codes((COMPLETED,), subject="jobs@gateway") == []
