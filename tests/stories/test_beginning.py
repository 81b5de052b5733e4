"""Tells how plants begin: several commands at once begin one and the same, and another name is another plant, which is said."""

import subprocess
import sys

import pytest

from tests.stories.plant import Plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

TEXT = "apply: {soak: 0s}\nmodules:\n  a: {command: [sleep, '1000']}\n"


def test_whoever_applies_in_the_same_moment_is_served_by_one_runner(plant: Plant) -> None:
    plant.write(TEXT)
    command = [sys.executable, "-m", "ignrun", "apply", "-d"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    at_once = [
        subprocess.Popen(command, cwd=plant.folder, env=plant.environment, text=True, **pipes)  # type: ignore[call-overload]
        for _ in range(3)
    ]
    told = [one.communicate(timeout=60) for one in at_once]
    assert [one.returncode for one in at_once] == [0, 0, 0], told
    assert {out for out, _ in told} == {"Applied: generation 1 is in force: 1 created.\n"}
    assert settled(plant.instances())
    assert sum("sleep 1000" in line for line in plant.processes().values()) == 1


def test_a_manifest_that_is_called_otherwise_now_is_another_plant_and_whoever_plans_or_applies_is_told(
    plant: Plant,
) -> None:
    plant.write(TEXT)
    plant.ignrun("apply", "-d")
    plant.write(f"metadata: {{name: other}}\n{TEXT}")
    for verb in (["plan"], ["apply", "-d"]):
        told = plant.ignrun(*verb).err
        assert "runs from this manifest too, and goes on: the manifest's name is `other` now" in told
        assert "hint: `ignrun down -n ignrun` ends it" in told
    plant.ignrun("down", "-n", "ignrun")
    plant.ignrun("down", "-n", "other")
    plant.nothing_left()
