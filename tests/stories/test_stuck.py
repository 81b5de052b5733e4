"""Tells what a plant says of a module that keeps the event loop of its host to itself, and that nobody elsewhere notices."""

import re
import time

import pytest

from ignrun.control.client import Client
from tests.stories.plant import Plant, new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

P99 = 0.25
"""Seconds within which 99 of 100 answers of the API come (P7)."""

CODE = """
import asyncio, re, time
from ignrun import Module

class Sleeps(Module):
    async def run(self):
        time.sleep(5)
        await asyncio.sleep(1000)

class Matches(Module):
    async def run(self):
        re.match(r"(a+)+$", "a" * 60 + "b")

class Beats(Module):
    async def run(self):
        longest = 0.0
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.02)
            longest = max(longest, time.monotonic() - began)
            self.export(longest=longest)
"""
MANIFEST = """
modules:
  bad: {{entry: "stuck_code:{}"}}
  mate: {{entry: "stuck_code:Beats", requires: [bad]}}
  other: {{entry: "stuck_code:Beats", isolation: process}}
"""


@pytest.mark.parametrize(("entry", "line"), [("Sleeps", 7), ("Matches", 12)])
def test_who_blocks_a_host_is_named_by_line_in_status_events_and_log(tmp_path, entry, line) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "stuck_code.py")
        plant.write(MANIFEST.format(entry))
        plant.ignrun("apply", "-d", "--no-wait")
        place = f"{entry}.run at stuck_code.py:{line}"
        seen = plant.wait_for(lambda seen: seen and place in seen["bad@gateway"]["cause"])
        assert re.fullmatch(rf"blocked in {re.escape(place)} for \d+s", seen["bad@gateway"]["cause"])
        answers(plant)
        events = plant.ignrun("events", *plant.aim()).out
        assert re.search(rf"bad@gateway: has blocked host gateway for \S+ in {re.escape(place)}", events)
        assert place in plant.ignrun("logs", *plant.aim()).out
        other = plant.instances()["other@gateway"]
        assert (other["state"], other["cause"]) == ("running", "startup returned")
        if entry == "Sleeps":
            until(lambda: "host gateway goes on after" in plant.ignrun("events", *plant.aim()).out, 15)
            assert "blocked" not in plant.instances()["bad@gateway"]["cause"]


@pytest.mark.parametrize("entry", ["Sleeps", "Matches"])
def test_neither_the_api_nor_another_host_pauses_while_a_host_is_blocked(tmp_path, entry) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE.replace("sleep(5)", "sleep(6)"), "stuck_code.py")
        plant.write(MANIFEST.format(entry))
        plant.ignrun("apply", "-d", "--no-wait")
        client = Client(plant.status()["plant"]["socket"])
        until(lambda: any("blocked" in one.cause for one in client.status().instances))
        times = sorted(_took(client) for _ in range(300))
        assert times[-len(times) // 100] < P99, times[-5:]
        (other,) = (one for one in client.status().instances if one.address == "other@gateway")
        assert other.exports["longest"] < 1.0  # its own beat, every 20 ms


def _took(client: Client) -> float:
    began = time.monotonic()
    client.status()
    time.sleep(0.01)
    return time.monotonic() - began - 0.01


def answers(plant: Plant) -> None:
    """The control API answers while a host is stuck."""
    began = time.monotonic()
    plant.ignrun("status", *plant.aim())
    assert time.monotonic() - began < 5


def test_who_blocks_a_host_past_its_own_deadline_comes_back_alone_and_its_neighbours_run(tmp_path) -> None:
    short = "lifecycle: {start_timeout: 500ms, initialize_timeout: 500ms, stop_timeout: 500ms}"
    with new_plant(tmp_path) as plant:
        plant.write(
            CODE.replace("async def run", "async def startup").replace("sleep(5)", "sleep(60)"), "stuck_code.py"
        )
        plant.write(
            f'modules:\n  bad: {{entry: "stuck_code:Sleeps", {short}}}\n  mate: {{entry: "stuck_code:Quiet"}}\n'
        )
        with (tmp_path / "stuck_code.py").open("a") as code:
            code.write("\nclass Quiet(Module): ...\n")
        plant.ignrun("apply", "-d", "--no-wait")
        seen = plant.wait_for(lambda seen: seen and seen["mate@gateway"]["state"] == "running")
        assert seen["mate@gateway"]["host"] != seen["bad@gateway"]["host"]
        events = plant.ignrun("events", *plant.aim()).out
        assert re.search(
            r"host gateway was blocked for \S+ by bad@gateway in Sleeps.startup at stuck_code.py:7", events
        )


def test_who_blocks_a_host_that_runs_is_not_called_healthy_and_is_replaced_when_checks_stay_unanswered(
    tmp_path,
) -> None:
    often = "health: {interval: 500ms, timeout: 500ms, failures: 4}"
    with new_plant(tmp_path) as plant:
        plant.write(CODE.replace("time.sleep(5)", "await asyncio.sleep(1); time.sleep(600)"), "stuck_code.py")
        plant.write(
            "apply: {soak: 0s}\nmodules:\n"
            f'  bad: {{entry: "stuck_code:Sleeps"}}\n  mate: {{entry: "stuck_code:Asked", {often}}}\n'
        )
        with (tmp_path / "stuck_code.py").open("a") as code:
            code.write("\nclass Asked(Module):\n    async def check_health(self): ...\n")
        plant.ignrun("apply", "-d")
        seen = plant.wait_for(lambda seen: "blocked" in seen["bad@gateway"]["cause"])
        assert {one["health"] for one in seen.values()} == {"degraded"}
        assert seen["mate@gateway"]["health_reason"].startswith("blocked by bad@gateway in Sleeps.run at stuck_code.py")
        plant.wait_for(lambda seen: {one["host"] for one in seen.values()} == {"bad@gateway", "gateway"})
        plant.wait_for(lambda seen: seen["mate@gateway"]["health"] == "healthy")
        events = plant.ignrun("events", *plant.aim()).out
        assert re.search(r"health healthy -> unhealthy: its checks are not answered: host gateway was blocked", events)
        plant.ignrun("down", *plant.aim())
