"""Tells how a module that runs asks for another value of its own config, and what it is refused."""

import json
import time

import pytest

from tests.stories.plant import Plant, new_plant, settled, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
import json, os
from ignrun import Module, Refused, Reject

class Store(Module):
    async def prepare_reconfigure(self, change):
        if change.new["flush"] == 13:
            raise Reject("thirteen brings bad luck")

    async def reconfigure(self, change):
        self.export(pid=os.getpid(), flush=change.new["flush"])

    async def run(self):
        inbox = self.context.data / "ask"
        while not self.stopping:
            if inbox.exists():
                path, value, nonce = json.loads(inbox.read_text())
                inbox.unlink()
                try:
                    await self.configuration.request(path, value)
                    answer = "done"
                except Refused as refused:
                    answer = str(refused)
                origin = self.configuration.origin("flush")
                self.export(nonce=nonce, answer=answer, layer=origin.layer, place=origin.place, backups=len(self.configuration.backups))
            await self.clock.sleep(0.05)
"""
SCHEMA = (
    "type: object\nadditionalProperties: false\nproperties: {flush: {x-ignrun-type: duration}, note: {type: string}}\n"
)
MANIFEST = """
apply: {soak: 0s}
modules:
  store: {entry: plant_code:Store, config_schema: {$ref: schema.yaml}, config: {flush: 6s}}
  other: {command: [sleep, "1000"], log: {level: info}}
"""


@pytest.fixture
def plant(tmp_path):
    with new_plant(tmp_path) as one:
        one.write(CODE, "plant_code.py")
        one.write(SCHEMA, "schema.yaml")
        one.write(MANIFEST)
        yield one


def ask(plant: Plant, path: str, value: object) -> dict:
    """Have the module ask, once more where it asks too often, and give what it exports then."""
    folder = plant.state_folder() / "data" / "store@gateway"
    while True:
        nonce = time.monotonic()
        (folder / "ask.part").write_text(json.dumps([path, value, nonce]))
        (folder / "ask.part").rename(folder / "ask")
        seen = plant.wait_for(lambda all_: exported(all_).get("nonce") == nonce)  # noqa: B023 - called before the next turn
        if "too often" not in exported(seen)["answer"]:
            return exported(seen)


def exported(seen: dict) -> dict:
    return seen["store@gateway"]["exports"] or {}


def test_a_running_module_changes_its_own_config_and_what_is_refused_leaves_nothing(plant: Plant) -> None:
    plant.ignrun("apply", "-d")
    plant.wait_for(settled)
    pid = plant.instances()["store@gateway"]["pid"]
    got = ask(plant, "flush", "2s")
    assert (got["answer"], got["flush"], got["layer"]) == ("done", 2.0, "run-time")
    assert got["place"].endswith("config/store.json:2:12")
    assert got["backups"] == 1
    assert plant.instances()["store@gateway"]["pid"] == pid
    assert "set by store@gateway" in plant.ignrun("config", "explain", "store.flush").out
    overlay = plant.state_folder() / "config" / "store.json"
    kept = overlay.read_text()
    assert overlay.stat().st_mode & 0o777 == 0o600
    for value, why in (("soon", "soon"), ("13s", "bad luck"), ("${env:HOME}", "never for a reference")):
        assert why in ask(plant, "flush", value)["answer"]
        assert overlay.read_text() == kept
    plant.write(MANIFEST.replace("1000", "2000"))
    assert "edits of others" in ask(plant, "flush", "3s")["answer"]
    plant.ignrun("config", "rollback", "store", "--apply")
    seen = plant.wait_for(lambda all_: exported(all_).get("flush") == 6.0)
    assert seen["other@gateway"]["state"] == "running"
    assert plant.ignrun("config", "get", "store.flush").out.strip() == "6.0"


TALKING = """
from ignrun import Module

class Talking(Module):
    async def run(self):
        while not self.stopping:
            self.log.debug("a small thing")
            await self.clock.sleep(0.05)
"""


def test_a_level_that_is_edited_reaches_a_running_module_without_a_restart(plant: Plant) -> None:
    plant.write(TALKING, "plant_code.py")
    plant.write("apply: {soak: 0s}\nmodules:\n  talking: {entry: plant_code:Talking}\n")
    plant.ignrun("apply", "-d")
    before = plant.wait_for(settled)["talking@gateway"]
    assert "a small thing" not in plant.ignrun("logs", "talking", code=None).out
    plant.write("apply: {soak: 0s}\nmodules:\n  talking: {entry: plant_code:Talking, log: {level: debug}}\n")
    plant.ignrun("apply", "-d")
    until(lambda: "a small thing" in plant.ignrun("logs", "talking", code=None).out)
    after = plant.instances()["talking@gateway"]
    assert (after["pid"], after["since"]) == (before["pid"], before["since"])
