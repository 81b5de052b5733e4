"""Owns ConfigSchema: what the schema of a module's config says of types, defaults, secrets, and of a given config."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ignrun.planner.config.model import Measure, Update
from ignrun.planner.config.types import type_of
from ignrun.planner.config.updates import measures_of, updates_of
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import Path, Pending

_KINDS: Final = {"duration": "duration", "size": "size", "port": "integer", "path": "string", "url": "string"}
_UPDATES: Final = ("reconfigure", "restart", "never")
_ABSENT: Final = object()
_SIMPLE: Final = frozenset({"string", "integer", "number", "boolean", "object", "array"})
_DEEPEST: Final = 64
_BELOW_ONE: Final = ("additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames")
_BELOW_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_BELOW_LISTED: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_SURE: Final = frozenset(
    {"required", "additionalProperties", "dependentRequired", "minProperties", "maxProperties", "propertyNames"}
)
"""What can be judged of a block although some value in it is not known yet."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a config (`path` in the config) or with a schema (`path` in the schema)."""

    path: Path
    code: str
    summary: str
    hint: str = ""
    at_key: bool = False


class ConfigSchema:
    """One schema, made ready once for all the configs that it judges."""

    def __init__(self, raw: dict[str, Any]) -> None:
        """Take the schema as it was written."""
        self.raw = raw
        self._prepared: Any = None
        self._types: dict[frozenset[Path], Any] = {}  # by what is not known yet
        self._updates: tuple[Update, ...] | None = None
        self._measures: tuple[Measure, ...] | None = None

    def node(self, path: Path) -> dict[str, Any]:
        """Give the part of the schema that speaks of the value at `path`; empty where none does."""
        at = self._followed(self.raw)
        for key in path:
            at = self._followed(_step(at, key))
        return at

    def kind(self, path: Path) -> str:
        """Name the type that the value at `path` is to have, as `Pending.kind` does."""
        node = self.node(path)
        special = node.get("x-ignrun-type")
        if isinstance(special, str):
            return _KINDS.get(special, "any")
        kind = node.get("type")
        return kind if isinstance(kind, str) and kind in _SIMPLE else "any"

    def is_secret(self, path: Path) -> bool:
        """Tell whether the schema declares the value at `path` secret."""
        return self.node(path).get("x-ignrun-secret") is True

    def defaults(self, value: Any) -> list[tuple[Path, Any, Path]]:
        """List the defaults of what is missing in `value`: the path in the config, the default, its path in the schema."""
        return list(self._defaults(self.raw, (), value, ()))

    def _defaults(self, node: Any, way: Path, value: Any, path: Path) -> Iterator[tuple[Path, Any, Path]]:
        if len(path) > _DEEPEST:
            return
        node = self._followed(node)
        if isinstance(value, list):
            for number, inner in enumerate(value):
                yield from self._defaults(node.get("items"), (*way, "items"), inner, (*path, number))
        if not isinstance(value, dict):
            return
        properties = node.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        for name, inner in properties.items():
            here = (*way, "properties", name)
            default = self._followed(inner)
            if value.get(name) is None and "default" in default:
                yield (*path, name), default["default"], (*here, "default")
                yield from self._defaults(inner, here, default["default"], (*path, name))
            else:
                yield from self._defaults(inner, here, value.get(name), (*path, name))
        for name in [name for name in value if name not in properties]:
            yield from self._defaults(
                node.get("additionalProperties"), (*way, "additionalProperties"), value[name], (*path, name)
            )

    def _followed(self, node: Any) -> dict[str, Any]:
        """Follow references within the schema, a few steps at most."""
        for _ in range(16):
            ref = node.get("$ref") if isinstance(node, dict) else None
            if not isinstance(ref, str) or not ref.startswith("#"):
                break
            node = self.raw
            for key in filter(None, ref[1:].split("/")):
                node = node.get(key.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, dict) else {}
        return node if isinstance(node, dict) else {}

    @property
    def plain_type(self) -> Any:
        """The type of a schema that says no more than types can; None for all others."""
        if frozenset() not in self._types:
            self._types[frozenset()] = type_of(_prepared(self.raw))
        return self._types[frozenset()]

    @property
    def updates(self) -> tuple[Update, ...]:
        """What changes of values ask for, as far as the schema says."""
        if self._updates is None:
            self._updates = updates_of(self.raw, self._followed)
        return self._updates

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The values that are durations or sizes."""
        if self._measures is None:
            self._measures = measures_of(self.raw, self._followed)
        return self._measures

    def flaws(self) -> list[Problem]:
        """Say what is wrong with the schema itself; nothing is fetched to find out."""
        misused = list(_misused(self.raw, ()))
        if misused or self.plain_type is not None:
            return misused
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError

        outside = [
            Problem(
                path,
                "IGN223",
                f"the config schema refers to `{ref}`",
                "nothing is fetched: bring the part into this schema (`#/$defs/..`)",
            )
            for path, ref in _foreign_references(self.raw, ())
        ]
        if outside:
            return outside
        try:
            Draft202012Validator.check_schema(self.raw, format_checker=Draft202012Validator.FORMAT_CHECKER)
        except SchemaError as error:
            return [Problem(tuple(error.absolute_path), "IGN223", f"the config schema is not sound: {error.message}")]
        return []

    def judge(self, value: Any, pending: tuple[Pending, ...], name: str) -> list[Problem]:
        """Say what is wrong with a config whose durations and sizes are numbers already; pending leaves are left out."""
        if self._takes(value, frozenset(one.path for one in pending)):
            return []
        from referencing.exceptions import Unresolvable

        unknown = [one.path for one in pending]
        found: dict[tuple[Path, str], Problem] = {}
        try:
            errors = list(self._validator().iter_errors(value))
        except Unresolvable as nowhere:
            return [
                Problem(
                    (),
                    "IGN223",
                    f"the config schema of module `{name}` refers to `{nowhere.ref}`, which it does not have",
                )
            ]
        except RecursionError:
            return [Problem((), "IGN223", f"the config schema of module `{name}` refers to itself without end")]
        for error in errors:
            path = tuple(error.absolute_path)
            inside = any(one[: len(path)] == path for one in unknown)
            if inside and (path in unknown or error.validator not in _SURE):
                continue
            for problem in _problems(error, path, name):
                found.setdefault((problem.path, problem.summary), problem)
        return list(found.values())

    def _takes(self, value: Any, unknown: frozenset[Path]) -> bool:
        """Tell whether the type of the schema takes a config: then it is valid, else a validator has to say."""
        if self.plain_type is None:
            return False
        if unknown not in self._types:
            self._types[unknown] = type_of(_prepared(self.raw), unknown)
        try:
            msgspec.convert(value, self._types[unknown])
        except (msgspec.ValidationError, RecursionError, OverflowError):
            return False
        return True

    def _validator(self) -> Any:
        if self._prepared is None:
            from jsonschema import Draft202012Validator
            from referencing import Registry

            checker = Draft202012Validator.FORMAT_CHECKER
            self._prepared = Draft202012Validator(_prepared(self.raw), registry=Registry(), format_checker=checker)
        return self._prepared


def _step(node: dict[str, Any], key: str | int) -> Any:
    if isinstance(key, int):
        listed = node.get("prefixItems")
        return listed[key] if isinstance(listed, list) and key < len(listed) else node.get("items")
    properties = node.get("properties")
    if isinstance(properties, dict) and key in properties:
        return properties[key]
    return node.get("additionalProperties")


def _subschemas(node: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    for word in _BELOW_ONE:
        if word in node:
            yield (*path, word), node[word]
    for word in _BELOW_NAMED:
        named = node.get(word)
        if isinstance(named, dict):
            yield from (((*path, word, name), inner) for name, inner in named.items())
    for word in _BELOW_LISTED:
        listed = node.get(word)
        if isinstance(listed, list):
            yield from (((*path, word, number), inner) for number, inner in enumerate(listed))


def _foreign_references(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, list):
        for number, inner in enumerate(node):
            yield from _foreign_references(inner, (*path, number))
    if not isinstance(node, dict):
        return
    for key, inner in node.items():
        if key in {"$ref", "$dynamicRef", "$recursiveRef"} and isinstance(inner, str):
            if not inner.startswith("#"):
                yield (*path, key), inner
        elif key not in {"default", "examples", "enum", "const"}:
            yield from _foreign_references(inner, (*path, key))


def _misused(node: Any, path: Path) -> Iterator[Problem]:
    """Say which `x-ignrun-` words have a value that they do not take."""
    if not isinstance(node, dict):
        return
    kind, update, secret = (node.get(f"x-ignrun-{word}", _ABSENT) for word in ("type", "update", "secret"))
    if kind is not _ABSENT and kind not in tuple(_KINDS):
        hint = did_you_mean(str(kind), _KINDS)
        yield Problem((*path, "x-ignrun-type"), "IGN223", f"there is no x-ignrun-type `{kind}`", hint)
    if update is not _ABSENT and update not in _UPDATES:
        hint = did_you_mean(str(update), _UPDATES) or f"it is one of {', '.join(f'`{one}`' for one in _UPDATES)}"
        yield Problem((*path, "x-ignrun-update"), "IGN223", f"there is no x-ignrun-update `{update}`", hint)
    if secret is not _ABSENT and not isinstance(secret, bool):
        yield Problem((*path, "x-ignrun-secret"), "IGN223", "x-ignrun-secret is `true` or `false`")
    for way, inner in _subschemas(node, path):
        yield from _misused(inner, way)


def _prepared(node: Any) -> Any:
    """Copy a schema so that it judges what modules receive: durations and sizes as numbers, ports in their range."""
    if not isinstance(node, dict):
        return node
    copy = dict(node)
    for word in _BELOW_ONE:
        if word in copy:
            copy[word] = _prepared(copy[word])
    for word in _BELOW_NAMED:
        if isinstance(copy.get(word), dict):
            copy[word] = {name: _prepared(inner) for name, inner in copy[word].items()}
    for word in _BELOW_LISTED:
        if isinstance(copy.get(word), list):
            copy[word] = [_prepared(inner) for inner in copy[word]]
    return _with_its_type(copy)


def _with_its_type(node: dict[str, Any]) -> dict[str, Any]:
    match node.get("x-ignrun-type"):
        case "duration" | "size":
            listed = node.get("type")
            kind = ["number", "null"] if isinstance(listed, list) and "null" in listed else "number"
            return {key: value for key, value in node.items() if key not in {"pattern", "format"}} | {"type": kind}
        case "port":
            return {"type": "integer", "minimum": 0, "maximum": 65535} | node
        case "path" | "url":
            return {"type": "string"} | node
        case _:
            return node


def _problems(error: Any, path: Path, name: str) -> Iterator[Problem]:
    shown = ".".join(map(str, path))
    what = f"`{shown}` in config of module `{name}`" if shown else f"config of module `{name}`"
    match error.validator:
        case "additionalProperties" if error.validator_value is False:
            yield from _unknown_keys(error, path, name)
        case "required":
            for missing in [one for one in error.validator_value if one not in error.instance]:
                full = ".".join(map(str, (*path, missing)))
                described = error.schema.get("properties", {}).get(missing, {})
                hint = described.get("description", "") if isinstance(described, dict) else ""
                yield Problem(path, "IGN221", f"config of module `{name}` lacks `{full}`", str(hint), at_key=True)
        case "type":
            yield Problem(path, "IGN220", f"{what} is to be {_types(error)}, not {_type_of(error.instance)}")
        case "enum":
            words = ", ".join(f"`{one}`" for one in error.validator_value)
            yield Problem(
                path,
                "IGN222",
                f"{what} is to be one of {words}",
                did_you_mean(str(error.instance), error.validator_value),
            )
        case "anyOf" | "oneOf" | "not" | "if":
            yield Problem(path, "IGN222", f"{what} fits none of the forms that its schema allows")
        case _:
            yield Problem(path, "IGN222", f"{what} is refused: {error.message}")


def _unknown_keys(error: Any, path: Path, name: str) -> Iterator[Problem]:
    import re

    known = error.schema.get("properties", {})
    patterns = error.schema.get("patternProperties", {})
    for key in error.instance:
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            yield Problem(
                (*path, key),
                "IGN204",
                f"unknown key `{key}` in config of module `{name}`",
                did_you_mean(key, known),
                at_key=True,
            )


def _types(error: Any) -> str:
    special = error.schema.get("x-ignrun-type")
    if special:
        return f"a {special}"
    types = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    return " or ".join(_ARTICLES.get(one, str(one)) for one in types)


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case None:
            return "null"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


_ARTICLES: Final = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
