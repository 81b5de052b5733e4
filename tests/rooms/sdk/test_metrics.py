"""Holds the metrics of a module to what its author is promised."""

import math
import threading

import pytest

from ignrun.sdk.metrics import Metrics
from ignrun.terms.metric import Metric
from tests.rooms.sdk.test_drive_changes import Pump


def test_a_metric_is_made_once_and_is_the_same_ever_after() -> None:
    metrics = Metrics()
    assert metrics.counter("rows") is metrics.counter("rows")
    assert metrics.counter("rows", kind="tag") is metrics.counter("rows", kind="tag")
    assert metrics.counter("rows") is not metrics.counter("rows", kind="tag")


def test_the_three_kinds_say_what_they_are_for() -> None:
    metrics = Metrics()
    metrics.counter("rows", "Rows stored.", kind="tag", shard=2).add(3)
    metrics.counter("rows", kind="tag", shard=2).add()
    metrics.gauge("queue").set(5)
    metrics.gauge("queue").add(-2)
    metrics.timer("flush").record(0.25)
    metrics.timer("flush").record(0.5)
    assert metrics.readings() == (
        Metric("rows", "counter", 4.0, (("kind", "tag"), ("shard", "2")), "Rows stored."),
        Metric("queue", "gauge", 3.0),
        Metric("flush", "timer", 0.75, count=2, longest=0.5),
    )


def test_a_timer_measures_a_block_also_when_it_raises() -> None:
    metrics = Metrics()
    with pytest.raises(KeyError), metrics.timer("flush").measure():
        raise KeyError
    assert metrics.readings()[0].count == 1


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (lambda metrics: metrics.counter("Rows"), "`Rows` is no name of a metric or label"),
        (lambda metrics: metrics.counter("rows", **{"a-b": 1}), "`a-b` is no name"),
        (lambda metrics: metrics.gauge("rows"), "`rows` is a counter already"),
        (lambda metrics: metrics.timer("rows", kind="tag"), "`rows` is a counter already"),
        (lambda metrics: metrics.counter("rows").add(-1), "not by -1"),
        (lambda metrics: metrics.gauge("queue").set(math.nan), "not to nan"),
        (lambda metrics: metrics.timer("flush").record(math.inf), "records seconds, not inf"),
        (lambda metrics: metrics.counter("wide", **{f"l{n}": n for n in range(9)}), "9 labels, 8 are allowed"),
    ],
)
def test_what_makes_no_sense_is_refused(odd, said) -> None:
    metrics = Metrics()
    metrics.counter("rows")
    with pytest.raises(ValueError, match=said):
        odd(metrics)


def test_labels_without_end_cost_no_memory() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.counter("requests", user=number).add()
    assert len(metrics.readings()) == 200


def test_threads_count_together() -> None:
    metrics = Metrics()
    counter = metrics.counter("rows")

    def count() -> None:
        for _ in range(2000):
            counter.add()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert metrics.readings()[0].value == 8000


async def test_the_test_kit_shows_them_by_name() -> None:
    from ignrun.testing import drive

    async with drive(Pump) as run:
        run.module.diagnostics.metrics.counter("rows", kind="tag").add(2)
        run.module.diagnostics.set_metric("queue", 1)
        assert {name: one.value for name, one in run.metrics.items()} == {"rows{kind=tag}": 2.0, "queue": 1.0}
