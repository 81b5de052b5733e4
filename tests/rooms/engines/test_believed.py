"""Holds what hosts say to form: cut, masked, small, plain, and never the reason why a runner stumbles."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ignrun.protocol.frames import FrameError
from ignrun.protocol.reports import (
    Exported,
    HealthReport,
    Hello,
    ImportFault,
    Loaded,
    Logged,
    LogLine,
    Measured,
    Metrics,
    Move,
    Moves,
    Prepared,
    Resumed,
    Revised,
    Stalled,
    Unfinished,
)
from ignrun.runtime.engines.believed import LONGEST_LINE, believed
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.metric import LONGEST_LABEL, MOST_METRICS, Metric
from ignrun.terms.states import Health, ModuleState

NOW = datetime.now(UTC)
RUN_DIR = Path("/run/plant")
LONG = "x" * 200_000
FAULT = Fault(FaultKind.RAISED, f"no hunter2 {LONG}", "startup", f"{LONG} hunter2")


def masked(text: str) -> str:
    return text.replace("hunter2", "********")


def heard(report: Any) -> Any:
    return believed(report, RUN_DIR, masked)


def move(exports: dict[Any, Any] | None, fault: Fault | None = None) -> Moves:
    return Moves((Move("a@gateway", 1, ModuleState.STARTING, ModuleState.RUNNING, "x", NOW, 1.0, fault, exports),))


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "exports",
    [{"a": LONG}, {"a": msgspec.msgpack.Ext(5, b"x")}, {"a": {(1, 2): 3}}, deep(2000)],
    ids=["long", "no JSON", "odd keys", "deep"],
)
def test_exports_that_no_module_can_publish_are_not_believed(exports) -> None:
    for report in (move(exports), Exported("a@gateway", 1, exports)):
        with pytest.raises(FrameError, match="its exports are"):
            heard(report)


def test_ordinary_exports_are_believed() -> None:
    report = move({"url": "http://localhost", "ports": [1, 2], "more": deep(20)})
    assert heard(report) == report


def test_a_socket_elsewhere_is_not_believed() -> None:
    hello = Hello(1, "1", 7, "3", "/run/plant/7.peers")
    assert heard(hello) == hello
    with pytest.raises(FrameError, match="its socket is not in the run-time folder"):
        heard(msgspec.structs.replace(hello, socket="/run/other/control.sock"))


@pytest.mark.parametrize("report", [Stalled("neighbour@gateway", "nowhere", 9.0), Resumed("neighbour@gateway", 9.0)])
def test_nobody_is_accused_by_a_host(report) -> None:
    with pytest.raises(FrameError, match="speaks of its own pulse"):
        heard(report)


def test_faults_and_reasons_are_cut_and_masked() -> None:
    for fault in (
        heard(move(None, FAULT)).moves[0].fault,
        heard(Loaded((ImportFault("a@gateway", FAULT),))).faults[0].fault,
    ):
        assert len(fault.summary) <= LONGEST_LINE
        assert "hunter2" not in fault.summary + fault.detail
    assert heard(HealthReport("a@gateway", 1, Health.UNHEALTHY, "hunter2")).reason == "********"
    assert heard(Unfinished("a@gateway", 1, ("hunter2",) * 1000)).names == ("********",) * 32


@pytest.mark.parametrize(
    "at",
    [datetime(2020, 1, 1), datetime.max.replace(tzinfo=UTC), NOW - timedelta(days=3)],  # noqa: DTZ001 - naive on purpose
)
def test_a_log_line_has_a_time_and_a_level_that_can_be(at) -> None:
    odd = LogLine("a@gateway", at, "\x1b[31m", LONG, {f"f{n}": LONG for n in range(100)})
    (line,) = heard(Logged((odd,))).lines
    assert abs(line.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert line.level == "info"
    assert len(line.text) < 70_000
    assert len(line.fields) == 32


def test_what_a_change_in_place_came_to_is_cut_and_masked() -> None:
    prepared, revised = heard(Prepared("a@gateway", 1, 7, FAULT)), heard(Revised("a@gateway", 1, 7, FAULT))
    assert prepared.fault == revised.fault
    assert len(prepared.fault.summary) == LONGEST_LINE
    assert "hunter2" not in str((prepared, revised))
    with pytest.raises(FrameError):
        heard(Revised("a@gateway", 1, 7, exports={"a": LONG}))


@pytest.mark.parametrize("odd", [Metric("no name", "gauge", 1), Metric("x", "gauge", float("nan")), Metric("x", "timer", 1, longest=float("inf")), Metric("x", "counter", 1, (("a b", "c"),))])  # fmt: skip
def test_metrics_that_no_module_can_keep_are_left_out(odd) -> None:
    fair = Metric("rows", "counter", 2.0, (("kind", f"hunter2{LONG}"),), LONG)
    (measured,) = heard(Metrics((Measured("a@gateway", 1, (odd, fair, *[fair] * MOST_METRICS)),))).measured
    assert len(measured.metrics) == MOST_METRICS - 1
    assert measured.metrics[0].labels == (("kind", masked(f"hunter2{LONG}")[:LONGEST_LABEL]),)
    assert len(measured.metrics[0].about) == LONGEST_LABEL
