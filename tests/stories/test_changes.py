"""Tells what an apply touches: what changed, in order, and nobody else."""

import datetime as dt
import subprocess
import sys

import pytest

from tests.bench.order import order_violations
from tests.bench.plants import edges_of, random_graph, write_plant
from tests.stories.plant import Plant, identity, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module

class Part(Module):
    async def startup(self):
        self.export(**self.config)
"""
MANIFEST = """
modules:
  a: {entry: plant_code:Part, config: {size: 1}}
  b: {entry: plant_code:Part, config: {size: 2}, requires: [a]}
  c: {entry: plant_code:Part, config: {size: 3}, isolation: process, requires: [b]}
  d: {command: [sleep, "1000"], ready: {exec: ["true"]}}
"""


@pytest.fixture
def running(tmp_path):
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        plant.write(MANIFEST)
        plant.ignrun("apply", "-d")
        yield plant


def changed(plant: Plant, text: str) -> set[str]:
    """Apply another text; gives the instances that are no longer what they were, as short names."""
    before = plant.instances()
    plant.write(text)
    plant.ignrun("apply")
    after = plant.instances()
    assert settled(after)
    same = {address for address in before if address in after and identity(before[address]) == identity(after[address])}
    return {address.split("@")[0] for address in {*before, *after} - same}


def test_applying_the_same_again_touches_nobody(running: Plant) -> None:
    assert changed(running, MANIFEST) == set()


def test_a_comment_another_order_or_other_quotes_touch_nobody(running: Plant) -> None:
    other = MANIFEST.replace(
        "{entry: plant_code:Part, config: {size: 1}}", '{config: {"size": 1}, entry: "plant_code:Part"} # !'
    )
    assert other != MANIFEST
    assert changed(running, other) == set()


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_only_the_module_whose_config_changed_is_restarted(running: Plant, name) -> None:
    size = {"a": 1, "b": 2, "c": 3}[name]
    assert changed(running, MANIFEST.replace(f"size: {size}", "size: 9")) == {name}
    assert running.instances()[f"{name}@gateway"]["exports"] == {"size": 9}


def test_changed_code_runs_in_a_fresh_process_and_only_there(running: Plant) -> None:
    before = running.instances()
    running.write(CODE + "\nclass Other(Part): ...\n", "plant_code.py")
    text = MANIFEST.replace("config: {size: 1}", "config: {size: 1}, after: [d]")
    running.write(
        "from plant_code import Part\nclass New(Part):\n    async def startup(self): self.export(new=True)\n",
        "new_code.py",
    )
    assert changed(running, text) >= {"a", "b", "c"}
    after = running.instances()
    assert all(before[f"{name}@gateway"]["pid"] != after[f"{name}@gateway"]["pid"] for name in "abc")
    assert before["d@gateway"]["pid"] == after["d@gateway"]["pid"]
    assert changed(running, text.replace("c: {entry: plant_code:Part", "c: {entry: new_code:New")) == {"c"}
    assert running.instances()["c@gateway"]["exports"] == {"new": True}
    assert changed(running, text) == {"c"}
    assert running.instances()["c@gateway"]["exports"] == {"size": 3}


def test_only_the_command_whose_arguments_changed_is_restarted(running: Plant) -> None:
    assert changed(running, MANIFEST.replace("1000", "1001")) == {"d"}


def test_a_new_module_comes_and_a_removed_one_goes_and_the_rest_stays(running: Plant) -> None:
    added = MANIFEST + '  e: {command: [sleep, "1000"], ready: {exec: ["true"]}, requires: [c]}\n'
    assert changed(running, added) == {"e"}
    assert changed(running, MANIFEST) == {"e"}
    assert "e@gateway" not in running.instances()


def test_a_plan_says_what_moves_and_where_that_is_written(running: Plant) -> None:
    running.write(MANIFEST.replace("size: 2", "size: 7"))
    plan = running.ignrun("plan").out
    assert "^ b  restart" in plan and "ignrun.yaml:4:" in plan and "2 -> 7" in plan and "3 unchanged" in plan
    assert running.ignrun("plan", "--detailed-exitcode", code=10).code == 10


def test_an_invalid_edit_touches_nobody(running: Plant) -> None:
    before = running.instances()
    running.write(MANIFEST.replace("size: 2", "size: 7").replace("requires: [a]", "requires: [aa]"))
    running.ignrun("apply", code=3)
    assert {key: identity(one) for key, one in running.instances().items()} == {
        key: identity(one) for key, one in before.items()
    }


CLASS = """
from dataclasses import dataclass
from ignrun import Module

class Scan(Module):
    @dataclass
    class Config:
        level: int = 1
"""


def test_what_the_class_of_a_running_module_does_not_take_is_rejected_before_anybody_stops(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CLASS, "scan_code.py")
        plant.write("modules:\n  scan: {entry: scan_code:Scan, config: {level: 2}}\n")
        plant.ignrun("apply", "-d", "--soak", "0s")
        before = plant.instances()
        plant.write("modules:\n  scan: {entry: scan_code:Scan, config: {levle: 3}}\n")
        done = plant.ignrun("apply", "--soak", "0s", code=3)
        assert "unknown key `levle`" in done.said
        assert "nothing was touched" in done.said
        after = plant.instances()
        assert {a: identity(one) for a, one in after.items()} == {a: identity(one) for a, one in before.items()}
        plant.write("modules:\n  scan: {entry: scan_code:Scan, config: {level: 3}}\n")
        plant.ignrun("apply", "--soak", "0s")
        assert settled(plant.instances())


def test_a_restart_by_hand_touches_one_instance(running: Plant) -> None:
    before = running.instances()
    running.ignrun("restart", "c", *running.aim())
    after = running.wait_for(settled)
    assert {key for key in before if identity(before[key]) != identity(after[key])} == {"c@gateway"}


def test_a_plant_that_was_down_is_started_again_as_it_was(running: Plant) -> None:
    running.ignrun("down", *running.aim())
    running.nothing_left()
    assert "down" in running.ignrun("status", *running.aim(), code=None).said
    running.ignrun("apply", "-d")
    assert settled(running.instances())


def test_down_without_a_runner_is_done_already(plant: Plant) -> None:
    plant.write(MANIFEST)
    plant.write(CODE, "plant_code.py")
    assert plant.ignrun("down", *plant.aim()).code == 0
    assert plant.ignrun("apply", "--no-start", code=13).code == 13
    plant.nothing_left()


def test_start_order_follows_the_edges_and_stop_order_is_its_reverse(tmp_path) -> None:
    graph = random_graph(60, seed=5)
    with new_plant(tmp_path) as plant:
        write_plant(tmp_path, graph)
        plant.ignrun("apply", "-d")
        plant.ignrun("down", *plant.aim())
        moves = [(address.split("@")[0], state) for address, state in plant.moves()]
    assert order_violations(moves, edges_of(graph)) == []


def test_order_holds_across_hosts_and_commands(running: Plant) -> None:
    running.write(MANIFEST + '  e: {command: [sleep, "1000"], ready: {exec: ["true"]}, requires: [c]}\n')
    running.ignrun("apply")
    running.ignrun("down", *running.aim())
    moves = [(address.split("@")[0], state) for address, state in running.moves()]
    assert order_violations(moves, [("b", "a"), ("c", "b"), ("e", "c")]) == []


def test_every_time_in_the_public_status_says_its_zone(running: Plant) -> None:
    for one in running.instances().values():
        stamp = dt.datetime.fromisoformat(one["since"])
        assert stamp.utcoffset() == dt.timedelta(0)


def test_two_applies_at_once_both_get_an_outcome(running: Plant) -> None:
    running.write(MANIFEST.replace("size: 2", "size: 8"))
    command = [sys.executable, "-m", "ignrun", "apply"]
    both = [
        subprocess.Popen(
            command, cwd=running.folder, env=running.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60)[0].decode() for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert running.instances()["b@gateway"]["exports"] == {"size": 8}


def test_the_state_folder_is_its_owners_alone(running: Plant) -> None:
    state = running.state_folder()
    assert state.stat().st_mode & 0o777 == 0o700
    files = [path for path in state.iterdir() if path.is_file() and path.name != ".gitignore"]
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
