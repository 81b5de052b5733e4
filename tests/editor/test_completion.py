"""Tells what a real YAML language server offers, shows and refuses with the schemas of ignrun."""

import pytest

from ignrun.cli.main import run as run_cli
from tests.house.tree import ROOT

DEFINITION = """\
kind: Module
metadata: {id: com.acme.poller, version: 1.4.0, name: Poller, description: Reads registers.}
entry: acme.poller:Poller
requires: {line: {uses: com.acme.poller}}
config_schema:
  type: object
  additionalProperties: false
  required: [endpoint]
  properties:
    endpoint: {x-ignrun-type: url, description: Where the device listens., examples: ["opc.tcp://10.4.1.11:4840"]}
    period: {x-ignrun-type: duration, default: 1s, x-ignrun-update: reconfigure, description: Pause between two reads.}
    mode: {enum: [fast, careful], description: How it reads.}
    password: {type: string, x-ignrun-secret: true, description: Opens the device.}
    window:
      type: object
      description: Where a good value lies.
      additionalProperties: false
      properties:
        low: {type: number, description: From here on.}
        high: {type: number, description: Up to here.}
"""
PLANT = """\
sources: [{path: defs}]
modules:
  plc: {uses: com.acme.poller, config: {endpoint: "opc.tcp://10.4.1.11:4840"}}
  web:
    command: [sleep, "1"]
    config_schema: {type: object, properties: {port: {type: integer, description: Where it is served.}}}
    config: {port: 8099}
"""


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """A plant with a definition of its own, and beside it the schemas that `ignrun schema` makes of it."""
    folder = tmp_path_factory.mktemp("plant")
    (folder / "defs").mkdir()
    (folder / "defs" / "module.yaml").write_text(DEFINITION)
    (folder / "plant.yaml").write_text(PLANT)
    for kind in ("manifest", "module", "overlay"):
        out = str(folder / f"{kind}.schema.json")
        assert run_cli(["schema", "-m", str(folder / "plant.yaml"), "--kind", kind, "--out", out]) == 0
    return folder


def manifest(text: str) -> str:
    return f"# yaml-language-server: $schema=manifest.schema.json\nmodules:\n{text}"


# --- completion -------------------------------------------------------------------------------------------------------


def test_inside_a_modules_config_its_own_keys_are_offered_with_what_they_mean(server, plant) -> None:
    text = manifest("  plc:\n    uses: com.acme.poller\n    config:\n      |\n")
    offered = server.completion(plant / "line.yaml", text)
    assert {"endpoint", "period", "mode", "password", "window"} <= offered.keys()
    assert offered["period"] == "Pause between two reads. Applied while the module runs."
    assert offered["password"] == "Opens the device. Secret: write `${secret:NAME}`."
    assert "interval" not in offered and "path" not in offered  # those are keys of installed definitions


def test_inside_an_object_of_the_config_its_keys_are_offered(server, plant) -> None:
    text = manifest("  plc:\n    uses: com.acme.poller\n    config:\n      window:\n        |\n")
    assert {"low", "high"} <= server.completion(plant / "line.yaml", text).keys()


def test_the_words_that_a_value_takes_are_offered(server, plant) -> None:
    text = manifest("  plc:\n    uses: com.acme.poller\n    config:\n      mode: |\n")
    assert {"fast", "careful"} <= server.completion(plant / "line.yaml", text).keys()


def test_behind_uses_every_visible_definition_is_offered(server, plant) -> None:
    offered = server.completion(plant / "line.yaml", manifest("  plc:\n    uses: |\n"))
    assert offered["com.acme.poller"] == "Poller 1.4.0: Reads registers."
    assert "org.ignrun.tags" in offered  # installed with ignrun


def test_a_module_without_a_definition_has_its_own_schema(server, plant) -> None:
    text = manifest("  web:\n    command: [sleep]\n    config:\n      |\n")
    assert server.completion(plant / "line.yaml", text)["port"] == "Where it is served."


def test_an_overlay_need_not_say_again_what_a_module_uses(server, plant) -> None:
    text = (
        "# yaml-language-server: $schema=overlay.schema.json\nkind: Overlay\nmodules:\n  plc:\n    config:\n      |\n"
    )
    assert {"endpoint", "period"} <= server.completion(plant / "prod.yaml", text).keys()


def test_the_slots_of_a_definition_are_offered_the_definitions(server, plant) -> None:
    text = "# yaml-language-server: $schema=module.schema.json\nkind: Module\nrequires:\n  line:\n    uses: |\n"
    assert "com.acme.poller" in server.completion(plant / "other.module.yaml", text)


def test_the_keys_of_the_language_are_offered(server, plant) -> None:
    offered = server.completion(plant / "line.yaml", manifest("  plc:\n    uses: com.acme.poller\n    |\n"))
    assert {"requires", "lifecycle", "health", "isolation", "enabled"} <= offered.keys()


# --- hover ------------------------------------------------------------------------------------------------------------


def test_pointing_at_a_key_of_the_config_shows_what_it_means_and_an_example(server, plant) -> None:
    text = manifest("  plc:\n    uses: com.acme.poller\n    config:\n      end|point: opc.tcp://x\n")
    shown = server.hover(plant / "line.yaml", text)
    assert "Where the device listens." in shown and "opc.tcp://10.4.1.11:4840" in shown


def test_pointing_at_a_key_of_the_language_shows_what_it_means(server, plant) -> None:
    shown = server.hover(plant / "line.yaml", manifest("  plc:\n    isol|ation: process\n"))
    assert "host process of its own" in shown


# --- mistakes ---------------------------------------------------------------------------------------------------------


def test_a_mistake_in_a_config_is_underlined_while_it_is_written(server, plant) -> None:
    text = manifest(
        "  plc:\n    uses: com.acme.poller\n    config:\n      endpoint: opc.tcp://x\n      perod: 2s\n      period: 2x\n"
    )
    found = server.mistakes(plant / "line.yaml", text)
    assert any(one.startswith("7:") and "perod" in one for one in found)
    assert any(one.startswith("8:") for one in found)


def test_references_durations_and_what_is_left_to_others_are_no_mistakes(server, plant) -> None:
    text = manifest(
        "  plc:\n    uses: com.acme.poller\n    config:\n      endpoint: ${env:PLC}\n      period: 1h30m\n"
        "      mode: ${var:MODE}\n      password: ${secret:PW}\n      window: ${module:web.exports.window}\n"
        "  two:\n    extends: plc\n    config: {mode: fast}\n"
    )
    assert server.mistakes(plant / "line.yaml", text) == []


def test_a_literal_secret_is_a_mistake(server, plant) -> None:
    text = manifest("  plc:\n    uses: com.acme.poller\n    config: {endpoint: a, password: hunter2}\n")
    assert server.mistakes(plant / "line.yaml", text)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "manifests").glob("*.yaml")))
def test_the_example_manifests_are_without_mistakes_by_their_modeline(server, name) -> None:
    file = ROOT / "manifests" / name
    assert server.mistakes(file, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "file", sorted((ROOT / "ignrun" / "examples").rglob("module.yaml")), ids=lambda file: file.parent.name
)
def test_the_example_definitions_are_without_mistakes_by_their_modeline(server, file) -> None:
    assert server.mistakes(file, file.read_text(encoding="utf-8")) == []
