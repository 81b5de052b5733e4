"""Tells how one value gets its way through all layers of a plant that runs, and what a generation remembers of its caller."""

import base64
import json
import re
from contextlib import closing
from urllib.parse import quote

import pytest

from ignrun.planner.proposal import Proposal
from ignrun.runtime.journal.generations import read_generation
from ignrun.runtime.journal.schema import open_for_reading
from ignrun.runtime.journal.store import pointer
from tests.stories.plant import Plant, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
from ignrun import Module

class Historian(Module):
    async def startup(self):
        self.export(flush=self.config["flush"], path=self.config["path"], length=len(self.config["password"].reveal()))
"""
SCHEMA = """
type: object
additionalProperties: false
properties:
  flush: {x-ignrun-type: duration, default: 7s}
  path: {type: string}
  password: {type: string, x-ignrun-secret: true}
"""
MANIFEST = """
vars: {base: /var/lib}
env_files: [{path: .env, optional: true}]
apply: {runtime_config: warn}
modules:
  historian:
    entry: plant_code:Historian
    config_schema: {$ref: schema.yaml}
    config: {flush: 6s, path: "${var:base}/${env:SITE}/${file:name.txt}", password: "${secret:DB_PW}"}
  bystander: {command: [sleep, "1000"]}
"""
CANARY = "canary pw/5e9e+"


@pytest.fixture
def plant(tmp_path):
    with new_plant(tmp_path, SITE="north", DB_PW=CANARY) as one:
        one.write(CODE, "plant_code.py")
        one.write(SCHEMA, "schema.yaml")
        one.write("tags", "name.txt")
        one.write(MANIFEST)
        (tmp_path / "modes").mkdir()
        one.write("kind: Overlay\nmodules: {historian: {config: {flush: 5s}}}\n", "modes/prod.yaml")
        yield one


def exported(plant: Plant) -> dict:
    seen = plant.wait_for(settled)
    exports: dict = seen["historian@gateway"]["exports"]
    return exports


def generation(plant: Plant) -> Proposal:
    with closing(open_for_reading(plant.state_folder() / "journal.sqlite")) as store:
        found = read_generation(store, pointer(store, "current"))
    assert found is not None
    return found.content


def test_a_value_that_five_layers_set_is_explained_and_each_layer_lets_the_next_one_through(plant: Plant) -> None:
    plant.environment["IGN_HISTORIAN__FLUSH"] = "3s"
    plant.ignrun("apply", "-d", "--mode", "prod", "--var", "base=/srv", "--set", "historian.flush=2s")
    assert exported(plant) == {"flush": 2.0, "path": "/srv/north/tags", "length": len(CANARY)}
    plant.ignrun("config", "set", "historian.flush", "4s")
    shown = re.sub(r"set by \S+ \S+Z", "set by SOMEBODY", plant.ignrun("config", "explain", "historian.flush").out)
    assert (
        shown
        == """\
historian.flush = 2.0
   default      7s  schema.yaml:5:45
   config       6s  ignrun.yaml:9:21
   overlay      5s  modes/prod.yaml:2:39
   run-time     4s  .ignrun/ignrun/config/historian.json:2:12  set by SOMEBODY
   environment  3s  $IGN_HISTORIAN__FLUSH
*  set          2s  --set
"""
    )
    how = ("--mode", "prod", "--var", "base=/srv")
    plant.ignrun("apply", *how)
    assert exported(plant)["flush"] == 3.0
    del plant.environment["IGN_HISTORIAN__FLUSH"]
    plant.ignrun("apply", *how)
    assert exported(plant)["flush"] == 4.0
    plant.ignrun("config", "unset", "historian.flush", "--apply")  # read as the generation in force was
    assert exported(plant) == {"flush": 5.0, "path": "/srv/north/tags", "length": len(CANARY)}
    plant.ignrun("apply", "--var", "base=/srv")
    assert exported(plant)["flush"] == 6.0


def test_a_set_is_applied_to_the_plant_that_runs_and_touches_nobody_else(plant: Plant) -> None:
    plant.ignrun("apply", "-d")
    before = plant.instances()["bystander@gateway"]
    told = plant.ignrun("config", "set", "historian.flush", "1500ms", "--apply")
    assert "`historian.flush` is set" in told.err
    assert exported(plant)["flush"] == 1.5
    after = plant.instances()["bystander@gateway"]
    assert (before["pid"], before["since"]) == (after["pid"], after["since"])
    refused = plant.ignrun("config", "set", "historian.flush", "soon", "--apply", code=3)
    assert "error[IGN220]" in refused.err
    assert exported(plant)["flush"] == 1.5
    plant.ignrun("config", "rollback", "historian", "--apply")
    assert exported(plant)["flush"] == 6.0


def test_a_set_that_the_module_refuses_says_that_the_value_stays_and_how_it_is_taken_back(plant: Plant) -> None:
    refuse = "\n    async def prepare_reconfigure(self, change):\n        raise Reject('not now')\n    async def reconfigure(self, change): ...\n"
    plant.write(CODE.replace("import Module", "import Module, Reject") + refuse, "plant_code.py")
    plant.ignrun("apply", "-d")
    told = plant.ignrun("config", "set", "historian.flush", "1500ms", "--apply", code=3)
    assert "rejected: not now" in told.out
    assert "`historian.flush` is set all the same, and counts in the next apply" in told.err
    plant.ignrun("apply", code=3)
    assert "`ignrun config rollback historian` takes that back" in told.err
    plant.ignrun("config", "rollback", "historian")
    plant.ignrun("apply")


def test_run_time_values_outlive_the_runner_and_hide_no_edit_without_a_word(plant: Plant) -> None:
    plant.ignrun("apply", "-d")
    plant.ignrun("config", "set", "historian.flush", "2s", "--apply")
    plant.ignrun("down")
    plant.write(MANIFEST.replace("warn", "deny"))
    assert "IGN510" not in plant.ignrun("apply", "-d").err  # nothing has been edited since
    assert exported(plant)["flush"] == 2.0
    plant.write(MANIFEST.replace("6s", "9s"))
    told = plant.ignrun("plan")
    assert "warning[IGN510]: the run-time value of `historian.flush` hides what is written here" in told.err
    assert re.search(r"set by \S+ at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(.*historian.json:2\)", told.err)
    assert "nothing to do" in told.out
    plant.write(MANIFEST.replace("6s", "9s").replace("warn", "deny"))
    assert "error[IGN510]" in plant.ignrun("apply", code=3).err
    plant.ignrun("config", "unset", "historian.flush", "--apply")
    assert exported(plant)["flush"] == 9.0


def test_a_generation_remembers_how_it_was_called_and_no_secret(plant: Plant) -> None:
    plant.environment |= {"IGN_HISTORIAN__FLUSH": "3s", "OTHER": "not asked for"}
    plant.ignrun("apply", "-d", "--mode", "prod", "--var", "base=/srv", "--set", "historian.path=/${env:SITE}")
    content = generation(plant)
    assert content.environment == {"SITE": "north", "IGN_HISTORIAN__FLUSH": "3s"}
    assert {"SITE", "IGN_HISTORIAN__FLUSH", "DB_PW"} <= {*content.names}
    assert "OTHER" not in content.names
    call = content.call
    assert (call.modes, call.vars, call.sets) == (("prod",), {"base": "/srv"}, ("historian.path=/${env:SITE}",))
    assert call.manifest == str(plant.manifest)
    roles = {file.role for file in content.files}
    assert {"manifest", "overlay", "schema"} <= roles


def test_no_verb_of_config_shows_a_secret_and_no_file_keeps_one(plant: Plant) -> None:
    plant.environment["IGN_HISTORIAN__PASSWORD"] = CANARY
    plant.ignrun("apply", "-d")
    exported(plant)
    for verb in (("show",), ("explain",), ("get",), ("backups",)):
        plant.ignrun("config", *verb, "historian")
        plant.ignrun("config", *verb, "historian", "-o", "json")
    plant.ignrun("config", "set", "historian.password", CANARY, code=3)
    plant.ignrun("config", "set", "historian.path", "/x", "--apply")
    plant.ignrun("plan", "-o", "json")
    forms = {CANARY, quote(CANARY), quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode()}
    forms |= {json.dumps(CANARY)[1:-1]}
    said = "".join(one.said for one in plant.heard)
    assert not [form for form in forms if form in said]
    files = [path for path in plant.folder.rglob("*") if path.is_file()]
    assert len(files) > 8
    kept = [(path, form) for path in files for form in forms if form.encode() in path.read_bytes()]
    assert kept == []
