"""Turns the modules of a manifest into a Selection: which definition, which version, which code."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ignrun.manifest.cache import in_use
from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Definition, Manifest, ModuleSpec, SlotSpec
from ignrun.manifest.places import at_key, at_span, at_value
from ignrun.planner.catalog.candidates import Candidates, gather
from ignrun.planner.catalog.entry import Eyes, Missing, find_code
from ignrun.planner.catalog.lock import Lock, disagreements, read_lock
from ignrun.planner.catalog.model import Chosen, Pin, Provenance, Selection
from ignrun.planner.catalog.outlines import Outlines
from ignrun.planner.catalog.platform import canonical, provided, unmet
from ignrun.planner.catalog.reach import Reaching
from ignrun.planner.catalog.versions import ranked
from ignrun.terms.diagnostics import Diagnostic, Note, has_errors
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import Path as Way
from ignrun.terms.verdict import Verdict, judge

if TYPE_CHECKING:
    from ignrun.planner.catalog.resolve import Ask


def select(manifest: Manifest, *, locked: bool = False, relock: bool = False) -> Verdict[Selection]:
    """Choose definition and code for every enabled module.

    Of all visible definitions one version of each is taken, so that every requirement is satisfied: those of the lock, where they
    still fit, else the highest. With `locked` the lock has to be there and to say the same, with `relock` it does not count.
    Code is found by reading, never by importing.
    """
    enabled = [spec for spec in manifest.modules.values() if spec.enabled]
    candidates = gather(manifest, {spec.uses for spec in enabled if spec.uses is not None})
    lock = Lock("") if relock else read_lock(manifest)
    picked = _Picked(manifest, candidates, lock.versions)
    picked.settle([spec for spec in enabled if spec.uses is not None])
    outlines = Outlines(in_use())
    eyes = Eyes.remembering(outlines)
    reaching = Reaching(import_path(manifest), eyes)
    chosen: dict[str, Chosen] = {}
    diagnostics = [*candidates.found.diagnostics, *picked.diagnostics]
    for spec in enabled:
        one = _choose(manifest, spec, picked.definitions, candidates, eyes)
        if isinstance(one, Diagnostic):
            diagnostics.append(one)
        elif one is not None:
            chosen[spec.name] = reaching.followed(one)
    diagnostics += _beside_the_platform(manifest, picked.definitions)
    pins = tuple(_pins(chosen.values(), candidates))
    diagnostics += lock.diagnostics
    if locked or lock.document is not None:
        diagnostics += [] if has_errors(diagnostics) else disagreements(manifest, lock, pins, locked=locked)
    code = reaching.code
    outlines.keep()
    read = {one.code.file: one.code.digest for one in chosen.values() if one.code}
    read |= {file: digest for index in code.values() for file, digest in index.files.items()}
    files = (*candidates.found.files, *lock.files, *(InputFile(file, digest, "code") for file, digest in read.items()))
    return judge(Selection(chosen, import_path(manifest), files, pins, code), tuple(diagnostics))


def _pins(chosen: Iterable[Chosen], candidates: Candidates) -> Iterator[Pin]:
    """Say what a lock would say of each definition in use."""
    seen: set[str] = set()
    for one in chosen:
        definition, code = one.definition, one.code
        if definition is None or code is None or definition.metadata.id in seen:
            continue
        seen.add(definition.metadata.id)
        whence = candidates.provenance[definition.document.file]
        own = code.digest if whence.place != "sources" else ""
        digest = whence.digest or definition.document.digest
        yield Pin(definition.metadata.id, definition.metadata.version, whence.place, digest, own)


class _Picked:
    """Settles which definition stands for each id; `definitions` lacks those of which something is wrong."""

    def __init__(self, manifest: Manifest, candidates: Candidates, preferred: dict[str, str]) -> None:
        self._manifest, self._candidates, self._preferred = manifest, candidates, preferred
        self.definitions: dict[str, Definition] = {}
        self.diagnostics: list[Diagnostic] = []

    def settle(self, specs: list[ModuleSpec]) -> None:
        """Choose one version of each id that the modules use; what clashes is told once and left out of the rest."""
        if not specs:
            return  # the resolver is imported by those only who need it
        from ignrun.planner.catalog.clash import explained
        from ignrun.planner.catalog.resolve import Clash, resolve

        firsts: dict[tuple[str, str], ModuleSpec] = {}
        for spec in specs:
            key = (canonical(spec.uses or ""), spec.version or "")
            if key not in firsts and self._satisfiable(spec):
                firsts[key] = spec
        roots = [self._ask(spec) for spec in firsts.values()]
        versions = self._candidates.versions
        while roots:
            result = resolve(roots, versions, self._preferred)
            if not isinstance(result, Clash):
                self.definitions = {identifier: versions[identifier][one] for identifier, one in result.items()}
                return
            self.diagnostics.append(explained(self._manifest, result, roots, versions))
            guilty = {one.id for one in result.asks} | {
                one.asker[0] for one in result.asks if not isinstance(one.asker, str)
            }
            roots = [one for one in roots if one.id not in guilty]

    def _ask(self, spec: ModuleSpec) -> "Ask":
        from ignrun.planner.catalog.resolve import Ask

        document = self._manifest.documents[spec.where.document]
        key = "version" if spec.version else "uses"
        span = document.value_span((*spec.where.path, key))
        return Ask(canonical(spec.uses or ""), spec.version or "", spec.name, span)

    def _satisfiable(self, spec: ModuleSpec) -> bool:
        """Tell whether any definition fits a module by itself; if not, say so unless the reason has been told."""
        identifier = canonical(spec.uses or "")
        offered = self._candidates.versions.get(identifier, {})
        refused = self._candidates.refused.get(identifier, [])
        found = self._candidates.found
        if not offered and not refused and (spec.uses in found.broken or not found.complete):
            return False
        try:
            fits = bool(ranked(offered, [spec.version or ""]))
            too_new = [why for one, why in refused if ranked([one.metadata.version], [spec.version or ""])]
        except ValueError as error:
            wrong = Missing("IGN206", str(error), "write it like `>=1.2,<2`, `^1.2` or `~1.2`")
            self.diagnostics.append(_wrong(self._manifest, spec, ("version",), wrong))
            return False
        if not fits:
            self.diagnostics += too_new or [_wrong(self._manifest, spec, *self._refusal(spec, offered))]
        return fits

    def _refusal(self, spec: ModuleSpec, offered: Iterable[str]) -> tuple[Way, Missing]:
        uses = spec.uses or ""
        if offered:
            summary = f"no version of `{uses}` satisfies `{spec.version}`"
            return ("version",), Missing("IGN313", summary, f"there is {_listed(offered)}")
        if provided(uses):
            hint = "bind to it through a slot; the platform runs it, not ignrun"
            return ("uses",), Missing("IGN302", f"`{uses}` is part of the platform and no module of a manifest", hint)
        hint = did_you_mean(uses, self._candidates.ids) or "it is neither in `sources` nor in a catalog nor installed"
        return ("uses",), Missing("IGN302", f"there is no definition `{uses}`", hint)


def _listed(versions: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in reversed(ranked(versions, [""])))


def import_path(manifest: Manifest) -> tuple[str, ...]:
    """Give the folders that every host of a manifest has in front of its import path: its sources, then its own."""
    return tuple(dict.fromkeys([*(source.path for source in manifest.sources), manifest.folder]))


def _choose(
    manifest: Manifest, spec: ModuleSpec, definitions: dict[str, Definition], candidates: Candidates, eyes: Eyes
) -> Chosen | Diagnostic | None:
    """Choose for one module; None for what is left of a block whose mistakes have been told already."""
    if spec.uses is not None:
        definition = definitions.get(canonical(spec.uses))
        return None if definition is None else _with_code(manifest, definition, candidates.provenance, eyes)
    if spec.entry is None:
        return Chosen() if spec.command is not None else None
    code = find_code(spec.entry, import_path(manifest), (), eyes)
    if isinstance(code, Missing):
        return _wrong(manifest, spec, ("entry",), code)
    return Chosen(None, spec.entry, code)


def _with_code(
    manifest: Manifest, definition: Definition, provenance: dict[str, Provenance], eyes: Eyes
) -> Chosen | Diagnostic:
    path = import_path(manifest)
    root = provenance[definition.document.file].root
    code = find_code(definition.entry, path, (root,) if root else folders_of(definition, path), eyes)
    if isinstance(code, Missing):
        return at_value(definition.document, ("entry",), code.code, code.summary, hint=code.hint)
    return Chosen(definition, definition.entry, code)


def folders_of(definition: Definition, path: tuple[str, ...]) -> tuple[str, ...]:
    """Name the folders beside a definition that its code may be imported from: its own, then those up to the source it is in."""
    own = Path(definition.folder)
    above = [str(parent) for parent in own.parents if any(parent.is_relative_to(folder) for folder in path)]
    return (definition.folder, *above)


def _beside_the_platform(manifest: Manifest, definitions: dict[str, Definition]) -> Iterator[Diagnostic]:
    """Check the slots that the platform fills against its version, where the manifest says which that is."""
    for definition in definitions.values():
        for slot in definition.slots:
            if slot.required and provided(slot.uses) and canonical(slot.uses) not in definitions:
                yield from _too_old(manifest, definition, slot)


def _too_old(manifest: Manifest, definition: Definition, slot: SlotSpec) -> Iterator[Diagnostic]:
    platform, span = manifest.platform, slot.span
    try:
        if not unmet(platform.ignition, slot.version):
            return
    except ValueError as error:
        yield at_span(definition.document, span, "IGN206", str(error))
        return
    wish = f"`{canonical(slot.uses)}` {slot.version}"
    summary = f"`{definition.metadata.id}` asks for {wish}; the platform is {platform.ignition}"
    notes = (Note("the platform is declared here", platform.span),) if platform.span else ()
    yield at_span(definition.document, span, "IGN313", summary, notes=notes)


def _wrong(manifest: Manifest, spec: ModuleSpec, way: Way, missing: Missing) -> Diagnostic:
    document = manifest.documents[spec.where.document]
    return at_key(document, (*spec.where.path, *way), missing.code, missing.summary, hint=missing.hint)
