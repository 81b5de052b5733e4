"""Tells the stories that the pages tell, with the code that stands on them."""

import json
import os
import re
import shutil
import signal

import pytest

from tests.house.tree import ROOT
from tests.stories.plant import Plant, identity, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]


def blocks(page: str, language: str) -> list[str]:
    """Give the code blocks of a page that are of one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_first_plant_of_the_tutorial_runs(plant: Plant, port: int) -> None:
    page = "docs/tutorial/first-plant.md"
    (counter,) = blocks(page, "python")
    first, second = (text.replace("18770", str(port)) for text in blocks(page, "yaml"))
    plant.write(counter, "counter.py")
    plant.write(first)
    plant.ignrun("validate")
    assert "1 to add" in plant.ignrun("plan").out
    plant.nothing_left()
    plant.ignrun("apply", "-d")
    before = plant.instances()["counter@gateway"]
    assert "counted to" in plant.ignrun("logs", "counter").out
    plant.write(second)
    assert "1 to add" in plant.ignrun("plan").out
    plant.ignrun("apply")
    assert settled(plant.instances()) and identity(plant.instances()["counter@gateway"]) == identity(before)
    plant.write(second.replace("requires: [counter]", "requires: [countr]"))
    assert "did you mean `counter`?" in plant.ignrun("apply", code=3).err
    plant.write(second)
    os.kill(plant.instances()["web@gateway"]["pid"], signal.SIGKILL)
    plant.wait_for(lambda now: settled(now) and now["web@gateway"]["statistics"]["restart_count"] == 1)
    plant.ignrun("down")
    plant.nothing_left()
    stops = [address for address, state in plant.moves() if state == "stopped"]
    assert stops[-2:] == ["web@gateway", "counter@gateway"]


def test_the_module_of_the_guide_does_what_the_guide_says(plant: Plant) -> None:
    page = "docs/how-to/write-a-module.md"
    boiler, display, *_ = blocks(page, "python")
    manifest, definition = blocks(page, "yaml")
    plant.write(boiler, "boiler.py")
    plant.write(display, "display.py")
    plant.write(manifest)
    plant.ignrun("apply", "-d")
    plant.wait_for(
        lambda now: (
            now["boiler@gateway"]["health"] in {"healthy", "degraded"} and now["display@gateway"]["state"] == "running"
        )
    )
    assert plant.instances()["boiler@gateway"]["exports"] == {"setpoint": 70}
    modules = plant.folder / "modules"
    modules.mkdir()
    shutil.move(plant.folder / "boiler.py", modules / "boiler.py")
    (modules / "module.yaml").write_text(definition)
    plant.write("sources: [{path: modules}]\nmodules: {boiler: {uses: com.example.boiler, config: {setpoint: hot}}}\n")
    assert "setpoint" in plant.ignrun("validate", code=3).said
    plant.write(
        "sources: [{path: modules}]\nmodules: {boiler: {uses: com.example.boiler, config: {setpoint: 60, interval: 250ms}}}\n"
    )
    plant.ignrun("apply")
    assert plant.instances()["boiler@gateway"]["exports"] == {"setpoint": 60}


def test_the_tour_of_the_readme_goes_as_it_says(tmp_path, port: int) -> None:
    shutil.copytree(ROOT / "manifests", tmp_path / "manifests", ignore=shutil.ignore_patterns(".ignrun", "__pycache__"))
    with new_plant(tmp_path, DEMO_WEB_PORT=str(port)) as plant:
        plant.manifest = tmp_path / "manifests" / "demo.yaml"
        text = plant.manifest.read_text()
        plant.ignrun("apply", "manifests/demo.yaml", "-d")
        before = plant.instances()
        assert len(before) == 7
        plant.write(text.replace("disk/percent: {high: 98}", "disk/percent: {high: 90}"))
        plan = plant.ignrun("plan", "manifests/demo.yaml").out
        assert "alarms@gateway  reconfigure" in plan and "98 -> 90" in plan and "6 unchanged" in plan
        plant.ignrun("apply", "manifests/demo.yaml")
        after = plant.instances()
        assert {key for key in before if identity(before[key]) != identity(after[key])} == set()
        shown = json.loads(plant.ignrun("status", *plant.aim(), "-o", "json").out)
        (web,) = (one["pid"] for one in shown["instances"] if one["module"] == "web")
        os.kill(web, signal.SIGKILL)
        plant.wait_for(lambda now: settled(now) and now["web@gateway"]["pid"] != web)
        assert "signal 9" in plant.ignrun("events", *plant.aim()).out
        plant.write(text.replace("config: {interval: 1s}", "config: {intervall: 1s}"))
        assert "did you mean `interval`?" in plant.ignrun("apply", "manifests/demo.yaml", code=3).err
        plant.ignrun("down", *plant.aim())
        plant.nothing_left()
