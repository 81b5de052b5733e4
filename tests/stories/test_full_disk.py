"""Tells how a plant lives through a disk that refuses: modules go on, changes are refused and say why, and it heals by itself."""

import json
import os
import resource
import signal

import pytest

from tests.stories.plant import Plant, new_plant, settled, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

MANIFEST = """
apply: {{soak: 0s}}
modules:
  tags: {{command: [sleep, "{value}"]}}
  bystander: {{command: [sleep, "1000"]}}
"""


@pytest.fixture
def plant(tmp_path):
    with new_plant(tmp_path) as one:
        one.write(MANIFEST.format(value=1001))
        yield one


def let_grow_to(pid: int, size: int) -> None:
    """Let no file that this process writes grow beyond so many bytes: what a full disk is to it."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_changes_leaves_modules_alone_and_heals_without_a_restart(plant: Plant) -> None:
    plant.ignrun("apply", "-d")
    before = plant.wait_for(settled)
    runner = plant.status()["plant"]["pid"]
    plant.write(MANIFEST.format(value=1002))
    let_grow_to(runner, 1)  # not even the text of the manifest can be kept
    assert "cannot be used: File too large" in plant.ignrun("apply", "-d", code=5).err
    let_grow_to(runner, 1000)
    refused = plant.ignrun("apply", "-d", code=1)
    assert "nothing was touched; the journal cannot keep it: " in refused.out
    assert plant.status()["plant"]["generation"] == 1
    assert "the journal cannot keep anything (" in plant.ignrun("status").out
    assert {a: one["pid"] for a, one in plant.instances().items()} == {a: one["pid"] for a, one in before.items()}
    let_grow_to(runner, resource.RLIM_INFINITY)
    until(lambda: plant.ignrun("apply", "-d", code=None).code == 0)
    after = plant.wait_for(settled)
    assert after["bystander@gateway"]["pid"] == before["bystander@gateway"]["pid"]
    assert after["tags@gateway"]["pid"] != before["tags@gateway"]["pid"]
    assert (plant.status()["plant"]["pid"], plant.status()["plant"]["note"]) == (runner, "")
    numbers = [
        json.loads(line)["seq"] for line in plant.ignrun("events", "-o", "json", "--lines", "1000").out.splitlines()
    ]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_runner_that_is_killed_in_the_middle_of_an_apply_leaves_one_that_was_interrupted(plant: Plant) -> None:
    plant.ignrun("apply", "-d")
    runner = plant.status()["plant"]["pid"]
    slow = MANIFEST.format(value=1002).replace("soak: 0s", "soak: 30s")
    plant.write(slow)
    plant.ignrun("apply", "-d", "--no-wait")
    until(lambda: "under way" in plant.ignrun("history").out)
    os.kill(runner, signal.SIGKILL)
    plant.nothing_left()
    assert "under way" in plant.ignrun("history").out
    plant.write(MANIFEST.format(value=1003))
    plant.ignrun("apply", "-d")
    results = [
        (one["number"], one["result"]) for one in json.loads(plant.ignrun("history", "-o", "json").out)["generations"]
    ]
    assert (2, "interrupted") in results
    assert "ended interrupted: the runner died in the middle of it" in plant.ignrun("events", "--lines", "1000").out


def test_a_plant_comes_up_over_a_damaged_journal_and_says_what_was_found(plant: Plant) -> None:
    plant.ignrun("apply", "-d")
    store = plant.state_folder() / "journal.sqlite"
    plant.ignrun("down")
    data = bytearray(store.read_bytes())
    data[4096 : 3 * 4096] = bytes(2 * 4096)
    store.write_bytes(data)
    plant.ignrun("apply", "-d")
    plant.wait_for(settled)
    assert "the journal was damaged (" in plant.ignrun("status").out
    assert "the journal was damaged (" in plant.ignrun("events", "--lines", "1000").out
    assert [one.read_bytes() for one in store.parent.glob("journal.sqlite.damaged-*")] == [bytes(data)]
    plant.ignrun("down")
