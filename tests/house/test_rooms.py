"""Holds the tree, the room list, the import contracts and the README's map to each other."""

import re
from pathlib import Path

import pytest

from tests.house import laws
from tests.house.rooms import INNER_ROOMS, NEAR_MODULE_CODE, WINGS
from tests.house.tree import PACKAGE, ROOT, project

README = ROOT / "README.md"


def rooms_in(folder: Path) -> set[str]:
    """Give the packages and files of a folder that count as rooms; rooms may be planned and not built yet."""
    found = {path.parent.name for path in folder.glob("*/__init__.py")}
    return found | {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}


def contracts(kind: str) -> list[dict]:
    return [one for one in project()["tool"]["importlinter"]["contracts"] if one["type"] == kind]


def layered(container: str) -> set[str]:
    """Give the rooms that the layers of a container name."""
    layers = next(one["layers"] for one in contracts("layers") if one["containers"] == [container])
    return {room.strip("() ") for layer in layers for room in layer.split("|")}


def test_every_package_of_ignrun_is_a_room_of_the_list() -> None:
    assert laws.strange_rooms(rooms_in(PACKAGE), WINGS) == []


@pytest.mark.parametrize("wing", INNER_ROOMS)
def test_every_package_inside_a_wing_is_a_room_of_the_list(wing) -> None:
    packages = {path.parent.name for path in (PACKAGE / wing).glob("*/__init__.py")}
    assert laws.strange_rooms(packages, INNER_ROOMS[wing]) == []


def test_a_strange_room_is_caught(tmp_path) -> None:
    for room in ("terms", "attic"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "loose.py").touch()
    assert [one.split("`")[1] for one in laws.strange_rooms(rooms_in(tmp_path), WINGS)] == ["attic", "loose"]


def test_the_contracts_layer_every_wing_and_nothing_else() -> None:
    assert layered("ignrun") == {*WINGS}


@pytest.mark.parametrize("wing", INNER_ROOMS)
def test_the_contracts_layer_every_room_inside_a_wing(wing) -> None:
    assert {*INNER_ROOMS[wing]} - layered(f"ignrun.{wing}") == set()


def test_no_room_but_those_near_module_code_may_import_it() -> None:
    contract = next(one for one in contracts("forbidden") if one["forbidden_modules"] == ["ignrun.sdk", "ignrun.host"])
    built = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {room.removeprefix("ignrun.") for room in contract["source_modules"]} == built - NEAR_MODULE_CODE


def test_decisions_may_not_import_the_reader_once_it_is_there() -> None:
    contract = next(one for one in contracts("forbidden") if "ignrun.runtime.supervise" in one["source_modules"])
    built = (PACKAGE / "planner" / "reader").exists() or (PACKAGE / "planner" / "reader.py").exists()
    assert ("ignrun.planner.reader" in contract["forbidden_modules"]) is built


def test_the_room_map_of_the_readme_names_every_wing() -> None:
    text = README.read_text(encoding="utf-8") if README.exists() else ""
    found = re.search(r"^ignrun/\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if not found:
        pytest.skip("README.md has no room map yet (a code block that begins with `ignrun/`)")
    missing = [wing for wing in WINGS if not re.search(rf"\b{wing}/", found[1])]
    assert missing == []
