"""Catalogs are read from folders with their hashes checked; a lock says what was chosen and holds readings to it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ignrun.planner.catalog.index import digest_of_artifact
from ignrun.planner.catalog.lock import lock_text
from ignrun.planner.catalog.model import Pin
from tests.rooms.planner.reading import accepted, complaints, write

DEFINITION = "kind: Module\nmetadata: {id: com.acme.pump, name: Pump, version: VERSION}\nentry: acme_pump.main:Pump\n"
PLANT = "catalog: [{path: index}]\nmodules: {p: {uses: com.acme.pump}}\n"


def archive(folder, version, name=None):
    """Write a wheel as its builders lay it out, and give its entry of an index."""
    path = folder / "index" / (name or f"acme_pump-{version}-py3-none-any.whl")
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("acme_pump/__init__.py", "raise RuntimeError('imported')\n")
        made.writestr("acme_pump/main.py", "class Pump:\n    async def run(self): ...\n")
        made.writestr("acme_pump/module.yaml", DEFINITION.replace("VERSION", version))
        made.writestr(f"acme_pump-{version}.dist-info/entry_points.txt", "[ignrun.modules]\npump = acme_pump\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"id": "com.acme.pump", "version": version, "path": path.name, "sha256": digest}


def index(folder, *entries):
    write(folder, "index/index.json", json.dumps({"definitions": entries}))


def body(found):
    return found.graph.instances["p@gateway"].body


def test_a_wheel_in_a_catalog_is_read_and_run_from_where_it_lies(tmp_path):
    index(tmp_path, archive(tmp_path, "1.0.0"), archive(tmp_path, "1.2.0"))
    found = accepted(tmp_path, PLANT)
    wheel = str(tmp_path / "index" / "acme_pump-1.2.0-py3-none-any.whl")
    assert body(found).path[-1] == wheel
    assert body(found).callbacks == ("run",)
    probe = "import sys; sys.path[:0] = sys.argv[1:]; import zipimport, importlib.util as u; print(u.find_spec('acme_pump').origin)"
    ran = subprocess.run([sys.executable, "-c", probe, wheel], check=True, capture_output=True, text=True, timeout=30)
    assert ran.stdout.startswith(wheel)


def test_a_folder_in_a_catalog_has_the_hash_of_all_its_files(tmp_path):
    write(tmp_path, "index/pump/module.yaml", DEFINITION.replace("VERSION", "1.0.0"))
    write(tmp_path, "index/pump/acme_pump/main.py", "class Pump: ...\n")
    entry = {"id": "com.acme.pump", "version": "1.0.0", "path": "pump"}
    index(tmp_path, entry | {"sha256": digest_of_artifact(str(tmp_path / "index/pump"))})
    assert body(accepted(tmp_path, PLANT)).path[-1] == str(tmp_path / "index/pump")
    write(tmp_path, "index/pump/acme_pump/main.py", "class Pump: 'another'\n")
    [told] = complaints(tmp_path, PLANT)
    assert "IGN332 the hash of `pump` is not the one that the index gives" in told


def test_a_damaged_archive_and_a_bomb_are_told_at_the_entry(tmp_path):
    entry = archive(tmp_path, "1.0.0")
    wheel = tmp_path / "index" / entry["path"]
    wheel.write_bytes(b"PK no more")
    index(tmp_path, entry)
    [told] = complaints(tmp_path, PLANT)
    assert "IGN333" in told and "no readable archive" in told
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("acme_pump/module.yaml", b" " * (64 * 1024 * 1024))
    index(tmp_path, entry | {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()})
    [told] = complaints(tmp_path, PLANT)
    assert "is larger than 4 MiB" in told


def test_a_catalog_without_an_index_is_told_at_its_place(tmp_path):
    [told, *_] = complaints(tmp_path, PLANT)
    assert "1:18 IGN314 there is no `index.yaml` in the catalog" in told


def locked(folder, text, **more):
    found = accepted(folder, text, relock=True)
    write(folder, "ignrun.lock", lock_text(found.pins))
    return found.pins


def test_a_lock_is_preferred_to_a_newer_version_and_refuses_it_with_locked(tmp_path):
    index(tmp_path, old := archive(tmp_path, "1.0.0"))
    [pin] = locked(tmp_path, PLANT)
    assert (pin.version, pin.place, pin.sha256) == ("1.0.0", "catalog", old["sha256"])
    index(tmp_path, old, archive(tmp_path, "2.0.0"))
    assert accepted(tmp_path, PLANT).pins == (pin,)
    assert accepted(tmp_path, PLANT, locked=True).pins == (pin,)
    newer = PLANT.replace("com.acme.pump}", "com.acme.pump, version: '>=2'}")
    assert accepted(tmp_path, newer).pins[0].version == "2.0.0"
    assert complaints(tmp_path, newer) == [
        "5:14 IGN331 the lock holds `com.acme.pump` 1.0.0, which does not fit any more: 2.0.0 does (`ignrun lock` writes it anew)"
    ]
    assert complaints(tmp_path, newer, locked=True)[0].startswith("5:14 IGN331")


def test_locked_wants_a_lock_that_lacks_nothing_and_holds_nothing_else(tmp_path):
    index(tmp_path, archive(tmp_path, "1.0.0"))
    [told] = complaints(tmp_path, PLANT, locked=True)
    assert told.startswith("1:1 IGN331 there is no `ignrun.lock` beside the manifest")
    locked(tmp_path, PLANT)
    [told] = complaints(tmp_path, "modules: {}\n", locked=True)
    assert "the lock holds `com.acme.pump`, which nothing uses" in told
    write(tmp_path, "ignrun.lock", lock_text(()))
    [told] = complaints(tmp_path, PLANT, locked=True)
    assert "the lock lacks `com.acme.pump` 1.0.0" in told


def test_a_definition_that_was_changed_since_is_a_warning_and_with_locked_an_error(tmp_path):
    write(tmp_path, "defs/acme_pump/main.py", "class Pump: ...\n")
    write(tmp_path, "defs/module.yaml", DEFINITION.replace("VERSION", "1.0.0"))
    plant = PLANT.replace("catalog: [{path: index}]", "sources: [{path: defs}]")
    locked(tmp_path, plant)
    write(tmp_path, "defs/module.yaml", DEFINITION.replace("VERSION", "1.0.0") + "scopes: [gateway]\n")
    accepted(tmp_path, plant)
    assert (
        "IGN332 the definition of `com.acme.pump` 1.0.0 is not the one that was locked"
        in complaints(tmp_path, plant)[0]
    )
    assert "IGN332" in complaints(tmp_path, plant, locked=True)[0]


def test_a_lock_is_the_same_text_for_the_same_pins_in_any_order():
    pins = [Pin("b", "1.0", "sources", "12"), Pin("a", "2.0", "catalog", "34", "56")]
    assert lock_text(pins) == lock_text(reversed(pins))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build a wheel as its author would, and install it into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    write(
        folder,
        "pyproject.toml",
        """\
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"
        [project]
        name = "acme-pump"
        version = "3.1.0"
        [project.entry-points."ignrun.modules"]
        pump = "acme_pump"
        [tool.hatch.build.targets.wheel]
        packages = ["acme_pump"]
        """,
    )
    write(folder, "acme_pump/__init__.py", "raise RuntimeError('imported')\n")
    write(folder, "acme_pump/main.py", "class Pump:\n    async def run(self): ...\n")
    write(folder, "acme_pump/module.yaml", DEFINITION.replace("VERSION", "3.1.0"))
    quiet = {"capture_output": True, "timeout": 55, "cwd": folder}
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], check=True, **quiet)
    [wheel] = (folder / "dist").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(wheel)], check=True, **quiet)
    return folder / "site", wheel


def run(folder, *words, site=""):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-m", "ignrun", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=folder,
        env=environment,
    )


@pytest.mark.story
def test_a_real_wheel_once_installed_is_found_without_being_imported(tmp_path, installed):
    site, _ = installed
    write(tmp_path, "ignrun.yaml", "modules: {p: {uses: com.acme.pump}}\n")
    there = os.pathsep.join([str(site), str(Path.cwd())])
    assert "there is no definition `com.acme.pump`" in run(tmp_path, "validate", site=Path.cwd()).stdout
    assert run(tmp_path, "validate", site=there).stdout == "ignrun.yaml is valid: 1 module\n"
    made = run(tmp_path, "lock", site=there)
    assert made.stdout == "ignrun.lock: 1 definition locked\n", made.stderr
    assert 'version: "3.1.0"' in (tmp_path / "ignrun.lock").read_text()
    assert run(tmp_path, "lock", site=there).stdout == "ignrun.lock is up to date\n"
    assert run(tmp_path, "plan", "--locked", site=there).returncode == 0
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site/acme_pump/main.py").write_text("class Pump: 'another'\n")
    refused = run(tmp_path, "validate", "--locked", site=os.pathsep.join([str(tmp_path / "site"), str(Path.cwd())]))
    assert (refused.returncode, "IGN332" in refused.stdout) == (4, True)


def test_the_same_wheel_is_found_through_a_catalog(tmp_path, installed):
    wheel = installed[1]
    (tmp_path / "index").mkdir()
    shutil.copy(wheel, tmp_path / "index")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    index(tmp_path, {"id": "com.acme.pump", "version": "3.1.0", "path": wheel.name, "sha256": digest})
    assert body(accepted(tmp_path, PLANT)).entry == "acme_pump.main:Pump"
