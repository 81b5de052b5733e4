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
        assert "alone since it took its neighbours down" in plant.ignrun("status").out
