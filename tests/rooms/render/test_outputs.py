"""Holds what the verbs write as JSON, its types and the shipped schemas together."""

import re

import jsonschema
import msgspec
import pytest

from ignrun.manifest.shipped import schema as shipped
from tests.house.tree import ROOT
from tests.rooms.render.outputs import FOLDER, OUTPUTS, file_of, schema_of, text_of


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_schema_is_that_of_its_type(name) -> None:
    assert file_of(name).read_bytes() == text_of(name), "`make reference` writes it anew"


def test_there_is_no_schema_of_nothing() -> None:
    assert {path.name.removesuffix(".schema.json") for path in FOLDER.iterdir()} == set(OUTPUTS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_schema_is_one(name) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


@pytest.mark.parametrize("name", [name for name in OUTPUTS if name not in {"events", "logs", "why"}])
def test_an_output_says_its_version(name) -> None:
    title = schema_of(name)["$ref"].removeprefix("#/$defs/")
    assert "format_version" in schema_of(name)["$defs"][title]["required"]


def test_every_verb_that_writes_json_has_its_schema() -> None:
    told = " ".join(words for _, words in OUTPUTS.values())
    for file in sorted((ROOT / "ignrun" / "cli").glob("*.py")):
        if re.search(r'output_option\("text", "json"', file.read_text()) and file.stem not in UNTYPED:
            assert f"`ignrun {file.stem}" in told, file.name


UNTYPED = {"info", "modules", "options"}
"""Verbs whose JSON is a catalog of facts without a type of its own."""


def test_what_is_no_output_is_refused() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema_of("status")).validate({"format_version": "1.0"})


def test_the_schemas_are_where_an_installed_program_finds_them() -> None:
    assert msgspec.json.decode((ROOT / "schemas/output/status.schema.json").read_bytes())["title"] == "ignrun status"
    assert shipped("manifest")
