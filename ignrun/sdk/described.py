"""Turns a `Config` class (a dataclass or msgspec Struct) into a JSON Schema with the `x-ignrun-` words."""

import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import types
import typing
import uuid
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from ignrun.sdk.marks import Update, Written
from ignrun.terms.secret import Secret

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Secret: {"type": "string", "x-ignrun-secret": True},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    dt.time: {"type": "string", "format": "time"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"type": "string"},
}
_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "title": "title",
    "description": "description",
    "examples": "examples",
}
_LENGTHS: Final = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_LISTS: Final = frozenset({list, tuple, set, frozenset, Sequence, AbstractSet})
_MAPPINGS: Final = frozenset({dict, Mapping})


def schema_of(kind: type) -> dict[str, Any]:
    """Describe a `Config` class; a class that it names more than once, or itself, stands under `$defs`. Raises TypeError."""
    describer = _Describer()
    described = describer.block(kind)
    definitions = {"$defs": dict(sorted(describer.named.items()))} if describer.named else {}
    return {"$schema": DIALECT, **described, **definitions}


class _Describer:
    """One description under way; `named` are the inner classes that were met."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def block(self, kind: type) -> dict[str, Any]:
        hints = typing.get_type_hints(kind, include_extras=True)
        properties: dict[str, Any] = {}
        required: list[str] = []
        for name, written, default in _fields(kind):
            described = self.of(_without_none(hints[name]) if default is None else hints[name])
            if default is _NEEDED:
                required.append(written)
            elif default is not _UNKNOWN and default is not None:
                described["default"] = default
            properties[written] = described
        said = (kind.__doc__ or "").strip()
        about = {"description": said.splitlines()[0]} if said and not said.startswith(f"{kind.__name__}(") else {}
        needed = {"required": required} if required else {}
        return {**about, "type": "object", "additionalProperties": False, **needed, "properties": properties}

    def of(self, hint: Any) -> dict[str, Any]:
        """Describe one annotation; what JSON has no word for is left open."""
        origin, inner = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self._marked(hint)
        if hint in _PLAIN:
            return dict(_PLAIN[hint])
        if origin is typing.Literal:
            return {"enum": list(inner)}
        if origin in {typing.Union, types.UnionType}:
            return self._any_of([one for one in inner if one is not msgspec.UnsetType])
        if origin in _LISTS or hint in _LISTS:
            return self._list(hint, inner)
        if origin in _MAPPINGS or hint in _MAPPINGS:
            return {"type": "object"} | ({"additionalProperties": self.of(inner[1])} if len(inner) > 1 else {})
        return self._class(hint) if isinstance(hint, type) else {}

    def _class(self, hint: type) -> dict[str, Any]:
        if issubclass(hint, enum.Enum):
            return {"enum": [one.value for one in hint]}
        if issubclass(hint, pathlib.PurePath):
            return {"type": "string", "x-ignrun-type": "path"}
        if not _is_block(hint):
            return {}
        if hint.__qualname__ not in self.named:
            self.named[hint.__qualname__] = {}  # so that a class that names itself comes to an end
            self.named[hint.__qualname__] = self.block(hint)
        return {"$ref": f"#/$defs/{hint.__qualname__}"}

    def _list(self, hint: Any, inner: tuple[Any, ...]) -> dict[str, Any]:
        unique = {"uniqueItems": True} if typing.get_origin(hint) in {set, frozenset, AbstractSet} else {}
        if typing.get_origin(hint) is tuple and inner and inner[-1] is not Ellipsis:
            items = [self.of(one) for one in inner]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        return {"type": "array", **({"items": self.of(inner[0])} if inner else {}), **unique}

    def _any_of(self, choices: list[Any]) -> dict[str, Any]:
        described = [self.of(one) for one in choices]
        if len(described) == 1:
            return described[0]
        nothing, others = {"type": "null"}, [one for one in described if one != {"type": "null"}]
        if len(others) == 1 and isinstance(others[0].get("type"), str) and "enum" not in others[0]:
            return others[0] | {"type": [others[0]["type"], "null"]}
        return {"anyOf": [*others, nothing] if len(others) < len(described) else others}

    def _marked(self, hint: Any) -> dict[str, Any]:
        inner, *marks = typing.get_args(hint)
        described = self.of(inner)
        for mark in marks:
            match mark:
                case Written(kind):
                    described["x-ignrun-type"] = kind
                    if kind in {"duration", "size"}:
                        described.pop("type", None)
                case Update(disposition):
                    described["x-ignrun-update"] = disposition
                case msgspec.Meta():
                    described |= _bounds(mark, described.get("type"))
                case _:
                    pass
        return described


_NEEDED: Final = object()
_UNKNOWN: Final = object()


def _without_none(hint: Any) -> Any:
    """Leave None out of what may be given: a `null` in a manifest removes a value, and the class fills in its own default."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *marks = typing.get_args(hint)
        return typing.Annotated[(_without_none(inner), *marks)]
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        left = tuple(one for one in typing.get_args(hint) if one is not type(None))
        return typing.Union[left] if left else hint  # noqa: UP007 - made from a tuple
    return hint


def _is_block(hint: type) -> bool:
    return dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct)


def _fields(kind: type) -> list[tuple[str, str, Any]]:
    """List name, written name and default of each field."""
    if dataclasses.is_dataclass(kind):
        fields = [one for one in dataclasses.fields(kind) if one.init]
        return [(one.name, one.name, _default(one.default, one.default_factory, dataclasses.MISSING)) for one in fields]
    if issubclass(kind, msgspec.Struct):
        listed = msgspec.structs.fields(kind)
        return [
            (one.name, one.encode_name, _default(one.default, one.default_factory, msgspec.NODEFAULT)) for one in listed
        ]
    message = f"`{kind.__qualname__}` is neither a dataclass nor a msgspec Struct"
    raise TypeError(message)


def _default(value: Any, factory: Callable[[], Any] | Any, missing: Any) -> Any:
    if value is missing and factory is missing:
        return _NEEDED
    made = factory() if value is missing else value
    if isinstance(made, Secret) or made is msgspec.UNSET:
        return _UNKNOWN  # a secret stands in no schema
    try:
        return msgspec.json.decode(msgspec.json.encode(made, enc_hook=str))
    except (TypeError, ValueError):
        return _UNKNOWN


def _bounds(mark: msgspec.Meta, kind: Any) -> dict[str, Any]:
    found = {word: getattr(mark, name) for name, word in _BOUNDS.items() if getattr(mark, name) is not None}
    words = _LENGTHS.get(kind, ()) if isinstance(kind, str) else ()
    lengths = zip(words, (mark.min_length, mark.max_length), strict=False)
    return found | {word: value for word, value in lengths if value is not None} | (mark.extra_json_schema or {})
