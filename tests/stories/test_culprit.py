"""Tells how a module that brings its process down comes back alone, and what becomes of those who shared it."""

import pytest

from tests.stories.plant import new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
import asyncio, ctypes, os, time
from pathlib import Path
from ignrun import Module

class Good(Module):
    pass

class Bad(Module):
    async def run(self):
        mark = Path(self.config["mark"])
        if mark.exists():
            await asyncio.sleep(1000)
        mark.touch()
        await asyncio.sleep(0.3)
        HOW
"""
MANIFEST = """
modules:
  bad: {entry: plant_code:Bad, config: {mark: MARK}}
  one: {entry: plant_code:Good}
  two: {entry: plant_code:Good, requires: [one]}
  apart: {entry: plant_code:Good, isolation: process}
"""

GOOD = ("one@gateway", "two@gateway")


@pytest.mark.parametrize("how", ["os._exit(3)", "ctypes.string_at(0)"])
def test_who_ends_the_process_that_he_shares_comes_back_alone(tmp_path, how) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE.replace("HOW", how), "plant_code.py")
        plant.write(MANIFEST.replace("MARK", str(tmp_path / "mark")))
        plant.ignrun("apply", "-d", code=None)
        first = plant.instances()["apart@gateway"]
        after = plant.wait_for(lambda now: settled(now) and now["bad@gateway"]["host"] == "bad@gateway")
        assert after["one@gateway"]["pid"] == after["two@gateway"]["pid"] != after["bad@gateway"]["pid"]
        assert after["one@gateway"]["shares_with"] == ["two@gateway"]
        assert after["bad@gateway"]["attempt"] >= 1
        assert after["one@gateway"]["attempt"] == after["two@gateway"]["attempt"] == 0
        assert after["apart@gateway"]["pid"] == first["pid"]
        assert "comes back in a host of its own, apart from those in host gateway" in plant.ignrun("events").out
        assert "alone since host gateway ended" in plant.ignrun("status").out


UNKNOWN = """
import asyncio, os, sys
from ignrun import Module

class Good(Module):
    pass

class Closes(Module):
    async def run(self):
        await asyncio.sleep(0.5)
        os.closerange(3, 1000)
        await asyncio.sleep(1000)

class Exits(Module):
    async def run(self):
        asyncio.get_running_loop().call_later(0.5, os._exit, 3)
        await asyncio.sleep(1000)
"""


@pytest.mark.parametrize("entry", ["Closes", "Exits"])
def test_neighbours_of_one_who_cannot_be_named_come_back_for_good(tmp_path, entry) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(UNKNOWN, "plant_code.py")
        plant.write(MANIFEST.replace("plant_code:Bad, config: {mark: MARK}", f"plant_code:{entry}"))
        plant.ignrun("apply", "-d", "--on-failure", "hold", code=None)
        apart = plant.instances()["apart@gateway"]["pid"]
        plant.wait_for(lambda now: all(now[a]["host"] == a and now[a]["state"] == "running" for a in GOOD), 60)
        pids = {a: one["pid"] for a, one in plant.instances().items() if a in GOOD}
        fallen = plant.wait_for(lambda now: "host bad@gateway ended" in now["bad@gateway"]["cause"], 60)
        assert {a: fallen[a]["pid"] for a in GOOD} == pids
        assert fallen["apart@gateway"]["pid"] == apart
        assert "nobody knows because of whom" in plant.ignrun("status").out
