"""Holds deadlines to their moments and their order, however many share one length."""

import asyncio
import time
from functools import partial

from ignrun.host.deadlines import Deadlines
from ignrun.protocol.orders import Timeouts
from tests.rooms.host.harness import assignment

PLAYS = "tests.rooms.host.plays:"


async def test_those_whose_time_is_over_expire_in_order_and_those_that_ended_do_not() -> None:
    deadlines = Deadlines()
    expired: list[int] = []
    done = asyncio.Event()
    made = [deadlines.after(0.02, partial(expired.append, number)) for number in range(4)]
    made[1].end()
    deadlines.after(0.03, done.set)
    await done.wait()
    assert expired == [0, 2, 3]


async def test_one_that_is_added_after_a_quiet_time_has_its_whole_time() -> None:
    deadlines = Deadlines()
    first, second = asyncio.Event(), asyncio.Event()
    deadlines.after(0.02, lambda: None).end()
    deadlines.after(0.01, first.set)
    await first.wait()
    began = time.monotonic()
    deadlines.after(0.02, second.set)
    await second.wait()
    assert time.monotonic() - began >= 0.02


async def test_what_expires_may_set_a_deadline_of_the_same_length() -> None:
    deadlines, done = Deadlines(), asyncio.Event()
    deadlines.after(0.01, lambda: deadlines.after(0.01, done.set))
    async with asyncio.timeout(5):
        await done.wait()


def test_a_callback_waits_and_goes_on_as_any_coroutine(runner, tmp_path) -> None:
    runner.load(assignment("a@gateway", PLAYS + "Stepwise", tmp_path))
    runner.start("a@gateway")
    assert runner.until_state("a@gateway", "running").exports == {"said": ["timeout", "answer"]}


def test_what_a_callback_spends_in_its_first_step_is_part_of_its_time(runner, tmp_path) -> None:
    config = {"blocks": 0.15}
    runner.load(assignment("a@gateway", PLAYS + "Stepwise", tmp_path, config=config, timeouts=Timeouts(start=0.1)))
    runner.start("a@gateway")
    fault = runner.until_state("a@gateway", "error").fault
    assert fault.summary.startswith("`startup` did not end within 100ms (")
