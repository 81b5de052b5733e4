"""Tells how people look at what was in force, and go back to it: twice goes back twice, with the code of then."""

import json

import pytest

from tests.stories.plant import Plant, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module

class Tags(Module):
    async def startup(self):
        self.export(code={number}, value=self.config["value"])
"""
MANIFEST = """
apply: {{soak: 0s}}
modules:
  tags: {{entry: plant_code:Tags, config: {{value: {value}}}}}
  bystander: {{command: [sleep, "1000"]}}
"""


@pytest.fixture
def plant(tmp_path):
    with new_plant(tmp_path) as one:
        one.write(CODE.format(number=1), "plant_code.py")
        yield one


def change(plant: Plant, number: int) -> None:
    """Edit manifest and code, and apply."""
    plant.write(MANIFEST.format(value=number))
    plant.write(CODE.format(number=number), "plant_code.py")
    plant.ignrun("apply", "-d")


def exported(plant: Plant) -> dict:
    exports: dict = plant.wait_for(settled)["tags@gateway"]["exports"]
    return exports


def test_rolling_back_twice_goes_back_twice_and_the_bystander_stays(plant: Plant) -> None:
    for number in (1, 2, 3):
        change(plant, number)
    before = plant.instances()["bystander@gateway"]
    assert exported(plant) == {"code": 3, "value": 3}
    assert "going back to generation 2 " in plant.ignrun("rollback").err
    assert exported(plant) == {"code": 2, "value": 2}
    assert "going back to generation 1 " in plant.ignrun("rollback").err
    assert exported(plant) == {"code": 1, "value": 1}
    assert "there is no earlier good generation" in plant.ignrun("rollback", code=1).err
    after = plant.instances()["bystander@gateway"]
    assert (before["pid"], before["since"]) == (after["pid"], after["since"])
    plant.ignrun("rollback", "3")
    assert exported(plant) == {"code": 3, "value": 3}
    history = json.loads(plant.ignrun("history", "-o", "json").out)["generations"]
    assert [(one["number"], one["trigger"], one["result"]) for one in history] == [
        (6, "rollback", "committed"), (5, "rollback", "committed"), (4, "rollback", "committed"),
        (3, "cli", "committed"), (2, "cli", "committed"), (1, "cli", "committed"),
    ]  # fmt: skip
    assert [one["number"] for one in history if one["current"] and one["good"]] == [6]
    plant.ignrun("down")
    assert "Generation 6 (current) (good)" in plant.ignrun("history", "6").out
