"""Tells the story of every manifest in manifests/: it is applied, it does its work, and nothing stays behind."""

import http.client
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.stories.plant import Plant, new_plant, settled, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

MANIFESTS = ROOT / "manifests"
CANARY = "canary-7f3e9a1c"


@pytest.fixture
def shipped(tmp_path, port):
    """A plant in a copy of manifests/, with ports of its own and a secret that nobody else has."""
    shutil.copytree(MANIFESTS, tmp_path / "manifests", ignore=shutil.ignore_patterns(".ignrun", "__pycache__"))
    ports = {"DEMO_WEB_PORT": str(port), "MINIMAL_WEB_PORT": str(port)}
    with new_plant(tmp_path / "manifests", DEMO_EXPORT_TOKEN=CANARY, **ports) as plant:
        yield plant


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def files_with(text: str, folder: Path) -> list[str]:
    wanted = text.encode()
    return [str(path) for path in folder.rglob("*") if path.is_file() and wanted in path.read_bytes()]


@pytest.mark.parametrize("manifest", sorted(path.name for path in MANIFESTS.glob("*.yaml")))
def test_every_shipped_manifest_is_valid_applied_and_taken_down(shipped, manifest) -> None:
    shipped.manifest = shipped.folder / manifest
    shipped.ignrun("validate", manifest)
    shipped.ignrun("apply", manifest, "-d")
    assert settled(shipped.instances())
    shipped.ignrun("down", *shipped.aim())
    shipped.nothing_left()


def test_the_demo_measures_stores_watches_and_shows(shipped: Plant, port: int) -> None:
    shipped.manifest = shipped.folder / "demo.yaml"
    shipped.ignrun("apply", "demo.yaml", "-d")
    instances = shipped.instances()
    assert {*instances} == {
        *(f"{name}@gateway" for name in ("tags", "schema", "historian", "alarms", "basic", "web")),
        "basic@designer",
    }
    assert instances["schema@gateway"]["state"] == "stopped" and instances["schema@gateway"]["completed"]
    assert (
        instances["historian@gateway"]["host"]
        != instances["tags@gateway"]["host"]
        == instances["alarms@gateway"]["host"]
    )
    assert instances["historian@gateway"]["exports"]["path"] == instances["schema@gateway"]["exports"]["path"]
    assert instances["web@gateway"]["exports"] == {"url": f"http://127.0.0.1:{port}/"}
    until(lambda: "cpu/percent" in get(port, "/")[1] and "Demo line" in get(port, "/")[1])
    assert get(port, "/export.json")[0] == 401
    status, body = get(port, "/export.json", Authorization=f"Bearer {CANARY}")
    assert status == 200 and {"cpu", "memory", "disk", "network"} <= {
        row["tag"].split("/")[0] for row in json.loads(body)
    }
    shipped.ignrun("down", *shipped.aim())
    shipped.nothing_left()


def test_the_secret_of_the_demo_is_in_no_output_and_no_file(shipped: Plant) -> None:
    shipped.manifest = shipped.folder / "demo.yaml"
    for args in (
        ("validate", "demo.yaml"),
        ("plan", "demo.yaml"),
        ("plan", "demo.yaml", "-o", "json"),
        ("graph", "demo.yaml"),
    ):
        shipped.ignrun(*args)
    shipped.ignrun("apply", "demo.yaml", "-d")
    state = shipped.state_folder()
    for look in (["status"], ["status", "-o", "json"], ["events"], ["events", "-o", "json"], ["logs"]):
        shipped.ignrun(*look, *shipped.aim())
    assert files_with(CANARY, state) == []
    shipped.ignrun("down", *shipped.aim())
    assert files_with(CANARY, state) == []
    assert files_with(CANARY, Path(shipped.environment["TMPDIR"])) == []
    assert [done for done in shipped.heard if CANARY in done.said] == []


def test_the_secret_of_the_demo_is_handed_over_in_a_file_that_only_its_owner_reads(shipped: Plant) -> None:
    shipped.manifest = shipped.folder / "demo.yaml"
    shipped.ignrun("apply", "demo.yaml", "-d")
    web = shipped.instances()["web@gateway"]["pid"]
    environment = dict(one.split("=", 1) for one in Path(f"/proc/{web}/environ").read_text().split("\0") if "=" in one)
    config = Path(environment["IGNRUN_CONFIG"])
    assert CANARY in config.read_text() and config.stat().st_mode & 0o077 == 0 and config.stat().st_uid == os.getuid()
    assert CANARY not in environment.values() and CANARY not in Path(f"/proc/{web}/cmdline").read_text()


def test_the_demo_verb_shows_the_plant_and_leaves_nothing(shipped: Plant) -> None:
    done = shipped.ignrun("demo", "played", seconds=90)
    assert "historian" in done.out and "healthy" in done.out and CANARY not in done.said
    shipped.nothing_left()
