"""Tells what runs after a crash while somebody is editing: what was committed, under its own name."""

import os
import signal

import pytest

from tests.stories.plant import new_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(60)]

CODE = """
from ignrun import Module
from parts.level import LEVEL

class Says(Module):
    async def startup(self):
        self.log.info("level %s of %s", LEVEL, __file__)
        if LEVEL == "edited":
            raise ValueError("nobody has applied this")
"""
MANIFEST = "modules: {pump: {entry: plant_code:Says}}\n"


def test_a_crash_while_somebody_edits_brings_back_what_was_committed(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        (tmp_path / "parts").mkdir()
        plant.write(CODE, "plant_code.py")
        plant.write("LEVEL = 'committed'\n", "parts/level.py")
        plant.write(MANIFEST)
        plant.ignrun("apply", "-d")
        before = plant.instances()["pump@gateway"]
        plant.write("LEVEL = 'edited'\n", "parts/level.py")
        plant.write("this is no python any more\n", "plant_code.py")
        os.kill(before["pid"], signal.SIGKILL)
        plant.wait_for(
            lambda now: (
                now["pump@gateway"]["pid"] not in {before["pid"], None} and now["pump@gateway"]["health"] == "healthy"
            )
        )
        said = plant.ignrun("logs", "pump", *plant.aim()).out
        assert said.count(f"level committed of {tmp_path}/plant_code.py") == 2
        assert "edited" not in said
