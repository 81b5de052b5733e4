"""Tells how a plant in several files, in a mode, runs: includes, `extends`, `for_each`, variables and overlays with real processes."""

import pytest

from tests.stories.plant import Plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]


def test_a_plant_in_several_files_runs_in_a_mode_and_an_edit_of_the_overlay_moves_one_module(plant: Plant) -> None:
    for folder in ("lines", "modes"):
        (plant.folder / folder).mkdir()
    plant.write(
        "include: [lines/*.yaml]\n"
        "vars: {seconds: 1000}\n"
        "x-sim: {command: [sleep, '${var:seconds}'], config: {rate: 1, unit: bar}}\n"
        "modules:\n"
        "  sim: {extends: x-sim, requires: [plc-filler]}\n"
        "  gone: {command: [sleep, '1000']}\n"
    )
    plant.write(
        "modules:\n  plc: {for_each: [filler, capper], command: [sleep, '1000'], config: {me: '${each:key}'}}\n",
        "lines/plc.yaml",
    )
    plant.write("kind: Overlay\nmodules:\n  sim: {config: {rate: 5}}\n  gone: null\n", "modes/prod.yaml")
    plant.ignrun("apply", "-d", "--mode", "prod")
    before = plant.instances()
    assert sorted(before) == ["plc-capper@gateway", "plc-filler@gateway", "sim@gateway"]
    assert {one["health"] for one in before.values()} == {"healthy"}
    explained = plant.ignrun("config", "explain", "sim.rate", "--mode", "prod", *plant.aim()).out
    assert "modes/prod.yaml:3:24" in explained and "ignrun.yaml:3:" in explained
    plant.write("kind: Overlay\nmodules:\n  sim: {config: {rate: 6}}\n  gone: null\n", "modes/prod.yaml")
    assert "modes/prod.yaml:3:24" in plant.ignrun("plan", "--mode", "prod").out
    plant.ignrun("apply", "--mode", "prod")
    after = plant.instances()
    assert {name for name in after if after[name]["pid"] != before[name]["pid"]} == {"sim@gateway"}
    plant.ignrun("down", *plant.aim())
    plant.nothing_left()
