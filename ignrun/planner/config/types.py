"""Turns a config schema of the plain sort into a msgspec type that takes nothing the schema would refuse, in a fiftieth of the time."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec

from ignrun.terms.leaves import Path

_SAID: Final[dict[str, type | tuple[type, ...]]] = {
    "$schema": str,
    "$comment": str,
    "title": str,
    "description": str,
    "deprecated": bool,
    "readOnly": bool,
    "writeOnly": bool,
    "examples": list,
}
"""Words that judge nothing, with the type that the dialect wants of them."""
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_BOUNDS: Final = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"}
_DEEPEST: Final = 32
_MOST_FIELDS: Final = 1_000
_ANY: Final = -1
"""Stands in a path for any item or any further key."""


class _Beyond(Exception):  # noqa: N818 - ends the building, inside this file only
    """The schema says something that has no equal among types."""


def type_of(schema: Any, unknown: frozenset[Path] = frozenset()) -> Any:
    """Build the type of a schema whose `x-ignrun-` words are spelled out already; None where it says more than types can.

    What the type takes is valid, and the schema itself is sound; what it refuses is for a validator to judge and to explain.
    At the paths `unknown`, below properties only, it takes anything: those values are not known yet.
    """
    try:
        return _Builder(unknown).of(schema, ())
    except (_Beyond, TypeError, ValueError, re.error, RecursionError, OverflowError):
        return None


class _Builder:
    """One building; `fields` counts those of all blocks, as each costs memory."""

    def __init__(self, unknown: frozenset[Path]) -> None:
        self.fields = 0
        self._unknown = unknown

    def of(self, schema: Any, path: Path) -> Any:
        if not isinstance(schema, dict) or len(path) > _DEEPEST:
            raise _Beyond
        words = {key: value for key, value in schema.items() if not _is_said(key, value)}
        if "type" not in words:
            return self._untyped(words)
        kinds = words.pop("type")
        listed = kinds if isinstance(kinds, list) else [kinds]
        if len(set(listed)) != len(listed) or not listed:
            raise _Beyond
        left = [one for one in listed if one != "null"]
        if not left:
            return None if not words else _beyond()
        if len(left) > 1:
            raise _Beyond
        made = _MAKERS[left[0]](self, words, path) if left[0] in _MAKERS else _beyond()
        return made | None if len(left) < len(listed) else made

    def _untyped(self, words: dict[str, Any]) -> Any:
        """Take anything, or one of a few texts or whole numbers."""
        if not words:
            return Any
        choices = words.pop("enum", None)
        return _choice(choices, (str, int)) if not words else _beyond()

    def text(self, words: dict[str, Any], _: Path) -> Any:
        if "enum" in words:
            return _choice(words.pop("enum"), (str,)) if not words else _beyond()
        limits: dict[str, Any] = {}
        for word, name in (("minLength", "min_length"), ("maxLength", "max_length")):
            if word in words:
                limits[name] = _count(words.pop(word))
        if "pattern" in words:
            limits["pattern"] = re.compile(_is(words.pop("pattern"), str)).pattern
        return _limited(str, limits, words)

    def whole(self, words: dict[str, Any], _: Path) -> Any:
        if "enum" in words:
            return _choice(words.pop("enum"), (int,)) if not words else _beyond()
        return _limited(int, {_BOUNDS[word]: _is(words.pop(word), int) for word in _BOUNDS if word in words}, words)

    def number(self, words: dict[str, Any], _: Path) -> Any:
        bounds = {_BOUNDS[word]: _is(words.pop(word), (int, float)) for word in _BOUNDS if word in words}
        return _limited(float, bounds, words)

    def truth(self, words: dict[str, Any], _: Path) -> Any:
        return bool if not words else _beyond()

    def series(self, words: dict[str, Any], path: Path) -> Any:
        items: Any = self.of(words.pop("items"), (*path, _ANY)) if "items" in words else Any
        limits: dict[str, Any] = {}
        for word, name in (("minItems", "min_length"), ("maxItems", "max_length")):
            if word in words:
                limits[name] = _count(words.pop(word))
        return _limited(list.__class_getitem__(items), limits, words)

    def block(self, words: dict[str, Any], path: Path) -> Any:
        properties = _is(words.pop("properties", {}), dict)
        required = _is(words.pop("required", []), list)
        others = words.pop("additionalProperties", True)
        if words or not all(isinstance(one, str) for one in required) or len(set(required)) != len(required):
            raise _Beyond
        if not properties and not required and others is not False:
            return dict.__class_getitem__((str, Any if others is True else self.of(others, (*path, _ANY))))
        if not isinstance(others, bool) or not properties.keys() >= set(required):
            raise _Beyond
        self.fields += len(properties)
        if self.fields > _MOST_FIELDS:
            raise _Beyond
        return self._struct(properties, frozenset(required), path, closed=not others)

    def _struct(self, properties: dict[str, Any], required: frozenset[str], path: Path, *, closed: bool) -> Any:
        needed, optional, names = [], [], dict[str, str]()
        for number, (name, inner) in enumerate(properties.items()):
            field = names[f"f{number}"] = name
            made = self.of(inner, (*path, name))
            made = Any if (*path, name) in self._unknown else made
            if field in required:
                needed.append((f"f{number}", made))
            else:
                kind = (
                    made if made is Any else made | msgspec.UnsetType if made is not None else None | msgspec.UnsetType
                )
                optional.append((f"f{number}", kind, msgspec.UNSET))
        return msgspec.defstruct("Block", [*needed, *optional], rename=names, forbid_unknown_fields=closed)


def _is_said(key: str, value: Any) -> bool:
    """Tell whether a word only says something; one of the wrong type is beyond, for a validator to refuse."""
    if key == "$schema" and value != _DIALECT:
        raise _Beyond
    if key in _SAID:
        return bool(_is(value, _SAID[key]) is value)
    return key == "default" or key.startswith("x-") or (key in {"$defs", "definitions"} and value == {})


def _is(value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Beyond
    return value


def _count(value: Any) -> int:
    number: int = _is(value, int)
    return number if number >= 0 else _beyond()


def _choice(choices: Any, kinds: tuple[type, ...]) -> Any:
    listed = [_is(one, kinds) for one in _is(choices, list)]
    if not listed or len(set(listed)) != len(listed):
        raise _Beyond
    return Literal.__getitem__(tuple(listed))


def _limited(kind: Any, limits: dict[str, Any], words: dict[str, Any]) -> Any:
    if words or ("ge" in limits and "gt" in limits) or ("le" in limits and "lt" in limits):
        raise _Beyond
    return Annotated[kind, msgspec.Meta(**limits)] if limits else kind


def _beyond(*_: Any) -> Any:
    raise _Beyond


_MAKERS: Final[dict[Any, Callable[[_Builder, dict[str, Any], Path], Any]]] = {
    "string": _Builder.text,
    "integer": _Builder.whole,
    "number": _Builder.number,
    "boolean": _Builder.truth,
    "array": _Builder.series,
    "object": _Builder.block,
}
