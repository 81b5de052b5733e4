"""Holds errands to their laws: each ends once, its steps are marked and in its own context, and no turn of the loop takes long."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.host import errands as room
from ignrun.host.callbacks import whose
from ignrun.host.errands import AT_ONCE, BUDGET, Errand, Errands, parking
from ignrun.host.steps import Here

left_by: ContextVar[str] = ContextVar("left_by", default="nobody")


class OddError(Exception):
    """What an errand of these tests ends with."""


class Bench:
    """Errands, and what was seen of them."""

    def __init__(self) -> None:
        self.errands = Errands(asyncio.get_running_loop())
        self.ended: list[Errand] = []
        self.steps: list[tuple[str, int]] = []
        self.tasks: dict[str, list[int]] = {}
        self.made: list[Errand] = []

    def add(self, name: str, work: Callable[[], Any], *, urgent: bool = False) -> Errand:
        errand = Errand(name, "test", work, self.ended.append)
        self.made.append(errand)
        self.errands.add(errand, urgent=urgent)
        return errand

    async def play(self, name: str, script: list[str]) -> None:
        """Take the steps of a script, as `name`."""
        assert left_by.get() == "nobody"
        left_by.set(name)
        for number, step in enumerate(script):
            assert whose.get() == left_by.get() == Here.pulse.mark == name
            self.steps.append((name, number))
            self.tasks.setdefault(name, []).append(id(asyncio.current_task()))
            match step:
                case "wait":
                    await asyncio.sleep(0)
                case "park":
                    await parking
                case "raise":
                    raise OddError(name)
                case "cancel":
                    task = asyncio.current_task()
                    assert task is not None
                    task.cancel()
                    raise asyncio.CancelledError

    async def all_over(self) -> None:
        """Resume what is parked until everything has ended."""
        async with asyncio.timeout(5):
            while not all(one.ended for one in self.made):
                for one in self.made:
                    if one.parked:
                        self.errands.resume(one)
                await asyncio.sleep(0)


scripts = st.lists(st.lists(st.sampled_from(["go on", "wait", "park", "raise", "cancel"]), max_size=6), max_size=30)


@given(scripts)
def test_each_errand_takes_all_its_steps_marked_in_its_own_context_and_ends_once_whatever_the_others_do(drawn) -> None:
    async def bench() -> Bench:
        made = Bench()
        for number, script in enumerate(drawn):
            made.add(f"e{number}", partial(made.play, f"e{number}", script))
        await made.all_over()
        return made

    seen = asyncio.run(bench())
    assert sorted(one.address for one in seen.ended) == sorted(f"e{number}" for number in range(len(drawn)))
    for number, script in enumerate(drawn):
        fatal = next((at for at, step in enumerate(script) if step in {"raise", "cancel"}), None)
        taken = [at for name, at in seen.steps if name == f"e{number}"]
        assert taken == list(range(len(script) if fatal is None else fatal + 1))
        kind = type(seen.made[number].error)
        assert (
            kind
            is {None: type(None), "raise": OddError, "cancel": asyncio.CancelledError}[
                None if fatal is None else script[fatal]
            ]
        )


async def test_a_thousand_errands_that_never_wait_share_few_tasks() -> None:
    bench = Bench()
    for number in range(1000):
        bench.add(f"e{number}", partial(bench.play, f"e{number}", ["go on"]))
    await bench.all_over()
    assert len({one for tasks in bench.tasks.values() for one in tasks}) < 500


async def test_who_waits_keeps_the_task_and_nobody_else_runs_in_it_until_the_end() -> None:
    bench, held = Bench(), asyncio.Event()

    async def waits() -> None:
        bench.tasks["waits"] = [id(asyncio.current_task())]
        await held.wait()
        bench.tasks["waits"].append(id(asyncio.current_task()))

    kept = bench.add("waits", waits)
    for number in range(200):
        bench.add(f"e{number}", partial(bench.play, f"e{number}", ["go on", "wait", "go on"]))
    await until(lambda: len(bench.ended) == 200)
    assert kept.task is not None
    assert kept.task.get_name() == "waits test"
    held.set()
    await bench.all_over()
    first, last = bench.tasks.pop("waits")
    assert first == last
    later = [tasks for name, tasks in bench.tasks.items() if tasks[-1] == first]
    assert not later


async def until(holds: Callable[[], object]) -> int:
    """Let the loop turn until something holds; tells how many turns that took."""
    turns = 0
    async with asyncio.timeout(10):
        while not holds():
            turns += 1
            await asyncio.sleep(0)
    return turns


class FakeTime:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("script", [["go on"], ["wait"], ["park"]])
async def test_a_turn_of_the_loop_is_bounded_while_thousands_are_begun(monkeypatch, script) -> None:
    time, bench, turns = FakeTime(), Bench(), [0]
    monkeypatch.setattr(room, "time", time)
    cost, count = BUDGET / 4, 2000

    async def costs(name: str) -> None:
        time.now += cost
        turns[-1] += 1
        await bench.play(name, script)

    for number in range(count):
        bench.add(f"e{number}", partial(costs, f"e{number}"))
    async with asyncio.timeout(10):
        while sum(turns) < count:
            turns.append(0)
            await asyncio.sleep(0)
    assert max(turns) * cost <= BUDGET + cost
    assert len(turns) <= 2 * count * cost / BUDGET + 20
    await bench.all_over()


async def test_those_that_have_to_wait_are_begun_many_in_a_turn(monkeypatch) -> None:
    monkeypatch.setattr(room, "time", FakeTime())
    bench, count = Bench(), AT_ONCE * 10
    for number in range(count):
        bench.add(f"e{number}", partial(bench.play, f"e{number}", ["wait", "wait"]))
    assert await until(lambda: len(bench.tasks) == count) <= 30
    await bench.all_over()


async def test_what_is_urgent_goes_before_what_has_not_begun() -> None:
    bench = Bench()
    for number in range(10):
        bench.add(f"e{number}", partial(bench.play, f"e{number}", ["go on"]))
    bench.add("urgent", partial(bench.play, "urgent", ["go on"]), urgent=True)
    await bench.all_over()
    assert bench.ended[0].address == "urgent"


async def test_what_is_dropped_never_begins() -> None:
    bench = Bench()
    errand = bench.add("dropped", partial(bench.play, "dropped", ["go on"]))
    errand.drop()
    bench.add("other", partial(bench.play, "other", ["go on"]))
    await bench.all_over()
    assert [name for name, _ in bench.steps] == ["other"]
    assert not errand.begun


@pytest.mark.parametrize("script", [["wait"] * 1000, ["park"], ["wait", "park"]])
async def test_cancelled_while_it_waits_or_is_parked_it_ends_so(script) -> None:
    bench = Bench()
    errand = bench.add("one", partial(bench.play, "one", script))
    await until(lambda: errand.parked if "park" in script else errand.task is not None)
    bench.errands.cancel(errand)
    assert await errand.over(5)
    assert isinstance(errand.error, asyncio.CancelledError)
    assert bench.ended == [errand]


async def test_waiting_for_one_that_does_not_end_ends_in_time() -> None:
    bench = Bench()
    errand = bench.add("one", partial(bench.play, "one", ["park"]))
    assert not await errand.over(0.01)
    bench.errands.resume(errand)
    assert await errand.over(5)
