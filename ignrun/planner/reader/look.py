"""Turns a manifest, sound or not, into what its author can write in it: the visible definitions and their config schemas."""

from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Definition, Manifest, ModuleSpec
from ignrun.manifest.read import read_document, read_manifest
from ignrun.planner.catalog.definitions import in_sources, installed
from ignrun.planner.catalog.index import in_indexes
from ignrun.planner.catalog.versions import is_version, ranked
from ignrun.planner.config.schema import ConfigSchema
from ignrun.planner.reader.bounded import answer_to, decoded_as
from ignrun.planner.reader.corridor import WorkingOn
from ignrun.terms.diagnostics import Diagnostic, in_order
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted, Rejected, examined, judge

_STEPS: Final = 4  # from file to file


class Offer(msgspec.Struct, frozen=True):
    """One version of a definition; `schema` is the JSON Schema of its config, None where it has none."""

    id: str
    version: str
    name: str = ""
    description: str = ""
    schema: Any = None


class Written(msgspec.Struct, frozen=True):
    """One module of the manifest: the definition it uses, whoever says so, and a config schema of its own."""

    name: str
    uses: str = ""
    schema: Any = None


class View(msgspec.Struct, frozen=True):
    """Everything visible: `offers` by id, highest versions first, and the modules that the manifest has now."""

    offers: tuple[Offer, ...] = ()
    modules: tuple[Written, ...] = ()


class Look(msgspec.Struct, frozen=True):
    """What leaves the bounded process; the sound part of a rejection is of use while somebody writes."""

    verdict: Accepted[View | None] | Rejected[View | None]


def look_bounded(inputs: Inputs | None) -> Look:
    """Look around in a bounded process, from the manifest of `inputs`, or (None) at what is installed alone."""
    return decoded_as(answer_to(lambda working_on: look(inputs, working_on), inputs.manifest if inputs else ""), Look)


def look(inputs: Inputs | None, working_on: WorkingOn = lambda _: None) -> Look:
    """Gather definitions and schemas; what cannot be read is told and left out."""
    manifest: Manifest | None = None
    told: tuple[Diagnostic, ...] = ()
    found = list(installed().definitions)
    if inputs is not None:
        working_on(Span.of_file(inputs.manifest))
        verdict = read_manifest(inputs)
        manifest, told = examined(verdict), verdict.diagnostics
        if manifest is None:
            return Look(Rejected(None, told))
    if manifest is not None:
        here, (listed, _) = in_sources(manifest), in_indexes(manifest, None)
        found = [*here.definitions, *listed.definitions, *found]
        told = (*told, *here.diagnostics, *listed.diagnostics)
    root = inputs.root if inputs else ""
    modules = tuple(_written(manifest, spec, root) for spec in manifest.modules.values()) if manifest else ()
    view: View | None = View(_offers(found), modules)
    return Look(judge(view, in_order(told)))


def _offers(found: list[Definition]) -> tuple[Offer, ...]:
    """Offer each version once: where two places have the same one the first counts."""
    first: dict[str, dict[str, Definition]] = {}
    for one in found:
        if is_version(one.metadata.version):
            first.setdefault(one.metadata.id, {}).setdefault(one.metadata.version, one)
    return tuple(
        _offer(first[identifier][version]) for identifier in sorted(first) for version in ranked(first[identifier], ())
    )


def _offer(one: Definition) -> Offer:
    schema = _schema(one.config_schema, one.folder, one.folder)
    return Offer(one.metadata.id, one.metadata.version, one.metadata.name, one.metadata.description, schema)


def _written(manifest: Manifest, spec: ModuleSpec, root: str) -> Written:
    return Written(spec.name, spec.uses or "", _schema(spec.config_schema, manifest.folder, root))


def _schema(raw: Any, folder: str, root: str) -> Any:
    """Give a config schema as it stands in the document, or in the file that it names; None for none, or for an unsound one."""
    for _ in range(_STEPS):
        file = raw.get("$ref") if isinstance(raw, dict) and len(raw) == 1 else None
        if not isinstance(file, str) or file.startswith("#") or "://" in file:
            break
        document = examined(read_document(str(Path(folder, file)), root))
        raw, folder = (document.tree, str(Path(document.file).parent)) if document else (None, folder)
    return raw if isinstance(raw, dict) and not ConfigSchema(raw).flaws() else None
