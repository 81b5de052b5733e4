"""Tells what happens when something of a running plant is killed."""

import os
import signal

import pytest

from tests.stories.plant import Plant, identity, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module, provides

class Source(Module):
    @provides
    async def value(self): return 7

class Store(Module):
    async def startup(self):
        self.export(value=await self.dependency("source").call("value"))
"""
MANIFEST = """
modules:
  source: {entry: plant_code:Source}
  neighbour: {entry: plant_code:Source}
  store: {entry: plant_code:Store, requires: [source], isolation: process}
  idle: {command: [sleep, "1000"], ready: {exec: ["true"]}, requires: [store]}
  other: {command: [sleep, "1000"], ready: {exec: ["true"]}}
"""


@pytest.fixture
def running(tmp_path):
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        plant.write(MANIFEST)
        plant.ignrun("apply", "-d")
        yield plant


def killed(plant: Plant, address: str) -> tuple[dict, dict]:
    """Kill the process of an instance and wait until all is well again; gives the status before and after."""
    before = plant.instances()
    os.kill(before[address]["pid"], signal.SIGKILL)
    after = plant.wait_for(lambda now: settled(now) and now[address]["pid"] != before[address]["pid"])
    return before, after


def untouched(before: dict, after: dict) -> set[str]:
    return {address for address in before if identity(before[address]) == identity(after[address])}


def test_a_killed_command_comes_back_and_nobody_else_is_touched(running: Plant) -> None:
    before, after = killed(running, "idle@gateway")
    assert untouched(before, after) == {*before} - {"idle@gateway"}
    assert "signal 9" in running.ignrun("events", *running.aim()).out


def test_a_killed_host_comes_back_and_no_other_process_is_touched(running: Plant) -> None:
    before, after = killed(running, "store@gateway")
    assert untouched(before, after) == {*before} - {"store@gateway"}
    assert after["store@gateway"]["exports"] == {"value": 7}


def test_a_killed_shared_host_comes_back_with_all_who_share_it(running: Plant) -> None:
    before, after = killed(running, "source@gateway")
    assert untouched(before, after) == {"store@gateway", "idle@gateway", "other@gateway"}
    assert after["source@gateway"]["pid"] == after["neighbour@gateway"]["pid"]


def test_a_host_that_is_killed_again_and_again_still_comes_back(running: Plant) -> None:
    for _ in range(3):
        killed(running, "store@gateway")


def test_of_a_killed_runner_nothing_is_left_and_the_next_one_starts_everything(running: Plant) -> None:
    assert len(running.processes()) >= 6
    os.kill(running.status()["plant"]["pid"], signal.SIGKILL)
    running.nothing_left()
    assert "lost" in running.ignrun("status", *running.aim(), code=None).said
    running.ignrun("apply", "-d")
    assert settled(running.instances())


def test_of_a_killed_runner_a_host_that_never_gives_the_interpreter_away_is_left_neither(tmp_path) -> None:
    code = "import re\nasync def busy(ctx):\n    re.match('(a+)+$', 'a' * 60 + 'b')\n"
    with new_plant(tmp_path) as plant:
        plant.write(code, "plant_code.py")
        plant.write(
            "modules: {busy: {entry: plant_code:busy, isolation: process, gate: none}, idle: {command: [sleep, '1000']}}"
        )
        plant.ignrun("apply", "-d", code=None)
        os.kill(plant.status()["plant"]["pid"], signal.SIGKILL)
        plant.nothing_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_runner_that_is_told_to_end_takes_the_plant_down(running: Plant, number) -> None:
    os.kill(running.status()["plant"]["pid"], number)
    running.nothing_left()
    assert running.moves()[-1][1] == "stopped"


def test_a_command_that_leaves_its_session_and_ignores_the_stop_signal_is_ended_with_its_children(tmp_path) -> None:
    script = "import os, signal, time\nsignal.signal(15, signal.SIG_IGN)\nif os.fork() == 0:\n    os.setsid()\n    os.fork()\ntime.sleep(1000)\n"
    with new_plant(tmp_path) as plant:
        plant.write(script, "stubborn.py")
        plant.write("modules: {stubborn: {command: [python, stubborn.py], lifecycle: {stop_timeout: 500ms}}}")
        plant.ignrun("apply", "-d")
        plant.wait_for(lambda now: sum("stubborn.py" in one for one in plant.processes().values()) >= 3)
        plant.ignrun("down", *plant.aim())
        plant.nothing_left(5)
