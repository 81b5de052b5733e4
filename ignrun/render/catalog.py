"""Turns the definitions that can be seen into a table, a description of one, and public JSON."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from ignrun.planner.catalog.survey import Slot, Visible
from ignrun.render.columns import columns
from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""


class DefinitionReport(msgspec.Struct, frozen=True):
    """One definition that modules could use; what the source does not say of its class is empty (`callbacks`: null)."""

    id: str
    name: str
    version: str
    vendor: str
    description: str
    documentation: str
    license: str
    place: str
    file: str
    entry: str
    scopes: tuple[str, ...]
    slots: tuple[Slot, ...]
    config_schema: Any
    callbacks: tuple[str, ...] | None
    provides: tuple[str, ...]
    config_class: bool


class CatalogReport(msgspec.Struct, frozen=True):
    """Definitions, in their order."""

    format_version: str
    modules: tuple[DefinitionReport, ...]


def catalog_json(visible: Iterable[Visible]) -> bytes:
    """Write definitions as JSON, in their order."""
    report = CatalogReport(FORMAT_VERSION, tuple(_public(one) for one in visible))
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def _public(one: Visible) -> DefinitionReport:
    written: dict[str, Any] = msgspec.to_builtins(one)
    metadata: dict[str, Any] = written.pop("metadata")
    return msgspec.convert(metadata | written, DefinitionReport)


def catalog_table(visible: Iterable[Visible], *, paint: Paint = plain, width: int | None = None) -> str:
    """Write one line a definition; a line of its own says when there is none."""
    rows = [(one.metadata.id, one.metadata.version, one.place, _said(one)) for one in visible]
    if not rows:
        return "there is no definition here\n"
    return columns(("ID", "VERSION", "FROM", "DESCRIPTION"), rows, paint=paint, width=width)


def _said(one: Visible) -> str:
    return one.metadata.description or one.metadata.name


def catalog_entry(one: Visible, others: Iterable[str]) -> str:
    """Describe one definition: what it is, needs, takes and offers; `others` are its other versions."""
    return "".join(f"{neutral(line)}\n" for line in _lines(one, tuple(others)))


def _lines(one: Visible, others: tuple[str, ...]) -> Iterator[str]:
    said = one.metadata
    yield f"{said.id} {said.version}"
    facts = {
        "name": said.name,
        "vendor": said.vendor,
        "description": said.description,
        "license": said.license,
        "documentation": said.documentation,
        "from": f"{one.place}: {one.file}",
        "entry": one.entry,
        "scopes": ", ".join(one.scopes),
        "other versions": ", ".join(others),
        "callbacks": "not known from its source" if one.callbacks is None else ", ".join(one.callbacks),
        "provides": ", ".join(one.provides),
    }
    yield from (f"  {name}: {value}" for name, value in facts.items() if value)
    if one.slots:
        yield "  slots:"
        yield from (f"    {slot.slot}: {_slot(slot)}" for slot in one.slots)
    yield from _config(one)


def _slot(slot: Any) -> str:
    words = [slot.uses or "any module", slot.version, "many" if slot.many else "", "" if slot.required else "optional"]
    return ", ".join(word for word in words if word)


def _config(one: Visible) -> Iterator[str]:
    properties = one.config_schema.get("properties") if isinstance(one.config_schema, dict) else None
    if isinstance(properties, dict) and properties:
        yield "  config:"
        required = one.config_schema.get("required", [])
        for name, about in properties.items():
            yield f"    {name}: {_about(about if isinstance(about, dict) else {}, needed=name in required)}"
    elif one.config_schema is None and one.config_class:
        yield "  config: described by its class (`ignrun generate schema`)"


def _about(about: dict[str, Any], *, needed: bool) -> str:
    words = [str(about.get("x-ignrun-type") or about.get("type") or "any"), "required" if needed else ""]
    words += [f"default {msgspec.json.encode(about['default']).decode()}"] if "default" in about else []
    words += [str(about["x-ignrun-update"])] if "x-ignrun-update" in about else []
    words += ["secret"] if about.get("x-ignrun-secret") is True else []
    return ", ".join(word for word in words if word) + (f" - {about['description']}" if "description" in about else "")
