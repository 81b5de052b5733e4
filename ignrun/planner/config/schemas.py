"""Finds the config schema of each module, in its definition, in the manifest or in a file, and reads each one once."""

import os
from pathlib import Path
from typing import Any

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Manifest, ModuleSpec
from ignrun.manifest.read import read_document
from ignrun.manifest.seen import saw
from ignrun.planner.catalog.entry import schema_path
from ignrun.planner.catalog.model import Chosen
from ignrun.planner.config.schema import ConfigSchema
from ignrun.planner.config.spots import Spot
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.verdict import examined


class SchemaOf(msgspec.Struct, frozen=True):
    """The schema of one module (None: anything goes), its place, whose it is, and what is wrong with it."""

    schema: Any
    spot: Spot
    declared_by: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


class Schemas:
    """Reads the schemas of one manifest; modules of one definition share theirs."""

    def __init__(self, manifest: Manifest, roots: tuple[str, ...]) -> None:
        """Look for files beside the documents of `manifest`; those must lie below one of `roots`."""
        self._manifest = manifest
        self._roots = roots
        self._known: dict[tuple[int | str, ...], SchemaOf] = {}
        self._read: dict[str, InputFile] = {}

    @property
    def files(self) -> tuple[InputFile, ...]:
        """The schema files that were read."""
        return tuple(self._read.values())

    def of(self, spec: ModuleSpec, chosen: Chosen, block: Spot) -> SchemaOf:
        """Give the schema of a module: its own, else that of its definition; a flaw is told only once."""
        definition = chosen.definition
        if spec.config_schema is not None:
            return self._once(
                spec.config_schema,
                block.below("config_schema"),
                self._folder(spec),
                f"declared by module `{spec.name}`",
                self._roots,
            )
        if definition is None or definition.config_schema is None:
            return self._beside(chosen, Spot(definition.document) if definition else block)
        spot = Spot(definition.document, ("config_schema",))
        by = f"declared by {definition.metadata.id} {definition.metadata.version}"
        return self._once(definition.config_schema, spot, definition.folder, by, (*self._roots, definition.folder))

    def _beside(self, chosen: Chosen, block: Spot) -> SchemaOf:
        """Take the schema that was generated beside the code; a class with a `Config` and no schema is remarked upon once."""
        code = chosen.code
        if code is None:
            return SchemaOf(None, block)
        path = schema_path(chosen.entry, code.file)
        saw(path, "")
        if os.path.isfile(path):  # noqa: PTH113 - asked for every module
            file = Path(path)
            folder, by = str(file.parent), f"generated for `{chosen.entry}`"
            return self._once({"$ref": file.name}, Spot(None, (str(file),)), folder, by, (folder,))
        key = ("", chosen.entry)
        if not code.config or key in self._known:
            return SchemaOf(None, block)
        self._known[key] = SchemaOf(None, block)
        hint = f"`ignrun generate schema {chosen.entry}` writes `{os.path.basename(path)}`"  # noqa: PTH119
        summary = f"the `Config` of `{chosen.entry}` has no schema: its config is checked when it is applied"
        return SchemaOf(None, block, diagnostics=(block.below("entry").remark("IGN225", summary, hint=hint),))

    def _folder(self, spec: ModuleSpec) -> str:
        """Name the folder of the file that says which schema it is: with includes and overlays that may be another one."""
        return self._manifest.documents[spec.where.document].folder_of((*spec.where.path, "config_schema"))

    def _once(self, raw: Any, spot: Spot, folder: str, declared_by: str, roots: tuple[str, ...]) -> SchemaOf:
        key = (spot.document.file if spot.document else "", *spot.path)
        if key in self._known:
            return self._known[key]
        found = _Following(self._read, roots).ready(raw, spot, folder, declared_by)
        self._known[key] = msgspec.structs.replace(found, diagnostics=())
        return found


class _Following:
    """Follows one schema from file to file, below its roots and never in a circle; `read` notes the files."""

    def __init__(self, read: dict[str, InputFile], roots: tuple[str, ...]) -> None:
        self._read, self._roots = read, roots
        self._way: list[str] = []

    def ready(self, raw: Any, spot: Spot, folder: str, declared_by: str) -> SchemaOf:
        """Make a schema ready, or say at its place why it cannot be used."""
        file = _file_named(raw)
        if file is not None:
            return self._from_file(os.path.normpath(os.path.join(folder, file)), spot, declared_by)  # noqa: PTH118 - takes `..` out
        if not isinstance(raw, dict):
            found = spot.mistake_at_key("IGN223", "a config schema is an object")
            return SchemaOf(None, spot, declared_by, (found,))
        schema = ConfigSchema(raw)
        flaws = tuple(
            spot.below(*flaw.path).mistake(flaw.code, flaw.summary, hint=flaw.hint) for flaw in schema.flaws()
        )
        return SchemaOf(None if flaws else schema, spot, declared_by, flaws)

    def _from_file(self, path: str, spot: Spot, declared_by: str) -> SchemaOf:
        named = spot.below("$ref")
        if path in self._way:
            found = named.mistake("IGN223", f"the config schema leads to itself, through `{Path(path).name}`")
            return SchemaOf(None, spot, declared_by, (found,))
        self._way.append(path)
        read = read_document(path, self._roots)
        document = examined(read)
        if document is None:
            return SchemaOf(None, spot, declared_by, tuple(named.instead_of(one, path) for one in read.diagnostics))
        self._read[path] = InputFile(path, document.digest, "schema")
        return self.ready(document.tree, Spot(document), str(Path(path).parent), f"declared in `{path}`")


def _file_named(raw: Any) -> str | None:
    """Give the file that `{$ref: FILE}` names; a reference into the schema itself or to another machine is none."""
    ref = raw.get("$ref") if isinstance(raw, dict) and len(raw) == 1 else None
    return ref if isinstance(ref, str) and not ref.startswith("#") and "://" not in ref else None
