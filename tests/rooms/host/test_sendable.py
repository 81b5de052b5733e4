"""Holds a host to be heard whatever its modules put into reports: one bad text silences nobody."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ignrun.host.sendable import framed
from ignrun.protocol.frames import LIMIT, Unframer, frame
from ignrun.protocol.reports import (
    HealthReport,
    HostReport,
    ImportFault,
    Loaded,
    Logged,
    LogLine,
    Move,
    Moves,
    Traits,
    Unfinished,
)
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import Health, ModuleState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HALF = "a name \udcff that is no UTF-8"
LONG = "x" * 400_000


def received(data: bytes) -> list[Any]:
    unframer: Unframer[HostReport] = Unframer(HostReport)
    return list(unframer.feed(data))


def move(text: str, exports: dict[str, Any] | None = None) -> Move:
    fault = Fault(FaultKind.RAISED, text, "startup", text)
    return Move("a@gateway", 1, ModuleState.STARTING, ModuleState.ERROR, "startup", NOW, 1.0, fault, exports)


def test_a_report_is_sent_as_it_is() -> None:
    report = Moves((move("fine"),))
    assert framed(report) == frame(report)


@pytest.mark.parametrize(
    "report",
    [
        Moves((move(HALF),)),
        Moves((move("fine", {"big": 2**70, HALF: [HALF, {"x": True}]}),)),
        Logged((LogLine("a@gateway", NOW, "info", HALF, {HALF: HALF}),)),
        HealthReport("a@gateway", 1, Health.UNHEALTHY, HALF),
        Unfinished("a@gateway", 1, (HALF,)),
    ],
)
def test_what_no_frame_can_hold_is_made_readable(report) -> None:
    (found,) = received(framed(report))
    assert type(found) is type(report)
    assert "\udcff" not in repr(found)


def test_lines_that_fit_into_no_frame_are_sent_in_several_and_in_order() -> None:
    lines = tuple(LogLine("a@gateway", NOW, "info", f"{number} {LONG}") for number in range(100))
    found = received(framed(Logged(lines)))
    assert len(found) > 1
    assert tuple(line for report in found for line in report.lines) == lines


def test_an_answer_that_is_too_long_is_parted_and_loses_nobody() -> None:
    faults = tuple(ImportFault(f"m{n}@gateway", Fault(FaultKind.IMPORT, "no", detail=LONG)) for n in range(60))
    traits = tuple(Traits(f"t{n}@gateway") for n in range(60))
    found = received(framed(Loaded(faults, traits)))
    assert sum((one.faults for one in found), ()) == faults
    assert sum((one.traits for one in found), ()) == traits


@pytest.mark.parametrize(
    "report",
    [Logged((LogLine("", NOW, "info", "x" * LIMIT),)), HealthReport("a@gateway", 1, Health.UNHEALTHY, "x" * LIMIT)],
)
def test_one_text_that_fills_a_frame_is_cut(report) -> None:
    (found,) = received(framed(report))
    assert len(repr(found)) < 10_000


def test_what_has_no_end_is_left_out() -> None:
    assert framed(Unfinished("a@gateway", 1, ("x" * 4000,) * 5000)) == b""
