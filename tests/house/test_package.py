"""Holds the built wheel and the front door to what users get from them."""

import importlib
import subprocess
import sys
import zipfile

import pytest

import ignrun
from tests.house.tree import PACKAGE, ROOT, project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=50)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return {*archive.namelist()}


def files_below(folder: str, pattern: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}


def test_the_wheel_brings_the_schemas_and_the_example_manifests(wheel) -> None:
    assert {f"ignrun/{name}" for name in files_below("schemas", "*.json")} <= wheel
    assert {f"ignrun/{name}" for name in files_below("manifests", "*.yaml")} <= wheel


def test_the_wheel_brings_the_pages_of_diagnostics(wheel) -> None:
    pages = {name.rpartition("/")[2] for name in files_below("docs/reference/diagnostics", "*.md")}
    assert pages and {f"ignrun/pages/{name}" for name in pages} <= wheel


def test_the_wheel_brings_every_file_that_a_room_keeps_beside_its_code(wheel) -> None:
    kept = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path.relative_to(ROOT).as_posix() for path in kept} <= wheel
    assert "ignrun/py.typed" in wheel


def test_every_entry_point_names_a_package_with_a_module_file() -> None:
    for name, package in project()["project"]["entry-points"]["ignrun.modules"].items():
        folder = ROOT.joinpath(*package.split("."))
        if not folder.exists():
            pytest.skip(f"the example module `{name}` is not built yet")
        assert (folder / "module.yaml").is_file(), name


def test_every_name_handed_on_is_there() -> None:
    for name, owner in ignrun._OWNERS.items():
        assert hasattr(importlib.import_module(owner), name), f"{owner}.{name}"
        assert getattr(ignrun, name) is getattr(importlib.import_module(owner), name)
    assert {*ignrun._OWNERS} <= {*dir(ignrun)}


def test_a_name_that_nobody_owns_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module `ignrun` has no attribute `nothing`"):
        _ = ignrun.nothing


def test_importing_ignrun_imports_no_room() -> None:
    script = "import sys, ignrun; print([name for name in sys.modules if name.startswith('ignrun.')])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]"


def test_the_version_is_the_projects() -> None:
    assert ignrun.__version__ == project()["project"]["version"]
