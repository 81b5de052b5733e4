"""Holds `modules` and `generate` to what users see: definitions listed without importing them, schemas made of classes."""

import json
import shutil
import subprocess
import sys
import tempfile

import pytest

PUMP = """\
kind: Module
metadata: {id: com.acme.pump, name: Pump, version: VERSION, vendor: Acme, description: Moves water}
entry: pump:PumpHouse
requires: {tags: {uses: com.acme.tags, version: ">=1"}}
"""
CODE = '''\
import dataclasses
import sys
from ignrun import Module, provides

print("noise of an import")
sys.stderr.write("more of it")

class PumpHouse(Module):
    @dataclasses.dataclass
    class Config:
        """How water is moved."""

        speed: int
        name: str = "pump"

    async def startup(self): ...

    @provides
    async def level(self): ...
'''


@pytest.fixture
def pumps(place):
    for version in ("1.0.0", "1.10.0"):
        folder = place / "modules" / version
        folder.mkdir(parents=True)
        (folder / "module.yaml").write_text(PUMP.replace("VERSION", version))
    (place / "modules" / "pump.py").write_text(CODE)
    (place / "ignrun.yaml").write_text("sources: [{path: modules}]\nmodules: {}\n")
    return place


def test_modules_are_listed_highest_version_first(ignrun, pumps) -> None:
    lines = [line.split() for line in ignrun("modules", "list").out.splitlines()]
    assert [line[:3] for line in lines[:3]] == [
        ["ID", "VERSION", "FROM"],
        ["com.acme.pump", "1.10.0", "sources"],
        ["com.acme.pump", "1.0.0", "sources"],
    ]
    assert ["org.ignrun.tags", "1.0.0", "installed"] in [line[:3] for line in lines]


def test_without_a_manifest_what_is_installed_is_listed(ignrun) -> None:
    shown = json.loads(ignrun("modules", "list", "-o", "json").out)
    assert shown["format_version"] == "1.0"
    assert {one["id"] for one in shown["modules"]} >= {"org.ignrun.tags", "org.ignrun.historian"}


def test_search_looks_into_id_name_vendor_and_description(ignrun, pumps) -> None:
    found = ignrun("modules", "search", "acme", "water")
    assert (found.code, len(found.out.splitlines())) == (0, 3)
    missing = ignrun("modules", "search", "acme", "steam")
    assert (missing.code, missing.out) == (1, "there is no definition here\n")


def test_show_tells_what_the_class_offers_without_importing_it(ignrun, pumps) -> None:
    shown = ignrun("modules", "show", "com.acme.pump").out
    assert "com.acme.pump 1.10.0" in shown
    assert "other versions: 1.0.0" in shown
    assert "callbacks: startup" in shown
    assert "provides: level" in shown
    assert "tags: com.acme.tags, >=1" in shown
    assert "config: described by its class" in shown
    assert "noise" not in shown
    [one] = json.loads(ignrun("modules", "show", "com.acme.pump@1.0.0", "-o", "json").out)["modules"]
    assert (one["version"], one["provides"], one["config_class"]) == ("1.0.0", ["level"], True)


def test_an_unknown_definition_is_told_with_the_nearest(ignrun, pumps) -> None:
    ended = ignrun("modules", "show", "com.acme.pumb")
    assert ended.code == 1
    assert "did you mean `com.acme.pump`?" in ended.err


def test_a_schema_is_written_beside_the_code_and_compared(ignrun, pumps) -> None:
    file = pumps / "modules" / "pump-house.config.schema.json"
    made = ignrun("generate", "schema", "modules/1.0.0/module.yaml")
    assert (made.code, made.out) == (0, "modules/pump-house.config.schema.json written\n"), made.err
    described = json.loads(file.read_text())
    assert (described["required"], described["description"]) == (["speed"], "How water is moved.")
    again = ignrun("generate", "schema", "pump:PumpHouse", "--path", "modules", "--check")
    assert (again.code, again.out) == (0, "modules/pump-house.config.schema.json is up to date\n")
    file.write_text("{}")
    assert ignrun("generate", "schema", "pump:PumpHouse", "--path", "modules", "--check").code == 1


def test_what_cannot_be_described_is_a_failure_and_no_traceback(ignrun, pumps) -> None:
    (pumps / "broken.py").write_text("import nowhere_at_all\nclass Job: ...\n")
    (pumps / "plain.py").write_text("from ignrun import Module\nclass Job(Module): ...\n")
    broken = ignrun("generate", "schema", "broken:Job")
    assert (broken.code, "Traceback" in broken.err, "nowhere_at_all" in broken.err) == (1, False, True)
    assert "has no `Config`" in ignrun("generate", "schema", "plain:Job").err
    assert "does not exist" in ignrun("generate", "schema", "gone:Job").err


def test_validate_uses_the_generated_schema_and_remarks_where_there_is_none(ignrun, pumps) -> None:
    (pumps / "plant.yaml").write_text(
        "sources: [{path: modules}]\nmodules: {p: {entry: 'pump:PumpHouse', config: {speed: fast}}}\n"
    )
    before = ignrun("validate", "plant.yaml")
    assert (before.code, "IGN225" in before.out) == (0, True)
    assert ignrun("generate", "schema", "pump:PumpHouse", "--path", "modules").code == 0
    after = ignrun("validate", "plant.yaml")
    assert (after.code, "IGN225" in after.out) == (3, False)
    assert "`speed` in config of module `p` is to be an integer" in after.out


@pytest.mark.story
def test_a_config_that_its_class_refuses_is_rejected_before_anything_starts(pumps, monkeypatch) -> None:
    short = tempfile.mkdtemp(prefix="ign")  # sockets of hosts lie in it
    monkeypatch.setenv("XDG_RUNTIME_DIR", short)
    (pumps / "plant.yaml").write_text(
        "sources: [{path: modules}]\nmodules: {p: {entry: 'pump:PumpHouse', config: {speed: fast}}}\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "ignrun", "apply", "plant.yaml", "-d"],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    shutil.rmtree(short, ignore_errors=True)
    assert ended.returncode == 3, ended.stderr
    assert "the config does not fit" in ended.stdout + ended.stderr
