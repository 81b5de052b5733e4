"""Turns a shipped schema and the visible catalog into the schema by which an editor completes a module's own config."""

from typing import Final

import msgspec

from ignrun.planner.reader.look import Offer, View, Written
from ignrun.render.config_schema import REFERENCE, REFERENCES, Schema, for_editors

_CATALOG: Final = "catalog"
_WITHOUT_FREE: Final[Schema] = {"^x-": {}}


def editor_schema(kind: str, shipped: Schema, view: View) -> Schema:
    """Merge what is visible into the shipped schema of `kind` (`manifest`, `module` or `overlay`); what was valid stays valid."""
    definitions = {**shipped.get("$defs", {}), _CATALOG: _catalog(kind, view)}
    if kind == "module":
        slots = {"additionalProperties": {"$ref": f"#/$defs/{_CATALOG}"}}
        merged: Schema = {"requires": slots, "wants": slots}
    else:
        definitions |= {REFERENCE: REFERENCES, **_configs(view)}
        named = {one.name: rule for one in view.modules if (rule := _by_name(kind, one, view))}
        merged = {
            "modules": {
                "properties": named,
                "patternProperties": _WITHOUT_FREE,
                "additionalProperties": {"$ref": f"#/$defs/{_CATALOG}"},
            }
        }
    return {**shipped, "$defs": definitions, "allOf": [*shipped.get("allOf", ()), {"properties": merged}]}


def schema_text(schema: Schema) -> bytes:
    """Write a schema as the file that a modeline names."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def _configs(view: View) -> Schema:
    """Define every config schema twice: for a config that stands alone, and for a part of one."""
    schemas = {_name(one): one.schema for one in view.offers} | {_own(one): one.schema for one in view.modules}
    return {
        f"{name}{end}": for_editors(schema, f"#/$defs/{name}{end}", whole=not end)
        for name, schema in schemas.items()
        if schema is not None
        for end in ("", ".part")
    }


def _catalog(kind: str, view: View) -> Schema:
    """Offer every id behind `uses`, and let `config` follow the one that is written there."""
    ids = {one.id: one for one in reversed(view.offers)}
    words = [
        {"const": one.id, "description": f"{one.name} {one.version}: {one.description}"}
        for one in sorted(ids.values(), key=lambda one: one.id)
    ]
    rule: Schema = {"properties": {"uses": {"anyOf": [*words, {"type": ["string", "null"]}]}}}
    if kind == "module":
        return rule
    choices = [
        {"if": {"properties": {"uses": {"const": one}}, "required": ["uses"]}, "then": then}
        for one in sorted(ids)
        if (then := _following(kind, _schemas_of(one, view)))
    ]
    return rule | ({"allOf": choices} if choices else {})


def _by_name(kind: str, module: Written, view: View) -> Schema:
    """Say what the config of a module follows although its block does not say it here."""
    if module.schema is not None:
        return _following(kind, [_own(module)])
    names = _schemas_of(module.uses, view)
    catalog = {"$ref": f"#/$defs/{_CATALOG}"}
    return {"if": {"required": ["uses"]}, "then": catalog, "else": _following("overlay", names)} if names else {}


def _following(kind: str, names: list[str]) -> Schema:
    """Let `config` follow one of several versions; an overlay, and what extends another block, holds only a part."""
    if not names:
        return {}
    part = _config([f"{name}.part" for name in names])
    return part if kind == "overlay" else {"if": {"required": ["extends"]}, "then": part, "else": _config(names)}


def _config(names: list[str]) -> Schema:
    refs = [{"$ref": f"#/$defs/{name}"} for name in names]
    return {"properties": {"config": refs[0] if len(refs) == 1 else {"anyOf": refs}}}


def _schemas_of(identifier: str, view: View) -> list[str]:
    return [_name(one) for one in view.offers if one.id == identifier and one.schema is not None]


def _name(one: Offer) -> str:
    return f"config.{one.id}@{one.version}"


def _own(one: Written) -> str:
    return f"config.{one.name}"
