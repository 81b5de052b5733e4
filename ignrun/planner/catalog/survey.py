"""Turns every definition that can be seen from a manifest, or from nowhere in particular, into a list of what each offers."""

from typing import Any

import msgspec

from ignrun.manifest.model import Definition, Manifest
from ignrun.planner.catalog.candidates import joined
from ignrun.planner.catalog.definitions import Found, in_sources, installed
from ignrun.planner.catalog.entry import Eyes, Missing, find_code
from ignrun.planner.catalog.model import Code, Provenance
from ignrun.planner.catalog.select import folders_of, import_path
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.metadata import ModuleMetadata


class Slot(msgspec.Struct, frozen=True):
    """A need of a definition, as it is listed."""

    slot: str
    uses: str
    version: str
    many: bool
    required: bool


class Visible(msgspec.Struct, frozen=True):
    """One definition that modules could use; what the source does not say of its class is empty (`callbacks`: None)."""

    metadata: ModuleMetadata
    place: str
    file: str
    entry: str
    scopes: tuple[str, ...]
    slots: tuple[Slot, ...] = ()
    config_schema: Any = None
    callbacks: tuple[str, ...] | None = None
    provides: tuple[str, ...] = ()
    config_class: bool = False


class Survey(msgspec.Struct, frozen=True):
    """All that can be seen, sorted by id, highest version first, and what is wrong with the rest."""

    visible: tuple[Visible, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def survey(manifest: Manifest | None) -> Survey:
    """Look into the sources and catalogs of a manifest and at what is installed; class traits are read, nothing is imported."""
    from packaging.version import Version

    from ignrun.planner.catalog.index import in_indexes

    near, listed, whence = Found(), Found(), dict[str, Provenance]()
    if manifest is not None:
        near = in_sources(manifest)
        listed, whence = in_indexes(manifest, None)
    far = installed()
    whence |= {one.document.file: Provenance("sources") for one in near.definitions}
    found = joined(near, listed, far)
    eyes, path = Eyes.remembering(), import_path(manifest) if manifest else ()
    unique = {(one.metadata.id, one.metadata.version): one for one in reversed(found.definitions)}
    visible = [
        _visible(one, whence.get(one.document.file, Provenance("installed")), path, eyes) for one in unique.values()
    ]
    visible.sort(key=lambda one: Version(one.metadata.version), reverse=True)
    visible.sort(key=lambda one: one.metadata.id)
    return Survey(tuple(visible), found.diagnostics)


def _visible(one: Definition, whence: Provenance, path: tuple[str, ...], eyes: Eyes) -> Visible:
    code = find_code(one.entry, path, (whence.root,) if whence.root else folders_of(one, path), eyes)
    known = Code("", "") if isinstance(code, Missing) else code
    return Visible(
        metadata=one.metadata,
        place=whence.place,
        file=one.document.file,
        entry=one.entry,
        scopes=tuple(scope.word for scope in one.scopes),
        slots=tuple(Slot(slot.slot, slot.uses, slot.version, slot.many, slot.required) for slot in one.slots),
        config_schema=one.config_schema,
        callbacks=known.callbacks,
        provides=known.provides,
        config_class=known.config,
    )
