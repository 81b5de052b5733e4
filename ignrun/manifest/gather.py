"""Reads everything that a manifest is written in: its own file, what it includes, and the overlays of the modes that are asked for."""

import os
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Final

import msgspec

from ignrun.manifest.cache import parsed
from ignrun.manifest.document import Document
from ignrun.manifest.files import Roots, read_text
from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.manifest.places import at_value
from ignrun.manifest.seen import matches, saw
from ignrun.manifest.shape import ManifestText, OverlayText
from ignrun.manifest.shaping import Shaped, shape_of
from ignrun.terms.diagnostics import Diagnostic, Note, Severity, diagnose
from ignrun.terms.hints import did_you_mean
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Rejected, Verdict, examined

MODES: Final = "modes"
LOCAL: Final = "local"
MAX_FILES: Final = 2_000
MAX_LEVELS: Final = 64
_OF_WHOLE_FILES: Final = frozenset({"IGN101", "IGN102", "IGN103", "IGN104", "IGN107"})
_SUFFIX: Final = ".yaml"
_WILD: Final = frozenset("*?[")


class Gathered(msgspec.Struct, frozen=True):
    """What was read: the manifest and its includes in order of reading, the overlays weakest first, and what is wrong with them."""

    manifests: tuple[Shaped[ManifestText], ...]
    overlays: tuple[Shaped[OverlayText], ...]
    files: tuple[InputFile, ...]
    diagnostics: tuple[Diagnostic, ...]


def gather(inputs: Inputs) -> Gathered:
    """Read the manifest that `inputs` name and all that belongs to it; no manifests when there is no document."""
    reading = _Reading(inputs)
    root = reading.document(inputs.manifest, "manifest", whole=True)
    if root is not None:
        reading.begin(root)
        reading.modes()
    return Gathered(tuple(reading.manifests), tuple(reading.overlays), tuple(reading.files), tuple(reading.diagnostics))


def modes_of(manifest: str) -> tuple[str, ...]:
    """Name the modes that lie beside a manifest, without the local one."""
    folder = FilePath(manifest).parent / MODES
    found = sorted(one.stem for one in folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []
    return tuple(name for name in found if name != LOCAL)


def read_document(path: str, root: str | tuple[str, ...] | Roots = "") -> Verdict[Document | None]:
    """Read one YAML (or JSON) file as a document; with `root`, only when it really lies below that folder (one of them)."""
    read = read_text(path, root)
    text = examined(read)
    return Rejected(None, read.diagnostics) if text is None else parsed(text)


class _Include(msgspec.Struct, frozen=True):
    """One item of `include`: the document that says it, and which one it is."""

    document: Document
    number: int

    @property
    def span(self) -> Span:
        return self.document.value_span(("include", self.number))

    def mistake(self, code: str, summary: str, **more: object) -> Diagnostic:
        return at_value(self.document, ("include", self.number), code, summary, **more)  # type: ignore[arg-type]


class _Reading:
    """One walk from a manifest through everything that it names."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._roots = Roots.of((inputs.root, *inputs.allowed) if inputs.root else ())
        self._known: set[str] = set()
        self.manifests: list[Shaped[ManifestText]] = []
        self.overlays: list[Shaped[OverlayText]] = []
        self.files: list[InputFile] = []
        self.diagnostics: list[Diagnostic] = []

    def document(self, path: str, role: str, *, whole: bool = False, asked: _Include | None = None) -> Document | None:
        """Read one file; `whole` takes it from wherever it lies, what is wrong with all of it is told where it is `asked` for."""
        read = read_document(path, Roots() if whole else self._roots)
        found = examined(read)
        self.diagnostics += [_told(one, path, asked) for one in read.diagnostics]
        if found is not None:
            self.files.append(InputFile(path, found.digest, role))
        return found

    def begin(self, root: Document) -> None:
        """Take the manifest that all others are included by."""
        self._known.add(os.path.realpath(root.file))
        self.manifest(root, ())

    def manifest(self, document: Document, above: tuple[tuple[str, _Include], ...]) -> None:
        """Take one manifest and go on with what it includes; `above` is the way to it, each file with the item that names the next."""
        shaped = shape_of(document, ManifestText)
        self.manifests.append(shaped)
        self.diagnostics += shaped.diagnostics
        patterns = document.tree.get("include") if isinstance(document.tree, dict) else None
        for number, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
            if isinstance(pattern, str) and pattern and ("include", number) not in shaped.wrong:
                self._include(document, _Include(document, number), pattern, above)

    def _include(
        self, document: Document, item: _Include, pattern: str, above: tuple[tuple[str, _Include], ...]
    ) -> None:
        way = (*above, (os.path.realpath(document.file), item))
        if len(way) > MAX_LEVELS:
            self.diagnostics.append(item.mistake("IGN113", f"more than {MAX_LEVELS} files include each other in a row"))
            return
        for path in self._matches(item, pattern):
            real = os.path.realpath(path)
            circle = [place for place, _ in way]
            if real in circle:
                if not _is_wild(pattern):
                    self.diagnostics.append(_circle(way[circle.index(real) :], item))
            elif real not in self._known:
                self._known.add(real)
                found = self.document(path, "include", asked=item)
                if found is not None:
                    self.manifest(found, way)

    def _matches(self, item: _Include, pattern: str) -> Iterator[str]:
        """Give the files that an item names, absolute and sorted; a pattern that matches nothing is worth a warning."""
        folder = os.path.dirname(item.document.file)  # noqa: PTH120 - kept as it is written
        if not _is_wild(pattern) or "\0" in pattern:
            yield absolute(folder, pattern)
            return
        listed = (absolute(folder, one) for one in matches(folder, pattern))
        found = sorted(one for one in listed if os.path.isfile(one))  # noqa: PTH113 - as it is written
        if not found:
            summary = f"no file matches `{pattern}`"
            self.diagnostics.append(item.mistake("IGN130", summary, severity=Severity.WARNING))
        if len(self._known) + len(found) > MAX_FILES:
            self.diagnostics.append(item.mistake("IGN114", f"the manifest would have more than {MAX_FILES:,} files"))
            return
        yield from found

    def modes(self) -> None:
        """Read the overlays of the modes, in the order in which they are asked for; the local one comes last where it is there."""
        folder = FilePath(self._inputs.manifest).parent / MODES
        for number, mode in enumerate(dict.fromkeys(self._inputs.modes), 1):
            if mode == LOCAL:
                continue
            known = modes_of(self._inputs.manifest)
            if mode in known:
                self._overlay(str(folder / f"{mode}{_SUFFIX}"))
            else:
                saw(str(folder / f"{mode}{_SUFFIX}"), "")
                self.diagnostics.append(_no_mode(number, mode, known))
        local = folder / f"{LOCAL}{_SUFFIX}"
        saw(str(local), "")
        if local.is_file():
            self._overlay(str(local))

    def _overlay(self, path: str) -> None:
        document = self.document(path, "overlay")
        if document is not None:
            shaped = shape_of(document, OverlayText)
            self.overlays.append(shaped)
            self.diagnostics += shaped.diagnostics


def absolute(folder: str, path: str) -> str:
    """Join a path as it is written to the folder of its document, `..` taken out."""
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118 - pathlib cannot take `..` out


def _is_wild(pattern: str) -> bool:
    return not _WILD.isdisjoint(pattern)


def _told(found: Diagnostic, path: str, asked: _Include | None) -> Diagnostic:
    """Move a mistake that concerns a whole included file to the item that names it."""
    if asked is None or found.span.file != path or found.code not in _OF_WHOLE_FILES:
        return found
    return asked.mistake(found.code, found.summary, hint=found.hint)


def _circle(way: tuple[tuple[str, _Include], ...], last: _Include) -> Diagnostic:
    """Describe a circle of includes at the item that closes it, with the place of every other one."""
    names = [FilePath(file).name for file, _ in way]
    shown = " -> ".join(f"`{name}`" for name in (*names, names[0]))
    notes = [
        Note(f"`{name}` includes `{after}`", item.span)
        for name, after, (_, item) in zip(names, (*names[1:], names[0]), way, strict=True)
    ]
    return last.mistake("IGN131", f"includes form a cycle: {shown}", hint="remove one of them", notes=notes)


def _no_mode(number: int, mode: str, known: tuple[str, ...]) -> Diagnostic:
    span = Span("--mode", number, 1, len(mode) + 1)
    hint = did_you_mean(mode, known) or (
        f"there is {', '.join(f'`{one}`' for one in known)}" if known else f"there is no folder `{MODES}`"
    )
    return diagnose(span, "IGN133", f"there is no mode `{mode}`: no file `{MODES}/{mode}{_SUFFIX}`", hint=hint)
