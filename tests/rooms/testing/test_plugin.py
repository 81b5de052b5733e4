"""Holds the fixture `ignrun_plant` to what its documentation promises, with real plants."""

import pytest

from ignrun.testing.plant import PlantFailed
from ignrun.testing.plugin import ignrun_plant as ignrun_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Fatal, Module

class Part(Module):
    async def startup(self):
        if self.config["size"] == 13:
            raise Fatal("no part of this size")
        self.log.info("a part of size %s", self.config["size"])
        self.export(**self.config)
"""
MANIFEST = """
vars: {size: 1}
modules:
  part: {entry: "fixture_plant_code:Part", config: {size: "${var:size}", quiet: false}}
"""
IN_TEST = """
kind: Overlay
modules:
  part: {config: {quiet: true}}
"""


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "fixture_plant_code.py").write_text(CODE)
    (tmp_path / "ignrun.yaml").write_text(MANIFEST)
    (tmp_path / "modes").mkdir()
    (tmp_path / "modes/test.yaml").write_text(IN_TEST)
    return tmp_path / "ignrun.yaml"


def test_a_plant_is_up_in_its_mode_when_the_fixture_returns_and_down_after_the_test(ignrun_plant, manifest) -> None:
    plant = ignrun_plant(manifest, mode="test", vars={"size": 2})
    part = plant.instances["part"]
    assert (part["state"], part["exports"]) == ("running", {"size": 2, "quiet": True})
    assert "a part of size 2" in plant.logs("part")
    assert any(one["body"]["type"] == "moved" for one in plant.events())
    plant.down()
    assert plant.instances == {} or plant.instances["part"]["state"] == "stopped"


def test_what_does_not_arrive_fails_the_test_with_what_the_command_said(ignrun_plant, manifest) -> None:
    with pytest.raises(PlantFailed, match="no part of this size"):
        ignrun_plant(manifest, vars={"size": 13})


def test_a_plant_follows_its_manifest(ignrun_plant, manifest) -> None:
    plant = ignrun_plant(manifest)
    manifest.write_text(manifest.read_text().replace("{size: 1}", "{size: 5}"))
    assert plant.apply()["result"] == "committed"
    assert plant.wait_for(lambda seen: seen["part"]["state"] == "running")["part"]["exports"]["size"] == 5
