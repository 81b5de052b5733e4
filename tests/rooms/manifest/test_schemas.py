"""The shipped schemas, the fast shapes and the table of codes say the same."""

import os
import re
import subprocess
import sys
from typing import Any, get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator

from ignrun.manifest import shape
from ignrun.manifest.explain import _validator
from ignrun.manifest.shipped import schema, schema_text
from ignrun.terms.codes import CODES
from tests.rooms.manifest.derived import overlay_schema, with_partial_blocks, written
from tests.rooms.manifest.reference import PAGE, page

NAMES = ("manifest", "module", "overlay")
BLOCKS: dict[str, dict[str, Any]] = {
    "manifest": {
        "": shape.ManifestText, "module": shape.ModuleText, "need": shape.NeedText, "lifecycle": shape.LifecycleText,
        "restart": shape.RestartText, "health": shape.HealthText, "log": shape.LogText, "metadata": shape.MetadataText,
        "secret": shape.SecretText, "alert": shape.AlertText, "when": shape.WhenText, "rate": shape.RateText,
        "action": shape.ActionText, "file": shape.FileText, "partial_module": shape.PartialModuleText,
        "partial_need": shape.PartialNeedText,
    },
    "overlay": {"": shape.OverlayText, "partial_module": shape.PartialModuleText, "partial_alert": shape.PartialAlertText},
    "module": {"": shape.DefinitionText, "slot": shape.SlotText},
}  # fmt: skip


def _properties(node: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every property in a schema, however deep, with where it stands."""
    found = []
    if isinstance(node, dict):
        for name, one in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
            found.append((f"{path}.{name}", one))
        for key, one in node.items():
            if key not in {"examples", "default"}:
                found += _properties(one, f"{path}.{key}")
    elif isinstance(node, list):
        for one in node:
            found += _properties(one, path)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"].endswith(f"{name}.schema.json")


@pytest.mark.parametrize("name", NAMES)
def test_every_property_has_a_description_and_a_valid_example(name: str) -> None:
    for where, one in _properties(schema(name)):
        assert one.get("description", "").endswith("."), where
        assert one.get("examples"), where
        for example in one["examples"]:
            errors = [*_validator(name).evolve(schema={**one, "$defs": schema(name)["$defs"]}).iter_errors(example)]
            assert not errors, (where, example)


@pytest.mark.parametrize(("name", "block"), [(name, block) for name in BLOCKS for block in BLOCKS[name]])
def test_schema_and_shape_have_the_same_keys(name: str, block: str) -> None:
    node = schema(name)["$defs"][block] if block else schema(name)
    fields = msgspec.structs.fields(BLOCKS[name][block])
    assert {field.encode_name for field in fields} == {*node["properties"]}
    assert {field.encode_name for field in fields if field.required} == {*node.get("required", [])}


def test_partial_blocks_and_the_schema_of_overlays_follow_from_that_of_manifests() -> None:
    manifest = schema("manifest")
    assert schema_text("manifest") == written(with_partial_blocks(manifest)), "python -m tests.rooms.manifest.derived"
    assert schema_text("overlay") == written(overlay_schema(manifest)), "python -m tests.rooms.manifest.derived"


def test_an_overlay_takes_every_key_of_a_manifest_but_its_includes() -> None:
    assert {*schema("overlay")["properties"]} == {*schema("manifest")["properties"]} - {"include"}
    assert {*schema("manifest")["$defs"]["partial_module"]["properties"]} == {
        *schema("manifest")["$defs"]["module"]["properties"]
    }


def test_every_property_with_a_default_has_a_valid_one() -> None:
    for name in NAMES:
        for where, one in _properties(schema(name)):
            if "default" in one:
                judge = _validator(name).evolve(schema={**one, "$defs": schema(name)["$defs"]})
                assert not [*judge.iter_errors(one["default"])], (name, where)


def test_a_schema_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        schema_text("plant")


def test_the_shapes_make_msgspec_write_nowhere_it_should_not() -> None:
    program = (
        "import msgspec, ignrun.manifest.shape as s\nfrom ignrun.manifest.judge import loosely_shaped\n"
        "for one in [v for v in vars(s).values() if isinstance(v, type) and issubclass(v, msgspec.Struct)]:\n"
        "    loosely_shaped({}, one)\n"
    )
    environment = {**os.environ, "PYTHONMALLOC": "debug"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_codes_are_a_table_of_sentences() -> None:
    for code, info in CODES.items():
        assert code == info.code and re.fullmatch(r"IGN[1-6]\d\d", code)
        assert info.title and not info.title.endswith(".")
        assert info.explanation.endswith(".")


def test_words_for_scopes_are_those_of_the_language() -> None:
    assert [*get_args(shape.ScopeWord)] == schema("manifest")["$defs"]["scope"]["enum"]


def test_a_valid_manifest_does_not_pay_for_jsonschema(tmp_path) -> None:
    (tmp_path / "p.yaml").write_text("x-a: 1\nmodules: {a: {command: [a], x-note: 1}}\n")
    program = (
        "import sys\nfrom ignrun.manifest.read import read_manifest\nfrom ignrun.manifest.inputs import Inputs\n"
        f"read_manifest(Inputs({str(tmp_path / 'p.yaml')!r}, '', '', ''))\n"
        "print([name for name in ('jsonschema', 'click', 'asyncio', 'difflib') if name in sys.modules])\n"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


def test_the_reference_of_keys_is_that_of_the_schemas() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.rooms.manifest.reference"
