"""Tells of a plant whose files are watched: every settled edit is applied once, a bad one touches nobody, and the watcher says what it does."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rooms.watch.styles import CHANGING
from tests.stories.plant import Plant, identity, new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module

class Part(Module):
    async def startup(self):
        self.export(value=self.config["value"])

    async def reconfigure(self, change):
        self.export(value=change.new["value"])
"""
MANIFEST = """
sources: [{{path: .}}]
apply: {{soak: 0s}}
watch: {{{watch}}}
modules:
  part: {{entry: "plain:Part", config: {{value: {value}}}}}
  other: {{entry: "plain:Part", config: {{value: "${{file:other.txt}}"}}}}
"""


def text(value: int, watch: str = "") -> str:
    return MANIFEST.format(value=value, watch=watch)


@pytest.fixture
def watched(tmp_path):
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plain.py")
        plant.write("0", "other.txt")
        plant.write(text(0))
        plant.ignrun("apply", "-d")
        yield plant


def value_of(plant: Plant, module: str = "part") -> Any:
    return plant.instances()[f"{module}@gateway"]["exports"].get("value")


def watch(plant: Plant) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plant.ignrun("watch", "status", *plant.aim(), "-o", "json").out)["watch"]
    return found


def bodies(plant: Plant, kind: str) -> list[dict[str, Any]]:
    """Give what the journal holds of one kind of event."""
    said = plant.ignrun("events", *plant.aim(), "--lines", "100000", "-o", "json").out
    events = json.loads(said) if said.lstrip().startswith("[") else [json.loads(line) for line in said.splitlines()]
    return [one["body"] for one in events if one["body"]["type"] == kind]


def stays(condition: Callable[[], bool], seconds: float) -> None:
    """Look again and again for a while: it has to hold each time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition()
        time.sleep(0.1)


def test_an_edit_takes_effect_without_a_command_and_without_a_restart(watched: Plant) -> None:
    before = watched.instances()
    watched.write(text(1))
    until(lambda: value_of(watched) == 1, 5, lambda: watch(watched))
    after = watched.instances()
    assert {name: identity(one) for name, one in after.items()} == {name: identity(one) for name, one in before.items()}
    assert [one["trigger"] for one in bodies(watched, "apply-began")] == ["cli", "watch"]
    seen = watch(watched)
    assert (seen["state"], seen["backend"], seen["outcome"]["result"]) == ("watching", "inotify", "committed")
    assert seen["outcome"]["files"] == [str(watched.manifest)]


def test_a_file_that_a_value_comes_from_is_watched_and_one_that_is_not_read_is_not(watched: Plant) -> None:
    watched.write("7", "other.txt")
    watched.write("noise", "notes.txt")
    until(lambda: value_of(watched, "other") == "7", 5, lambda: watch(watched))
    assert len(bodies(watched, "edit-settled")) == 1


def test_a_typo_touches_nobody_is_told_once_with_its_place_and_mended_by_the_next_edit(watched: Plant) -> None:
    before = watched.instances()
    watched.write(text(1).replace("modules:", "modulse:"))
    until(lambda: bodies(watched, "edit-refused"), 5, lambda: watch(watched))
    stays(lambda: len(bodies(watched, "edit-refused")) == 1, 1)
    [refused] = bodies(watched, "edit-refused")
    assert "ignrun.yaml:5:1: IGN204" in refused["reason"]
    assert watch(watched)["outcome"]["result"] == "invalid"
    assert {n: identity(o) for n, o in watched.instances().items()} == {n: identity(o) for n, o in before.items()}
    assert "last edit invalid" in watched.ignrun("status", *watched.aim()).out
    log = Path(watched.state_folder(), "logs", "runner.log").read_text()
    assert log.count("unknown key `modulse`") >= 1
    watched.write(text(2))
    until(lambda: value_of(watched) == 2, 5, lambda: watch(watched))


@pytest.mark.parametrize("broken", ["", "modules: [", None], ids=["empty", "half", "missing"])
def test_what_is_no_manifest_leaves_everything_as_it_is(watched: Plant, broken) -> None:
    before = watched.instances()
    watched.manifest.unlink()
    if broken is not None:
        watched.write(broken)
    until(lambda: bodies(watched, "edit-refused"), 5, lambda: watch(watched))
    watched.write(text(3))
    until(lambda: value_of(watched) == 3, 5, lambda: watch(watched))
    assert {n: identity(o) for n, o in watched.instances().items()} == {n: identity(o) for n, o in before.items()}


def test_paused_holds_edits_back_and_resume_applies_the_last(watched: Plant) -> None:
    watched.ignrun("watch", "pause", *watched.aim())
    for value in (1, 2, 3):
        watched.write(text(value))
        until(lambda: watch(watched)["holds"] and "1 changed file" in watch(watched)["holds"][0], 5)
    assert value_of(watched) == 0
    watched.ignrun("watch", "resume", *watched.aim())
    until(lambda: value_of(watched) == 3, 5, lambda: watch(watched))
    assert len(bodies(watched, "edit-settled")) == 1


def test_without_a_wish_nobody_watches_and_with_the_flag_somebody_does(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plain.py")
        plant.write("0", "other.txt")
        plant.write(text(0).replace("watch: {}\n", ""))
        plant.ignrun("apply", "-d")
        assert watch(plant)["state"] == "off"
        assert plant.ignrun("watch", "pause", code=1).err.startswith("error: nobody watches the files of this plant")
        plant.ignrun("apply", "--watch")
        plant.write(text(1).replace("watch: {}\n", ""))
        until(lambda: value_of(plant) == 1, 5, lambda: watch(plant))


def test_with_code_an_edited_class_runs_anew(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plain.py")
        plant.write("0", "other.txt")
        plant.write(text(0, "code: true"))
        plant.ignrun("apply", "-d")
        plant.write(CODE.replace('value=self.config["value"]', 'value="new code"'), "plain.py")
        until(lambda: value_of(plant) == "new code", 8, lambda: watch(plant))


@pytest.mark.parametrize("broken", ["def (", "class Party: ..."], ids=["not-python", "class-gone"])
def test_with_code_a_broken_class_is_told_once_and_its_repair_runs(tmp_path, broken: str) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plain.py")
        plant.write("0", "other.txt")
        plant.write(text(0, "code: true"))
        plant.ignrun("apply", "-d")
        before = plant.instances()
        plant.write(broken, "plain.py")
        until(lambda: bodies(plant, "edit-refused"), 5, lambda: watch(plant))
        stays(lambda: len(bodies(plant, "edit-settled")) == 1 and not watch(plant)["holds"], 1)
        assert {n: identity(o) for n, o in plant.instances().items()} == {n: identity(o) for n, o in before.items()}
        plant.write(CODE.replace('value=self.config["value"]', 'value="new code"'), "plain.py")
        until(lambda: value_of(plant) == "new code", 8, lambda: watch(plant))


def test_without_code_an_edited_class_is_left_until_somebody_applies(watched: Plant) -> None:
    watched.write(CODE.replace('value=self.config["value"]', 'value="new code"'), "plain.py")
    stays(lambda: value_of(watched) == 0, 1)
    assert bodies(watched, "edit-settled") == []


def test_what_was_rolled_back_by_hand_stays_so_until_the_files_change(watched: Plant) -> None:
    watched.write(text(1))
    until(lambda: value_of(watched) == 1, 5, lambda: watch(watched))
    watched.ignrun("rollback", *watched.aim(), "--yes")
    assert value_of(watched) == 0
    stays(lambda: value_of(watched) == 0, 1)
    watched.write(text(2))
    until(lambda: value_of(watched) == 2, 5, lambda: watch(watched))


def test_however_it_is_saved_it_takes_effect(watched: Plant) -> None:
    value = 100
    for style in ("in_place", "truncate_and_write", "temporary_and_rename", "vim_backup_rename", "symlink_swap"):
        for _ in range(2):
            value += 1
            CHANGING[style](watched.manifest, text(value))
            until(lambda: value_of(watched) == value, 5, lambda: watch(watched))  # noqa: B023 - asked at once
    assert len(bodies(watched, "edit-settled")) == value - 100
