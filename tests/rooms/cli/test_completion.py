"""Holds completion to what a shell hears: verbs, options, and the modules of the plant that is meant."""

import os
import subprocess
import sys

import pytest

from ignrun.cli.completing import SHELLS
from tests.rooms.cli.scripted import serving


def completed(words: str, number: int, **environment: str) -> list[str]:
    """Ask as bash does: the whole line, and which of its words is being typed."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(number), "_IGNRUN_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-m", "ignrun"],
        env=dict(os.environ) | asked | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_verbs_and_options_are_completed() -> None:
    assert completed("ignrun sta", 1) == ["status", "start"]
    assert "--state-dir" in completed("ignrun status --st", 2)


def test_modules_are_asked_of_the_runner_that_is_meant(plant_running_with_lock) -> None:
    with serving(*plant_running_with_lock("four")):
        check_modules()


def check_modules() -> None:
    assert completed("ignrun restart ", 2) == ["tags", "web"]
    assert completed("ignrun logs w", 2) == ["web"]
    assert completed("ignrun config get t", 3) == ["tags"]
    assert completed("ignrun why -n nobody t", 4) == []


def test_where_there_is_no_plant_nothing_is_said() -> None:
    assert completed("ignrun restart ", 2) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script(ignrun, shell) -> None:
    done = ignrun("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "_IGNRUN_COMPLETE" in done.out


def test_bash_takes_the_script(ignrun, tmp_path) -> None:
    (tmp_path / "script").write_text(ignrun("completion", "bash").out)
    done = subprocess.run(
        ["bash", "-c", f"source {tmp_path}/script && complete -p ignrun"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "_ignrun_completion" in done.stdout


def test_a_shell_that_nobody_knows_is_a_usage_error(ignrun) -> None:
    assert ignrun("completion", "tcsh").code == 2
