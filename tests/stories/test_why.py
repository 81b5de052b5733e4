"""Tells how `why` leads from a place in a file to what came of it, with a runner and without one."""

import json

import pytest

from tests.stories.plant import new_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module, healthy, unhealthy

class Part(Module):
    async def reconfigure(self, change): ...
    async def check_health(self):
        return unhealthy("too hot") if self.config["heat"] > 9 else healthy()
"""
MANIFEST = """
modules:
  oven: {entry: plant_code:Part, config: {heat: 1}}
  idle: {command: [sleep, "1000"]}
"""


def test_what_was_rolled_back_is_told_from_the_edit_to_the_outcome_while_it_runs_and_afterwards(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        plant.write(MANIFEST)
        plant.ignrun("apply", "-d", "--soak", "0s")
        plant.write(MANIFEST.replace("heat: 1", "heat: 10"))
        plant.ignrun("apply", code=6)

        said = plant.ignrun("why", "oven", *plant.aim()).out
        story = [line.strip() for line in said.splitlines()]
        begin = next(number for number, line in enumerate(story) if line.startswith("last change: generation 2, "))
        assert story[begin + 1 : begin + 4] == ["~ oven  reconfigure", _at(plant, 3), "heat: 1 -> 10"]
        assert "failed: unhealthy: too hot" in story[begin + 4 :]
        assert any(line.startswith("rolled-back: back to generation 1") for line in story[begin:])
        assert "last change: generation 1, " in plant.ignrun("why", "idle", *plant.aim()).out

        plant.ignrun("down")
        afterwards = plant.ignrun("why", "oven", *plant.aim()).out
        assert afterwards.startswith("oven\n  no runner is alive: the runner (pid ")
        assert "      heat: 1 -> 10\n" in afterwards
        (report,) = json.loads(plant.ignrun("why", "oven", "-o", "json", *plant.aim()).out)
        assert report["chain"] == []
        assert report["last_change"]["generation"]["result"] == "rolled-back"
        assert "the plant has no module `ovn`" in plant.ignrun("why", "ovn", *plant.aim(), code=1).said


def _at(plant, line: int) -> str:
    text = plant.manifest.read_text().splitlines()[line - 1]
    return f"edited at {plant.manifest.name}:{line}:{text.index('heat: ') + 7}"


def test_a_plant_that_never_ran_has_nothing_to_explain(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(MANIFEST)
        assert "no runner is alive" in plant.ignrun("why", "oven", *plant.aim(), code=13).said
