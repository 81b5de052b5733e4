"""Tells what becomes of a module whose shutdown never ends: after a stop no process of it is left, and it can always come back."""

import psutil
import pytest

from tests.stories.plant import Plant, identity, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
import asyncio, time
from ignrun import Module

class Good(Module): pass

class Clings(Module):
    async def shutdown(self):
        while True:
            try: await asyncio.sleep(1000)
            except asyncio.CancelledError: pass

class Sleeps(Module):
    def shutdown(self): time.sleep(1000)
"""


@pytest.fixture
def running(plant: Plant) -> Plant:
    plant.write(CODE, "code_here.py")
    plant.write(
        "defaults: {lifecycle: {stop_timeout: 300ms}}\n"
        "apply: {soak: 0s}\n"
        "modules:\n"
        "  good: {entry: code_here:Good}\n"
        "  apart: {entry: code_here:Good, isolation: process}\n"
        "  clings: {entry: code_here:Clings, isolation: process}\n"
        "  sleeps: {entry: code_here:Sleeps, isolation: process}\n"
        "  shares: {entry: code_here:Clings}\n"
    )
    plant.ignrun("apply", "-d")
    return plant


def test_a_stop_leaves_no_process_of_an_isolated_module_and_a_start_makes_a_new_one(running: Plant) -> None:
    before = running.instances()
    for name in ("apart", "clings", "sleeps"):
        running.ignrun("stop", name, code=0 if name == "apart" else 1)
        until(lambda: not psutil.pid_exists(before[f"{name}@gateway"]["pid"]), 10)  # noqa: B023 - asked at once
    told = running.ignrun("why", "clings").out
    assert "`shutdown` did not end within 300ms, and goes on all the same (overdue)" in told
    assert "next try: none while it is held" in told
    for name in ("apart", "clings", "sleeps"):
        running.ignrun("start", name)
    now = running.wait_for(lambda seen: all(one["state"] == "running" for one in seen.values()))
    assert identity(now["good@gateway"]) == identity(before["good@gateway"])


def test_a_restart_of_who_clings_to_a_shared_process_brings_him_back_in_his_own(running: Plant) -> None:
    before = running.instances()
    running.ignrun("restart", "shares")
    now = running.instances()
    assert now["shares@gateway"]["state"] == "running"
    assert now["shares@gateway"]["pid"] != now["good@gateway"]["pid"]
    assert identity(now["good@gateway"]) == identity(before["good@gateway"])
    assert "alone in a host of its own, because: `shutdown` did not end" in running.ignrun("why", "shares").out
