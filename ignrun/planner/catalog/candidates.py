"""Gathers the definitions that the modules of a manifest could use: by id, by version, and which of them may run here."""

from collections.abc import Iterable

import msgspec

from ignrun import __version__
from ignrun.manifest.model import Definition, Manifest
from ignrun.manifest.places import at_value
from ignrun.planner.catalog.definitions import Found, in_sources, installed
from ignrun.planner.catalog.model import Provenance
from ignrun.planner.catalog.platform import canonical, unmet
from ignrun.planner.catalog.versions import is_version
from ignrun.terms.diagnostics import Diagnostic, Note

ById = dict[str, dict[str, Definition]]
"""Definitions by id, then by version; where two places offer the same version the first one counts."""


class Candidates(msgspec.Struct, frozen=True):
    """What was found: `versions` may run here, `refused` may not, each with the reason; `found` is all that was looked at.

    `provenance` is by the file of the definition.
    """

    versions: ById = {}
    refused: dict[str, list[tuple[Definition, Diagnostic]]] = {}
    found: Found = Found()
    provenance: dict[str, Provenance] = {}

    @property
    def ids(self) -> list[str]:
        """Every id, runnable here or not."""
        return list(dict.fromkeys([*self.versions, *self.refused]))


def gather(manifest: Manifest, wanted: Iterable[str]) -> Candidates:
    """Look into sources, catalogs and what is installed for definitions with the ids `wanted`; others are found in passing."""
    ids = frozenset(map(canonical, wanted))
    if not ids:
        return Candidates()
    near, far = in_sources(manifest), _only(installed(), ids)
    listed, provenance = Found(), dict[str, Provenance]()
    if manifest.catalog:
        from ignrun.planner.catalog.index import in_indexes

        listed, provenance = in_indexes(manifest, ids)
    whence = {one.document.file: Provenance("installed") for one in far.definitions}
    whence |= {one.document.file: Provenance("sources") for one in near.definitions}
    return judged(manifest, joined(near, listed, far), whence | provenance)


def joined(*places: Found) -> Found:
    """Put what several kinds of places offer one after the other."""
    return Found(
        tuple(one for place in places for one in place.definitions),
        tuple(one for place in places for one in place.files),
        tuple(one for place in places for one in place.diagnostics),
        tuple(one for place in places for one in place.broken),
        all(place.complete for place in places),
    )


def _only(found: Found, ids: frozenset[str]) -> Found:
    """Keep the mistakes of those alone that somebody wants: what else is installed here is not the manifest's matter."""
    used = {one.document.file for one in found.definitions if canonical(one.metadata.id) in ids}
    guilty = ids.isdisjoint(found.broken)
    return msgspec.structs.replace(
        found,
        files=tuple(one for one in found.files if one.path in used),
        diagnostics=() if guilty else found.diagnostics,
    )


def judged(manifest: Manifest, found: Found, provenance: dict[str, Provenance]) -> Candidates:
    """Sort what was found into what may run here and what may not."""
    versions: ById = {}
    refused: dict[str, list[tuple[Definition, Diagnostic]]] = {}
    for one in found.definitions:
        identifier, version = canonical(one.metadata.id), one.metadata.version
        if not is_version(version) or version in versions.get(identifier, {}):
            continue
        reason = _reason_against(manifest, one)
        if reason is None:
            versions.setdefault(identifier, {})[version] = one
        else:
            refused.setdefault(identifier, []).append((one, reason))
    return Candidates(versions, refused, found, provenance)


def _reason_against(manifest: Manifest, one: Definition) -> Diagnostic | None:
    platform = manifest.platform
    needs = (
        ("requires_ignrun", one.requires_ignrun, __version__, "ignrun", "this is"),
        ("requires_ignition", one.requires_ignition, platform.ignition, "Ignition", "the platform is"),
    )
    for key, requirement, version, what, this in needs:
        try:
            if not unmet(version, requirement):
                continue
        except ValueError as error:
            return at_value(one.document, (key,), "IGN206", str(error))
        summary = f"`{one.metadata.id}` {one.metadata.version} needs {what} {requirement}; {this} {version}"
        declared = key == "requires_ignition" and platform.span is not None
        notes = (Note("the platform is declared here", platform.span),) if declared else ()
        return at_value(one.document, (key,), "IGN313", summary, notes=notes)
    return None
