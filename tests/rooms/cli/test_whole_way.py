"""Runs the real command line with real processes: up, looked at, changed, killed, down."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.story

PLANT = "metadata: {name: line}\nmodules:\n  tags: {command: [sleep, '300']}\n  web: {command: [sleep, '301'], requires: [tags]}\n"


@pytest.fixture
def shell(place):
    """Call `ignrun` as a process of its own, and leave nothing behind."""

    def call(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "ignrun", *arguments], check=False, capture_output=True, text=True, timeout=50
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    (place / "ignrun.yaml").write_text(PLANT)
    yield call
    call("down")


def instances(shell) -> dict[str, dict]:
    return {one["module"]: one for one in json.loads(shell("status", "-o", "json").stdout)["instances"]}


def test_a_plant_comes_up_stays_untouched_by_a_second_apply_and_goes_down(shell) -> None:
    assert shell("apply", "-d").stdout == "Applied: generation 1 is in force: 2 created.\n"
    before = instances(shell)
    assert {one["state"] for one in before.values()} == {"running"}
    assert shell("apply").stdout.startswith("Nothing to do")
    after = instances(shell)
    for name, one in before.items():
        assert (after[name]["pid"], after[name]["cause"]) == (one["pid"], one["cause"])
    assert shell("plan").stderr == "compared with generation 1\n"
    assert shell("down").stderr == "plant `line` is down\n"
    assert "ended in good order" in shell("status", code=13).stdout
    assert shell("plan").stderr == "compared with generation 1; the plant is down\n"


def test_a_runner_that_is_killed_is_called_lost(shell) -> None:
    shell("apply", "-d")
    os.kill(json.loads(shell("status", "-o", "json").stdout)["plant"]["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while shell("ps").stdout != "no plant runs\n":
        assert time.monotonic() < deadline
    done = shell("status", code=13)
    assert "plant line: lost, generation 1\n" in done.stdout
    assert "ended without a word" in done.stdout
    shell("restart", "web", code=13)


def test_a_module_that_fails_at_once_is_held_and_the_rest_stays(shell, place) -> None:
    Path(place / "ignrun.yaml").write_text(PLANT + "  bad: {command: ['false'], lifecycle: {restart: never}}\n")
    done = shell("apply", "-d", code=11)
    assert "Held: generation 1 is in force, but not everything has arrived.\n" in done.stdout
    assert "  bad: the command ended: exit 1\n" in done.stdout
    assert {name: one["state"] for name, one in instances(shell).items()} == {
        "tags": "running",
        "web": "running",
        "bad": "error",
    }


def test_the_lifecycle_check_passes_for_a_sound_plant_and_leaves_nothing(shell, place) -> None:
    done = shell("test")
    assert done.stdout.splitlines()[-1].startswith("plant `line`: 10 checks, all passed")
    assert not (place / ".ignrun").exists()
    assert "no plant runs" in shell("ps").stdout
