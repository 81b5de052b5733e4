"""The sixty-second tour, as README shows it and as `docs/tutorial/sixty-seconds.md` has recorded it."""

import getpass
import os
import re
import shutil
import socket
from pathlib import Path

import pytest

import ignrun
from tests.house.tree import ROOT
from tests.stories.plant import Plant, identity, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

RECORD = ROOT / "docs" / "tutorial" / "sixty-seconds.md"


class Tour:
    """Runs the tour and writes down what was typed and what was said."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.lines: list[str] = []

    def says(self, text: str) -> None:
        self.lines += ["", text, ""]

    def edits(self, old: str, new: str) -> None:
        text = self.plant.manifest.read_text()
        assert text.count(old) == 1
        self.plant.write(text.replace(old, new))

    def types(self, *words: str, code: int = 0) -> str:
        done = self.plant.ignrun(*words, code=code)
        ending = "" if code == 0 else f"$ echo $?\n{code}\n"
        self.lines.append(f"```console\n$ ignrun {' '.join(words)}\n{done.err}{done.out}{ending}```")
        return done.said


def free_port() -> str:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return str(door.getsockname()[1])


@pytest.fixture
def tour(tmp_path, monkeypatch):
    folder = tmp_path / "plant"
    shutil.copytree(ROOT / "manifests", folder, ignore=shutil.ignore_patterns(".ignrun"))
    (folder / "demo.yaml").rename(folder / "ignrun.yaml")
    with new_plant(folder) as plant:
        plant.environment["DEMO_WEB_PORT"] = free_port()
        yield Tour(plant)


def untouched(before: dict, after: dict, but: str = "") -> bool:
    return all(
        identity(before[one]) == identity(after[one]) for one in before if not one.startswith(f"{but}@") or not but
    )


def test_the_tour_goes_as_it_is_told(tour) -> None:
    plant = tour.plant
    tour.says(
        "A plant comes up: a command creates a database, three modules share a process, a fourth has one of its own."
    )
    tour.types("apply", "-d", "--soak", "1s")
    tour.types("status")
    before = plant.instances()
    assert settled(before)

    tour.says(
        "`interval: 1s` becomes `300ms`. The change is made in the running module: every process and every object stays."
    )
    tour.edits("{interval: 1s}", "{interval: 300ms}")
    assert "Plan: 1 to reconfigure in place. 6 unchanged." in tour.types("plan")
    tour.types("apply", "--soak", "1s")
    assert untouched(before, plant.instances())
    assert tour.types("config", "get", "tags.interval") == "0.3\nin force: generation 2\n"

    tour.says("A typo is shown at its place, and nothing is touched.")
    tour.edits("{interval: 300ms}", "{intervall: 300ms}")
    assert "did you mean `interval`?" in tour.types("apply", code=3)
    assert untouched(before, plant.instances())

    tour.says(
        "A value that looks right but makes the module sick is taken back: the apply has failed, the old values live."
    )
    tour.edits("{intervall: 300ms}", "{interval: 300ms, disk: /no/such/disk}")
    assert "Rolled back: generation 2 is in force again." in tour.types("apply", code=6)
    assert untouched(before, plant.instances())
    assert "/no/such" not in plant.ignrun("config", "show", "tags").out
    assert "reconfigure undone" in tour.types("why", "tags")

    tour.says("Back to what was before the first edit, as a generation of its own.")
    tour.types("rollback", "--soak", "1s")
    assert "rollback" in tour.types("history")
    assert untouched(before, plant.instances())

    tour.says("And down, modules in reverse order.")
    tour.types("down")
    plant.nothing_left()
    _compare(tour)


def _compare(tour: Tour) -> None:
    """Hold the record to what was said now; with RECORD_TOUR=1 it is written anew."""
    said = _lasting("\n".join(tour.lines), tour.plant.folder)
    if os.environ.get("RECORD_TOUR"):
        RECORD.write_text(_HEAD + said.strip() + "\n")
    assert _typed(RECORD.read_text()) == _typed(said), "run the test with RECORD_TOUR=1 to record the tour anew"


def _typed(text: str) -> list[str]:
    return re.findall(r"^\$ .*", text, re.MULTILINE)


def _lasting(text: str, folder: Path) -> str:
    """Leave out of a record what tells of one machine: folders and people."""
    installed = str(Path(ignrun.__file__).parents[1])
    lasting = text.replace(installed, "/opt/ignrun").replace(str(folder), "/srv/plant")
    return re.sub(rf"\b{re.escape(getpass.getuser())}\b( +(by )?(cli|rollback)|\))", r"ada\1", lasting)


_HEAD = """# Sixty seconds

What follows was typed by a test in a copy of `manifests/` (its `demo.yaml` called `ignrun.yaml`), and is what was said. Times, process
numbers and ports are those of that run.
"""
