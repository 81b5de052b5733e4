"""Tells what is said of a runner in the foreground that was interrupted, early or twice."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.stories.plant import Plant, new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

STUBBORN = """
modules:
  stubborn: {command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"], ready: {exec: ["false"]}}
"""


@pytest.fixture
def plant(tmp_path):
    with new_plant(tmp_path) as plant:
        plant.write(STUBBORN)
        yield plant


def happened(plant: Plant) -> list[str]:
    lines = plant.ignrun("events", *plant.aim(), "--lines", "100000", "-o", "json", code=None).out.splitlines()
    return [json.loads(line)["body"]["type"] for line in lines]


def await_asked(plant: Plant, times: int) -> None:
    until(lambda: happened(plant).count("operator-asked") >= times)


@pytest.mark.parametrize("times", [1, 2])
def test_a_runner_interrupted_in_its_first_apply_ends_in_good_order(plant: Plant, times: int) -> None:
    command = [sys.executable, "-m", "ignrun", "apply"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=plant.folder, env=plant.environment, text=True, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE
    ) as process:
        plant.wait_for(lambda now: now and now["stubborn@gateway"]["pid"])
        for so_far in range(times):
            os.kill(process.pid, signal.SIGINT)
            await_asked(plant, so_far + 1)
        assert process.wait(60) == 130
        assert process.stderr
        said = process.stderr.read()
    assert "Refused" not in said
    assert said.endswith("Interrupted: the plant was taken down.\n")
    bodies = happened(plant)
    assert (bodies[-1], bodies.count("runner-ended")) == ("runner-ended", 1)
    assert bodies.count("operator-asked") == times
    assert "ended in good order" in plant.ignrun("status", *plant.aim(), code=13).out
    plant.nothing_left()


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_test_that_is_broken_off_takes_its_plant_down(plant: Plant, how: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "ignrun", "test"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=plant.folder, env=plant.environment, stdin=quiet, stdout=quiet, stderr=quiet
    ) as process:
        until(lambda: any("sleep 1" in line for line in plant.processes().values()))
        process.send_signal(how)
        assert process.wait(60) == code
    plant.nothing_left()
