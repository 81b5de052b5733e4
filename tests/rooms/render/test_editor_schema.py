"""Holds the schema for editors to what is valid: it offers more, and refuses nothing that is accepted."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry

from ignrun.manifest.document import Document
from ignrun.manifest.read import read_document
from ignrun.manifest.shipped import schema
from ignrun.planner.reader.look import Offer, View, Written, look
from ignrun.render.config_schema import REFERENCES, for_editors
from ignrun.render.editor_schema import editor_schema, schema_text
from ignrun.terms.verdict import examined
from tests.house.tree import ROOT
from tests.rooms.planner.reading import inputs

ACCEPTED = sorted((ROOT / "tests" / "manifests" / "accepted").rglob("*.yaml"))
EXAMPLES = [*(ROOT / "manifests").glob("*.yaml")]
POLLER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["endpoint"],
    "properties": {
        "endpoint": {"x-ignrun-type": "url", "format": "uri"},
        "period": {"x-ignrun-type": "duration", "minimum": 0.1, "description": "Pause.", "x-ignrun-update": "never"},
        "room": {"x-ignrun-type": "size"},
        "port": {"x-ignrun-type": "port"},
        "password": {"type": "string", "x-ignrun-secret": True},
        "tree": {"$ref": "#/$defs/tree"},
        "either": {"oneOf": [{"type": "integer"}, {"enum": ["auto"]}]},
        "list": {"type": "array", "items": {"type": "number"}, "minItems": 1},
    },
    "oneOf": [{"required": ["port"]}, {"required": ["tree"]}],
    "$defs": {"tree": {"type": "object", "additionalProperties": {"$ref": "#/$defs/tree"}}},
}
OLD = {"properties": {"old": {"type": "integer"}}, "additionalProperties": False}


def judge(merged):
    Draft202012Validator.check_schema(merged)
    return Draft202012Validator(merged, registry=Registry())


def tree_of(file: Path) -> object:
    document = examined(read_document(str(file)))
    assert isinstance(document, Document)
    return document.tree


def kind_of(tree: object) -> str:
    return str(tree.get("kind", "Manifest")).lower() if isinstance(tree, dict) else "manifest"


def view(*schemas: dict) -> View:
    offers = tuple(Offer("com.acme.poller", f"{len(schemas) - at}.0.0", schema=one) for at, one in enumerate(schemas))
    return View(offers, (Written("plc", "com.acme.poller"), Written("web", schema={"type": "object"})))


def config(value: object, **block: object) -> dict:
    return {"modules": {"plc": {"uses": "com.acme.poller", "config": value, **block}}}


VALID = judge(editor_schema("manifest", schema("manifest"), view(POLLER)))


@pytest.mark.parametrize("file", [*ACCEPTED, *EXAMPLES], ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_is_accepted_is_valid_in_an_editor(file) -> None:
    tree = tree_of(file)
    kind = kind_of(tree)
    seen = examined(look(inputs(file)).verdict) if kind == "manifest" else View()
    assert seen is not None
    found = [error.message for error in judge(editor_schema(kind, schema(kind), seen)).iter_errors(tree)]
    plain = [error.message for error in judge(schema(kind)).iter_errors(tree)]
    assert found == plain  # what is free is left out before the shipped schema judges


@pytest.mark.parametrize(
    "value",
    [
        {"endpoint": "opc.tcp://a", "port": 1, "period": "1h30m", "room": "64MiB"},
        {"endpoint": "${env:A}", "port": "${env:P}", "period": 2.5, "room": 4096, "password": "${secret:PW}"},
        {"endpoint": "a", "tree": {"a": {"b": "${module:x.exports.y}"}}, "either": "auto", "list": ["${var:X}", 1]},
        {"endpoint": "a", "port": 1, "either": "${var:E}", "list": "${file:list}", "period": None},
    ],
)
def test_a_config_as_people_write_it_is_valid(value) -> None:
    assert [error.message for error in VALID.iter_errors(config(value))] == []


@pytest.mark.parametrize(
    "value",
    [
        {"port": 1},
        {"endpoint": "a", "port": 1, "perod": "2s"},
        {"endpoint": "a", "port": 1, "period": "2x"},
        {"endpoint": "a", "port": 1, "period": 0.01},
        {"endpoint": "a", "port": 70000},
        {"endpoint": "a", "port": 1, "password": "hunter2"},
        {"endpoint": "a", "tree": {"a": 1}},
        {"endpoint": "a", "port": 1, "list": []},
        {"endpoint": "a"},
    ],
)
def test_a_mistake_in_a_config_is_one_in_an_editor(value) -> None:
    assert not VALID.is_valid(config(value))
    assert not VALID.is_valid({"modules": {"other": config(value)["modules"]["plc"]}})


def test_a_block_that_extends_another_holds_a_part_of_a_config() -> None:
    assert VALID.is_valid({"modules": {"a": {"uses": "com.acme.poller", "extends": "plc", "config": {"port": 1}}}})
    assert not VALID.is_valid({"modules": {"a": {"uses": "com.acme.poller", "extends": "plc", "config": {"prt": 1}}}})


def test_of_several_versions_any_may_be_meant() -> None:
    several = judge(editor_schema("manifest", schema("manifest"), view(POLLER, OLD)))
    assert several.is_valid(config({"old": 1}))
    assert several.is_valid(config({"endpoint": "a", "port": 1}))
    assert not several.is_valid(config({"new": 1}))


def test_an_unknown_definition_and_a_definition_without_schema_take_any_config() -> None:
    bare = judge(editor_schema("manifest", schema("manifest"), View((Offer("com.acme.poller", "1.0.0"),))))
    assert bare.is_valid(config({"anything": 1}))
    assert VALID.is_valid({"modules": {"a": {"uses": "com.acme.other", "config": {"anything": 1}}}})


def test_a_key_with_x_is_free_among_modules() -> None:
    assert VALID.is_valid({"modules": {"x-a": {"uses": "com.acme.poller", "config": 1}}})


def test_an_overlay_holds_a_part_of_a_config_and_may_remove_a_module() -> None:
    overlay = judge(editor_schema("overlay", schema("overlay"), view(POLLER)))
    whole = {"apiVersion": "ignrun/v1", "kind": "Overlay"}
    assert overlay.is_valid({**whole, "modules": {"plc": {"config": {"port": None}}, "web": None}})
    assert not overlay.is_valid({**whole, "modules": {"plc": {"config": {"prt": 1}}}})


@pytest.mark.parametrize("kind", ["manifest", "module", "overlay"])
def test_with_nothing_visible_the_shipped_schema_is_all_there(kind) -> None:
    merged = editor_schema(kind, schema(kind), View())
    assert {key: merged[key] for key in merged if key not in {"$defs", "allOf"}} == {
        key: value for key, value in schema(kind).items() if key not in {"$defs", "allOf"}
    }
    assert json.loads(schema_text(merged)) == merged


def test_what_a_schema_says_of_ignrun_is_told_in_its_description() -> None:
    made = for_editors(POLLER, "#/$defs/a", whole=True)["properties"]
    assert made["period"]["description"] == "Pause. Cannot change once the module has run."
    assert made["password"]["description"] == "Secret: write `${secret:NAME}`."
    assert made["tree"]["anyOf"][0] == {"$ref": "#/$defs/a/$defs/tree"}
    assert "x-ignrun" not in json.dumps(made)
    assert REFERENCES["pattern"] == r"\$\{"
