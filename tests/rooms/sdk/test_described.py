"""A `Config` class is described so that a schema says what the class says."""

import dataclasses
import enum
from typing import Annotated, Literal

import msgspec
import pytest

from ignrun.sdk.described import schema_of
from ignrun.sdk.marks import Duration, Path, Port, Size, Url, update
from ignrun.sdk.settings import convert
from ignrun.terms.secret import Secret


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Limit(msgspec.Struct):
    above: float
    name: Annotated[str, msgspec.Meta(min_length=1)] = "limit"


@dataclasses.dataclass
class Pump:
    """How a pump runs."""

    path: Annotated[Path, update("restart")]
    flush: Annotated[Duration, update("reconfigure")] = 1.0
    size: Size = 1024
    port: Port | None = None
    home: Url = "http://localhost/"
    level: Level = Level.LOW
    mode: Literal["slow", "fast"] = "slow"
    password: Secret | None = None
    limits: list[Limit] = dataclasses.field(default_factory=list)
    named: dict[str, int] = dataclasses.field(default_factory=dict)
    pair: tuple[int, str] = (1, "a")


def test_every_mark_and_type_has_its_word():
    described = schema_of(Pump)
    assert described["description"] == "How a pump runs."
    assert described["required"] == ["path"]
    assert described["additionalProperties"] is False
    assert described["$defs"]["Limit"]["required"] == ["above"]
    assert described["properties"] == {
        "path": {"type": "string", "x-ignrun-type": "path", "x-ignrun-update": "restart"},
        "flush": {"x-ignrun-type": "duration", "minimum": 0, "x-ignrun-update": "reconfigure", "default": 1.0},
        "size": {"x-ignrun-type": "size", "minimum": 0, "default": 1024},
        "port": {"type": "integer", "x-ignrun-type": "port", "minimum": 0, "maximum": 65535},
        "home": {"type": "string", "x-ignrun-type": "url", "default": "http://localhost/"},
        "level": {"enum": ["low", "high"], "default": "low"},
        "mode": {"enum": ["slow", "fast"], "default": "slow"},
        "password": {"type": "string", "x-ignrun-secret": True},
        "limits": {"type": "array", "items": {"$ref": "#/$defs/Limit"}, "default": []},
        "named": {"type": "object", "additionalProperties": {"type": "integer"}, "default": {}},
        "pair": {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
            "default": [1, "a"],
        },
    }


def test_what_the_schema_takes_the_class_takes():
    from jsonschema import Draft202012Validator

    described = schema_of(Pump)
    Draft202012Validator.check_schema(described)
    values = {"path": "/tmp", "flush": 2, "port": 80, "limits": [{"above": 1}], "pair": [2, "b"]}
    Draft202012Validator(described).validate(values)
    assert convert(values, Pump).limits == [Limit(1.0)]


class Tree(msgspec.Struct):
    children: list["Tree"] = []


def test_a_class_that_names_itself_comes_to_an_end():
    assert schema_of(Tree)["$defs"]["Tree"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}


def test_a_class_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="neither a dataclass nor a msgspec Struct"):
        schema_of(int)
