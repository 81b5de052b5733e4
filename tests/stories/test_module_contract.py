"""Tells what a module is given, and what an operator is told of one whose callbacks go wrong, through the real command line."""

import pytest

from tests.stories.plant import Plant, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module, NotReady, Refused

class Told(Module):
    async def startup(self):
        self.export(plant=self.context.plant, mode=self.context.mode, scope=self.context.scope.word, epoch=self.context.epoch)

class Clinging(Module):
    async def shutdown(self):
        raise NotReady("still writing")

class Odd(Module):
    async def check_health(self):
        return True

class Eager(Module):
    async def run(self):
        try:
            await self.configuration.request("rate", 2)
            self.export(said="granted")
        except Refused as refused:
            self.export(said=str(refused))
        await self.clock.sleep(10_000)

    async def reconfigure(self, change):
        self.export(rate=change.new["rate"])
"""
MANIFEST = """
metadata: {name: line-4}
apply: {soak: 500ms}
modules:
  told: {entry: plant_code:Told}
"""


@pytest.fixture
def plant(tmp_path):
    with new_plant(tmp_path) as one:
        one.write(CODE, "plant_code.py")
        one.write(MANIFEST)
        yield one


def test_a_module_knows_its_plant_and_its_mode_from_the_first_apply_on(plant: Plant) -> None:
    (plant.folder / "modes").mkdir()
    plant.write("kind: Overlay\n", "modes/test.yaml")
    plant.ignrun("apply", "-d", "--mode", "test")
    exports = plant.wait_for(settled)["told@gateway"]["exports"]
    assert exports == {"plant": "line-4", "mode": "test", "scope": "gateway", "epoch": 1}


def test_a_stop_that_ends_in_error_is_no_stop_and_the_next_one_settles_it(plant: Plant) -> None:
    plant.write(MANIFEST + "  clinging: {entry: plant_code:Clinging}\n")
    plant.ignrun("apply", "-d")
    stopped = plant.ignrun("stop", "clinging", *plant.aim(), code=1)
    assert "`clinging@gateway` has ended, but in error: not ready: still writing" in stopped.err
    clinging = plant.instances()["clinging@gateway"]
    assert (clinging["state"], clinging["next_retry"]) == ("error", None)
    assert plant.ignrun("stop", "clinging", *plant.aim()).said == "clinging@gateway: stopped\n"
    assert plant.instances()["clinging@gateway"]["state"] == "stopped"


def test_a_module_that_asks_for_a_value_while_it_is_being_applied_gets_it_afterwards(plant: Plant) -> None:
    plant.write(MANIFEST + "  eager: {entry: plant_code:Eager, config: {rate: 1}}\n")
    plant.ignrun("apply", "-d")
    seen = plant.wait_for(lambda all_: all_["eager@gateway"]["exports"].get("said"))
    assert seen["eager@gateway"]["exports"] == {"said": "granted", "rate": 2}


def test_an_apply_that_waits_for_health_in_vain_says_what_the_checks_said(plant: Plant) -> None:
    plant.write("apply: {deadline: 3s}\nmodules:\n  odd: {entry: plant_code:Odd}\n")
    said = plant.ignrun("apply", "-d", code=11).said
    assert "the last of which said: the check returned `bool`, not healthy(), degraded() or unhealthy()" in said
    odd = plant.instances()["odd@gateway"]
    assert (odd["health"], odd["failures"]) == ("unknown", 1)
    assert "the check returned `bool`" in plant.ignrun("status", *plant.aim()).out
