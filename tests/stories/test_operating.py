"""Tells what an operator does to a running plant by hand, and what the plant says of it."""

import json
import os
import signal

import pytest

from tests.stories.plant import Plant, identity, new_plant, settled, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module

class Source(Module):
    async def startup(self): self.export(port=7)

class Bad(Module):
    async def startup(self): raise ValueError("the port is taken")
"""
MANIFEST = """
modules:
  source: {entry: plant_code:Source}
  store: {entry: plant_code:Source, requires: [source], isolation: process}
  idle: {command: [sleep, "1000"], ready: {exec: ["true"]}}
"""


@pytest.fixture
def running(tmp_path):
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        plant.write(MANIFEST)
        plant.ignrun("apply", "-d")
        yield plant


def operate(plant: Plant, *words: str, code: int = 0) -> str:
    return plant.ignrun(*words, *plant.aim(), code=code).said


def test_a_stopped_module_stays_stopped_through_an_apply_and_the_end_of_the_runner(running: Plant) -> None:
    before = running.instances()
    assert operate(running, "stop", "idle") == "idle@gateway: stopped\n"
    running.write(MANIFEST.replace('"1000"', '"2000"'))
    running.ignrun("apply")
    assert "held by" in running.ignrun("status", *running.aim()).out
    os.kill(running.status()["plant"]["pid"], signal.SIGKILL)
    running.nothing_left()
    running.ignrun("apply", "-d")
    held = running.instances()
    assert (held["idle@gateway"]["state"], held["idle@gateway"]["pid"]) == ("uninitialized", None)
    assert held["idle@gateway"]["held_by"]
    assert held["store@gateway"]["state"] == "running"
    operate(running, "start", "idle")
    after = running.instances()
    assert settled(after)
    assert after["idle@gateway"]["held_by"] == ""
    assert before["idle@gateway"]["pid"] != after["idle@gateway"]["pid"]


def test_in_maintenance_nobody_brings_a_killed_command_back_before_it_ends(running: Plant) -> None:
    operate(running, "maintenance", "idle")
    before = running.instances()
    assert before["idle@gateway"]["state"] == "maintenance"
    os.kill(before["idle@gateway"]["pid"], signal.SIGKILL)
    running.wait_for(lambda now: now["idle@gateway"]["pid"] is None)
    assert "held by" in running.ignrun("status", *running.aim()).out
    operate(running, "maintenance", "idle", "--off")
    after = running.wait_for(settled)
    assert after["idle@gateway"]["pid"] != before["idle@gateway"]["pid"]
    assert identity(after["source@gateway"]) == identity(before["source@gateway"])


def test_maintenance_of_what_goes_on_running_changes_no_process(running: Plant) -> None:
    before = running.instances()
    operate(running, "maintenance", "source", "idle")
    operate(running, "maintenance", "source", "idle", "--off")
    after = running.wait_for(settled)
    assert {a: one["pid"] for a, one in after.items()} == {a: one["pid"] for a, one in before.items()}
    assert [to for address, to in running.moves() if address == "source@gateway"][-2:] == ["maintenance", "running"]


def test_why_leads_from_a_module_that_waits_to_the_root_cause_and_says_when_it_is_tried_again(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        plant.write(
            "modules:\n  bad: {entry: plant_code:Bad, isolation: process}\n  mid: {command: [sleep, '9'], requires: [bad]}\n  top: {command: [sleep, '9'], requires: [mid]}\n"
        )
        plant.ignrun("apply", "-d", code=11)
        plant.wait_for(lambda now: now["top@gateway"]["upstream"] == "bad@gateway")
        until(lambda: "next try: in" in operate(plant, "why", "top"))
        said = operate(plant, "why", "top")
        lines = [line for line in said.splitlines() if not line.startswith(" ")]
        change = next(line for line in lines if line.startswith("last change: generation 1, "))
        assert lines == ["top", "because of mid", "because of bad (root cause)", change, "last:"]
        assert "  waits for: mid\n" in said
        assert "  fault: `startup` raised ValueError: the port is taken (raised)\n" in said
        chain = json.loads(operate(plant, "why", "top", "-o", "json"))[0]["chain"]
        assert [one["address"] for one in chain] == ["top@gateway", "mid@gateway", "bad@gateway"]


def test_wait_returns_when_it_is_so_ends_with_12_when_it_is_late_and_with_11_when_it_is_in_vain(running: Plant) -> None:
    assert operate(running, "wait", "store", "idle") == ""
    late = operate(running, "wait", "idle", "--for", "stopped", "--timeout", "200ms", code=12)
    assert "error: not stopped in time: idle@gateway is running, healthy" in late
    operate(running, "stop", "idle")
    assert operate(running, "wait", "idle", "--for", "stopped") == ""
    running.write(MANIFEST + "  bad: {entry: plant_code:Bad, lifecycle: {restart: never}, gate: none}\n")
    running.ignrun("apply", code=None)
    assert "will not get there by itself" in operate(running, "wait", "bad", code=11)


def test_health_shows_what_checks_say_and_ends_with_11_when_one_is_not_well(running: Plant) -> None:
    assert [line.split()[:2] for line in operate(running, "health").splitlines()[1:]] == [
        ["source", "healthy"],
        ["store", "healthy"],
        ["idle", "healthy"],
    ]
    running.write(MANIFEST + "  bad: {entry: plant_code:Bad, lifecycle: {restart: never}, gate: none}\n")
    running.ignrun("apply", code=None)
    running.wait_for(lambda now: now["bad@gateway"]["state"] == "error")
    assert "the port is taken" in operate(running, "health", "bad", code=11)
