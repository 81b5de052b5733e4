"""Tells what hostile modules cost: their own process, and nothing of anybody else's."""

import os
import random
import signal
import time

import pytest

from tests.stories.hostile import KINDS, ordeal
from tests.stories.plant import new_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

TIMES = 8
"""With fifteen kinds, alone and shared: 240 ordeals."""

SABOTAGE = """
import sys
if any("ignrun" in part for part in sys.orig_argv):
    from ignrun.runtime.supervise import silence
    silence.judge = lambda draft, record: None
"""
"""A runner that never replaces a host, however long that is stuck."""

NAMED = {one.entry: one for one in KINDS}


def test_fifteen_hostile_modules_in_processes_of_their_own_touch_nobody_and_leave_nothing(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        assert ordeal(plant, KINDS, "process") == []


def test_the_ordeal_catches_a_build_that_does_not_replace_a_stuck_host(tmp_path) -> None:
    (tmp_path / "sabotage").mkdir()
    (tmp_path / "sabotage" / "sitecustomize.py").write_text(SABOTAGE)
    with new_plant(tmp_path, PYTHONPATH=str(tmp_path / "sabotage")) as plant:
        broken = ordeal(plant, (NAMED["BlocksInStartup"], NAMED["Exits"]), "process", patience=8.0)
        for pid in plant.processes():  # it would not come down by itself
            os.kill(pid, signal.SIGKILL)
    assert broken == ["bad-blocks-in-startup@gateway is not found out"]


@pytest.mark.torture
@pytest.mark.parametrize("isolation", ["process", "shared"])
@pytest.mark.parametrize("entry", NAMED)
def test_a_hostile_module_touches_nobody_outside_its_process_and_leaves_nothing(tmp_path, entry, isolation) -> None:
    chance = random.Random(f"{entry} {isolation}")
    for number in range(TIMES):
        folder = tmp_path / str(number)
        folder.mkdir()
        time.sleep(chance.uniform(0.0, 0.3))
        with new_plant(folder) as plant:
            assert ordeal(plant, (NAMED[entry],), isolation) == []
