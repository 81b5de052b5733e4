"""Turns the modules of a manifest into a Selection: which definition, which version, which code."""

from collections.abc import Iterable
from pathlib import Path

from ignrun import __version__
from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Definition, Manifest, ModuleSpec
from ignrun.manifest.places import at_key, at_value
from ignrun.planner.catalog.definitions import Found, in_sources, installed
from ignrun.planner.catalog.entry import Eyes, Missing, find_code
from ignrun.planner.catalog.model import Chosen, Selection
from ignrun.planner.catalog.versions import highest, is_version, satisfies, specifier_of
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import Path as Way
from ignrun.terms.verdict import Verdict, judge

Versions = dict[str, dict[str, Definition]]
"""Definitions by id, then by version; where two places offer the same version the first one counts."""


def select(manifest: Manifest) -> Verdict[Selection]:
    """Choose definition and code for every enabled module.

    Definitions of the sources go before installed ones, which are looked for only when the sources do not satisfy a module;
    of several fitting versions the highest is taken. Code is found by reading, never by importing.
    """
    path = import_path(manifest)
    enabled = [spec for spec in manifest.modules.values() if spec.enabled]
    found = _candidates(manifest, enabled)
    versions = _by_version(found)
    eyes = Eyes.remembering()
    chosen: dict[str, Chosen] = {}
    diagnostics = list(found.diagnostics)
    for spec in enabled:
        if spec.uses is not None and spec.uses not in versions and (spec.uses in found.broken or not found.complete):
            continue  # why there is no such definition has been told already
        one = _choose(manifest, spec, versions, eyes)
        if isinstance(one, Diagnostic):
            diagnostics.append(one)
        elif one is not None:
            chosen[spec.name] = one
    codes = {one.code.file: one.code.digest for one in chosen.values() if one.code}
    files = (*found.files, *(InputFile(file, digest, "code") for file, digest in codes.items()))
    return judge(Selection(chosen, path, files), tuple(diagnostics))


def import_path(manifest: Manifest) -> tuple[str, ...]:
    """Give the folders that every host of a manifest has in front of its import path: its sources, then its own."""
    return tuple(dict.fromkeys([*(source.path for source in manifest.sources), manifest.folder]))


def _candidates(manifest: Manifest, modules: Iterable[ModuleSpec]) -> Found:
    wanted = [spec for spec in modules if spec.uses is not None]
    if not wanted:
        return Found()
    near = in_sources(manifest)
    versions = _by_version(near)
    if all(_chosen_version(spec, versions) for spec in wanted):
        return near
    far = installed()
    return Found(
        near.definitions + far.definitions,
        near.files + far.files,
        near.diagnostics + far.diagnostics,
        near.broken + far.broken,
        near.complete,
    )


def _by_version(found: Found) -> Versions:
    versions: Versions = {}
    for definition in found.definitions:
        versions.setdefault(definition.metadata.id, {}).setdefault(definition.metadata.version, definition)
    return versions


def _chosen_version(spec: ModuleSpec, versions: Versions) -> str | None:
    offered = [version for version in versions.get(spec.uses or "", {}) if is_version(version)]
    try:
        return highest(offered, spec.version or "")
    except ValueError:
        return None


def _choose(manifest: Manifest, spec: ModuleSpec, versions: Versions, eyes: Eyes) -> Chosen | Diagnostic | None:
    """Choose for one module; None for what is left of a block whose mistakes have been told already."""
    if spec.uses is not None:
        return _choose_definition(manifest, spec, versions, eyes)
    if spec.entry is None:
        return Chosen() if spec.command is not None else None
    code = find_code(spec.entry, import_path(manifest), (), eyes)
    if isinstance(code, Missing):
        return _wrong(manifest, spec, ("entry",), code)
    return Chosen(None, spec.entry, code)


def _choose_definition(manifest: Manifest, spec: ModuleSpec, versions: Versions, eyes: Eyes) -> Chosen | Diagnostic:
    refusal = _refusal(spec, versions)
    if refusal is not None:
        where, missing = refusal
        return _wrong(manifest, spec, where, missing)
    definition = versions[spec.uses or ""][_chosen_version(spec, versions) or ""]
    path = import_path(manifest)
    code = find_code(definition.entry, path, _folders_of(definition, path), eyes)
    if isinstance(code, Missing):
        return at_value(definition.document, ("entry",), code.code, code.summary, hint=code.hint)
    unmet = _unmet_release(definition)
    return unmet or Chosen(definition, definition.entry, code)


def _refusal(spec: ModuleSpec, versions: Versions) -> tuple[Way, Missing] | None:
    """Say why no definition fits a module, and at which of its keys."""
    uses, offered = spec.uses or "", versions.get(spec.uses or "", {})
    if not offered:
        hint = did_you_mean(uses, versions) or "it is neither in a folder of `sources` nor installed"
        return ("uses",), Missing("IGN302", f"there is no definition `{uses}`", hint)
    try:
        specifier_of(spec.version or "")
    except ValueError as error:
        return ("version",), Missing("IGN206", str(error), "write it like `>=1.2,<2`, `^1.2` or `~1.2`")
    if _chosen_version(spec, versions) is None:
        summary = f"no version of `{uses}` satisfies `{spec.version}`"
        return ("version",), Missing("IGN313", summary, f"there is {', '.join(f'`{one}`' for one in sorted(offered))}")
    return None


def _folders_of(definition: Definition, path: tuple[str, ...]) -> tuple[str, ...]:
    """Name the folders beside a definition that its code may be imported from: its own, then those up to the source it is in."""
    own = Path(definition.folder)
    above = [str(parent) for parent in own.parents if any(parent.is_relative_to(folder) for folder in path)]
    return (definition.folder, *above)


def _unmet_release(definition: Definition) -> Diagnostic | None:
    wanted = definition.requires_ignrun
    try:
        if satisfies(__version__, wanted):
            return None
    except ValueError as error:
        return at_value(definition.document, ("requires_ignrun",), "IGN206", str(error))
    summary = f"`{definition.metadata.id}` needs ignrun {wanted}; this is {__version__}"
    return at_value(definition.document, ("requires_ignrun",), "IGN313", summary)


def _wrong(manifest: Manifest, spec: ModuleSpec, way: Way, missing: Missing) -> Diagnostic:
    document = manifest.documents[spec.where.document]
    return at_key(document, (*spec.where.path, *way), missing.code, missing.summary, hint=missing.hint)
