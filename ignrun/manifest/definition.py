"""Turns the shape of a `kind: Module` document into a Definition."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

from msgspec import UNSET, UnsetType

from ignrun.manifest.document import Document
from ignrun.manifest.model import Definition, SlotSpec
from ignrun.manifest.shape import DefinitionText, IdentityText, SlotText
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import ModuleScope


def parse_definition(document: Document, text: DefinitionText) -> Definition:
    """Build the Definition of one document that has its shape already."""
    return Definition(
        metadata=_metadata(text.metadata),
        span=document.value_span(("metadata", "id")),
        folder=str(FilePath(document.file).parent),
        document=document,
        entry=text.entry,
        scopes=tuple(map(ModuleScope.from_word, text.scopes or ["gateway"])),
        slots=(
            *_slots(document, "requires", text.requires, required=True),
            *_slots(document, "wants", text.wants, required=False),
        ),
        config_schema=_or_none(text.config_schema),
        claims=tuple(text.claims or ()),
        requires_ignrun=text.requires_ignrun or "",
        requires_ignition=text.requires_ignition or "",
        exports=_or_none(text.exports),
        config_version=text.config_version or 1,
        config=text.config or {},
    )


def _metadata(text: IdentityText) -> ModuleMetadata:
    written = {name: value for name in text.__struct_fields__ if (value := getattr(text, name)) is not UNSET}
    return ModuleMetadata(**{"name": text.id, **written})


def _slots(
    document: Document, key: str, slots: dict[str, SlotText] | UnsetType, *, required: bool
) -> Iterator[SlotSpec]:
    for slot, one in (slots or {}).items():
        yield SlotSpec(
            slot,
            document.key_span((key, slot)),
            one.uses or "",
            one.version or "",
            tuple(map(ModuleScope.from_word, one.scopes or ())),
            many=one.many is True,
            required=required,
        )


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
