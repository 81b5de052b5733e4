"""A config is judged by its schema alone: types decide where they can, a validator explains, nothing is ever fetched."""

import json
import socket

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from ignrun.planner.config.schema import ConfigSchema
from ignrun.planner.config.types import type_of
from ignrun.terms.leaves import Pending
from tests.rooms.planner.reading import accepted, complaints, write

# --- types and the validator agree ------------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "c-d", "class", ""])
numbers = st.one_of(st.integers(-3, 6), st.sampled_from([0.5, 2.0, -1.5, 1e300]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.sampled_from(["", "x", "xyz", "abc\n", "é", "10"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=8,
)
texts = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^x", "[a-z]+$", "é"]),
    },
)
figures = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={"minimum": st.integers(-2, 4), "exclusiveMaximum": st.integers(-2, 4), "maximum": st.integers(-2, 4)},
)
simple = st.one_of(
    texts,
    figures,
    st.sampled_from(
        [
            {},
            {"type": "boolean"},
            {"type": "null"},
            {"enum": ["x", "xyz"]},
            {"enum": [1, 2, "x"]},
            {"type": "integer", "enum": [1, 2]},
            {"type": ["string", "null"]},
            {"type": ["number", "null"], "minimum": 0},
            {"type": "string", "format": "date"},
            {"const": 1},
            {"anyOf": [{"type": "string"}, {"minimum": 2}]},
            {"type": "object"},
            {"type": "string", "description": "said", "examples": ["x"], "x-ignrun-secret": True},
            {"x-ignrun-type": "duration"},
            {"x-ignrun-type": "port", "default": 80},
        ]
    ),
)


def blocks(inner):
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array")},
            optional={"items": inner, "minItems": st.integers(0, 2), "maxItems": st.integers(0, 3)},
        ),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(names, inner, max_size=4)},
            optional={"required": st.lists(names, max_size=2, unique=True), "additionalProperties": st.booleans()},
        ),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner}),
    )


schemas = st.recursive(simple, blocks, max_leaves=6)


def takes(kind, value):
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


@settings(max_examples=400)
@given(schemas, values)
@example({"type": "integer"}, True)
@example({"type": "number"}, False)
@example({"type": "string", "pattern": "[a-z]+$"}, "abc\n")
@example({"type": "object", "properties": {"a": {"type": "null"}}}, {"a": None})
@example({"type": "integer", "maximum": 4}, 2**70)
def test_types_take_nothing_that_the_validator_refuses(schema, value):
    from ignrun.planner.config.schema import _prepared

    prepared = _prepared(schema)
    kind = type_of(prepared)
    if kind is None:
        return
    valid = Draft202012Validator(prepared, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(value)
    if takes(kind, value):
        assert valid
    elif valid:  # only these two are left to the validator: whole numbers written as fractions, and very long ones
        assert any((isinstance(one, float) and one.is_integer()) or isinstance(one, int) for one in _leaves(value))


def _leaves(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inner is None else [leaf for one in inner for leaf in _leaves(one)]


words = st.sampled_from(
    [
        "type",
        "minimum",
        "maxLength",
        "minItems",
        "required",
        "properties",
        "enum",
        "title",
        "pattern",
        "items",
        "$defs",
        "default",
    ]
)
odd = st.one_of(values, st.sampled_from(["object", "string", "(", ["a", "a"], {"a": 5}, -1, "number"]))


@settings(max_examples=400)
@given(st.dictionaries(words, odd, max_size=4))
def test_a_schema_that_types_take_for_sound_is_sound(schema):
    if type_of(schema) is not None:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            pytest.fail(f"{json.dumps(schema)}: {error.message}")


def test_the_usual_schema_needs_no_validator():
    usual = {
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "x-ignrun-update": "restart", "description": "Where."},
            "flush": {"x-ignrun-type": "duration", "default": "1s"},
            "limits": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            "port": {"x-ignrun-type": "port", "default": 80},
        },
    }
    schema = ConfigSchema(usual)
    assert schema.plain_type is not None
    assert schema.flaws() == []
    assert schema.judge({"path": "x", "flush": 1.0, "limits": [{"n": 1}], "port": 1}, (), "m") == []
    pending = (Pending(("path",), ()),)
    assert schema._takes({"path": None, "port": 1}, frozenset({("path",)}))
    assert schema.judge({"path": None, "port": 1}, pending, "m") == []
    [problem] = schema.judge({"path": None, "port": 70_000}, pending, "m")
    assert problem.path == ("port",)


# --- words of our own -------------------------------------------------------------------------------------------------


def plant(folder, schema, config="{}"):
    write(folder, "schema.json", json.dumps(schema))
    return f"modules:\n  a: {{command: [echo], config_schema: {{$ref: schema.json}}, config: {config}}}\n"


def test_written_durations_and_sizes_arrive_as_numbers_and_defaults_are_filled_in(tmp_path):
    words = {"d": "duration", "s": "size", "p": "port", "n": "duration"}
    properties: dict = {key: {"x-ignrun-type": kind} for key, kind in words.items()}
    properties["n"] |= {"type": ["number", "null"], "default": "1h30m"}
    found = accepted(
        tmp_path, plant(tmp_path, {"type": "object", "properties": properties}, "{d: 500ms, s: 64MiB, p: 80}")
    )
    assert found.graph.instances["a@gateway"].config.plain == {"d": 0.5, "s": 64 << 20, "p": 80, "n": 5400.0}


def test_a_misused_word_of_ours_is_told_in_the_schema(tmp_path):
    properties = {
        "a": {"x-ignrun-update": "restat"},
        "b": {"x-ignrun-secret": "yes"},
        "c": {"x-ignrun-type": "durations"},
    }
    told = complaints(tmp_path, plant(tmp_path, {"properties": properties}))
    assert [line.partition(" ")[2] for line in told] == [
        "IGN223 there is no x-ignrun-update `restat` (did you mean `restart`?)",
        "IGN223 x-ignrun-secret is `true` or `false`",
        "IGN223 there is no x-ignrun-type `durations` (did you mean `duration`?)",
    ]


# --- nothing is fetched -----------------------------------------------------------------------------------------------


@pytest.fixture
def ear():
    """Listen where nobody may call."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize(
    "scheme",
    ["http://127.0.0.1:{port}/s.json", "https://127.0.0.1:{port}/s.json", "file:///etc/passwd", "//127.0.0.1:{port}/s"],
)
@pytest.mark.parametrize("where", ["whole", "property", "dynamic", "definition"])
def test_what_refers_elsewhere_is_refused_and_nobody_is_called(tmp_path, ear, scheme, where):
    ref = scheme.format(port=ear)
    schema = {
        "whole": {"$ref": ref},
        "property": {"type": "object", "properties": {"a": {"$ref": ref}}},
        "dynamic": {"properties": {"a": {"$dynamicRef": ref}}},
        "definition": {"$defs": {"a": {"$ref": ref}}, "properties": {"a": {"$ref": "#/$defs/a"}}},
    }[where]
    told = complaints(tmp_path, plant(tmp_path, schema, "{a: 1}"))
    assert len(told) == 1
    assert "IGN223" in told[0] or "IGN10" in told[0]


def test_a_dialect_of_another_machine_is_not_fetched(tmp_path, ear):
    complaints(tmp_path, plant(tmp_path, {"$schema": f"http://127.0.0.1:{ear}/dialect", "type": "object"}, "{a: 1}"))


def test_a_schema_file_lies_below_the_root_and_leads_to_an_end(tmp_path):
    inside = tmp_path / "plant"
    write(tmp_path, "outside.json", "{}")
    write(inside, "a.json", '{"$ref": "b.json"}')
    write(inside, "b.json", '{"$ref": "a.json"}')
    [told] = complaints(inside, "modules:\n  a: {command: [echo], config_schema: {$ref: ../outside.json}}\n")
    assert "IGN107" in told
    [told] = complaints(inside, "modules:\n  a: {command: [echo], config_schema: {$ref: a.json}}\n")
    assert "IGN223 the config schema leads to itself, through `a.json`" in told
