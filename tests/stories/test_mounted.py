"""Mounts the verbs in another program, as `ign module core`, and runs it for real."""

import subprocess
import sys

import pytest

from tests.stories.plant import Plant

pytestmark = pytest.mark.story

IGN = """
import click
from ignrun.cli import ignrun

@click.group()
def ign(): "Another program."

@ign.group()
def module(): "Its modules."

module.add_command(ignrun, "core")
ign(prog_name="ign")
"""


def ign(plant: Plant, *words: str) -> subprocess.CompletedProcess[str]:
    (plant.folder / "ign.py").write_text(IGN)
    return subprocess.run(
        [sys.executable, "ign.py", "module", "core", *words],
        cwd=plant.folder,
        env=plant.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_info_test_and_demo_work_where_they_are_mounted(plant) -> None:
    info = ign(plant, "info")
    assert (info.returncode, info.stderr) == (0, "")
    assert "can:" in info.stdout
    plant.write("modules:\n  one: {command: [sleep, '100']}\n")
    checked = ign(plant, "test")
    assert (checked.returncode, "one" in checked.stdout + checked.stderr) == (0, True), checked.stderr
    demo = ign(plant, "demo")
    assert demo.returncode == 0, demo.stderr


def test_exit_codes_and_hints_are_those_of_the_program_it_is_mounted_in(plant) -> None:
    lost = ign(plant, "status")
    assert lost.returncode == 13
    assert "hint: `ign module core apply MANIFEST` starts one" in lost.stderr
    plant.write("modules:\n  one: {comand: [sleep, '100']}\n")
    assert ign(plant, "validate").returncode == 3
    assert ign(plant, "sttus").returncode == 2
    assert "did you mean `status`?" in ign(plant, "sttus").stderr
    assert "Usage: ign module core" in ign(plant, "--help").stdout
