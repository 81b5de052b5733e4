"""Holds a host to telling how the metrics of its modules stand: at intervals, when asked, and once more at the end."""

import pytest

from ignrun.protocol.orders import Measure
from ignrun.protocol.reports import Measured, Metrics
from tests.rooms.host.harness import assignment

A = "a@gateway"


@pytest.fixture
def counting(runner, tmp_path, monkeypatch):
    monkeypatch.setattr("ignrun.host.measuring.USUAL", 3600.0)
    runner.load(
        assignment(A, "tests.rooms.host.plays:Counting", tmp_path),
        assignment("b@gateway", "tests.rooms.host.plays:Plain", tmp_path),
    )
    runner.start(A, "b@gateway")
    runner.until_state(A, "running")
    return runner


def told(runner) -> list[Measured]:
    return [one for report in runner.said(Metrics) for one in report.measured]


def values(measured: Measured) -> dict[str, float]:
    return {one.name: one.value for one in measured.metrics}


def test_asked_for_they_are_told_at_once_and_then_whenever_they_have_changed(counting) -> None:
    counting.tell(Measure(0.01))
    counting.until(lambda: told(counting) and values(told(counting)[-1]).get("flush", 0.0) >= 0.002)
    rows = told(counting)[-1].metrics[0]
    assert (rows.name, rows.kind, rows.value, rows.labels, rows.about) == ("rows", "counter", 2.0, (("kind", "tag"),), "Rows stored.")  # fmt: skip
    assert values(told(counting)[-1])["queue_length"] == 4.0
    assert {one.address for one in told(counting)} == {A}
    assert len(told(counting)) <= 4


def test_what_was_counted_until_the_end_is_told_before_the_end(counting) -> None:
    counting.stop(A)
    counting.until_state(A, "stopped")
    counting.until(lambda: told(counting))
    assert values(told(counting)[-1])["rows"] == 3.0


def test_a_module_without_metrics_is_never_spoken_of(counting) -> None:
    counting.stop("b@gateway")
    counting.until_state("b@gateway", "stopped")
    assert told(counting) == []
