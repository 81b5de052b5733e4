"""Finds definitions (`module.yaml`) in the sources of a manifest and in installed distributions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Definition, Manifest, Source
from ignrun.manifest.places import at_span, at_value
from ignrun.manifest.read import read_definition
from ignrun.manifest.seen import FOLDERS, matches, saw
from ignrun.planner.catalog.locate import entry_points, package_folders
from ignrun.terms.diagnostics import Diagnostic, Note
from ignrun.terms.verdict import Accepted, Rejected

FILE_NAME: Final = "module.yaml"
GROUP: Final = "ignrun.modules"
_DEPTH: Final = 4


class Found(msgspec.Struct, frozen=True):
    """The definitions of one kind of place, in the order in which they were met; `broken` are the ids of unsound ones.

    Not `complete` means that some place could not be looked into.
    """

    definitions: tuple[Definition, ...] = ()
    files: tuple[InputFile, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    broken: tuple[str, ...] = ()
    complete: bool = True


def in_sources(manifest: Manifest) -> Found:
    """Read every `module.yaml` in and below the sources of a manifest; a source that is no folder is a mistake at its place."""
    missing = tuple(_missing(manifest, source) for source in manifest.sources if not Path(source.path).is_dir())
    files = [file for source in manifest.sources for file in _below(source.path, _DEPTH)]
    found = _read(files, missing)
    return msgspec.structs.replace(
        found, diagnostics=(*found.diagnostics, *_repeated(found.definitions)), complete=not missing
    )


def installed() -> Found:
    """Read the `module.yaml` of every package that an installed distribution names; nothing is imported."""
    folders = [folder for _, package in entry_points(GROUP) for folder in package_folders(package)]
    return _read([str(folder / FILE_NAME) for folder in folders if (folder / FILE_NAME).is_file()])


def _missing(manifest: Manifest, source: Source) -> Diagnostic:
    document = next(one for one in manifest.documents if one.file == source.span.file)
    return at_span(document, source.span, "IGN314", f"the source `{source.path}` is not a folder")


def _repeated(definitions: tuple[Definition, ...]) -> Iterator[Diagnostic]:
    """Complain of every definition whose id and version another one has, too."""
    first: dict[tuple[str, str], Definition] = {}
    for one in definitions:
        key = (one.metadata.id, one.metadata.version)
        other = first.setdefault(key, one)
        if other is not one:
            summary = f"`{key[0]}` {key[1]} is declared twice"
            note = Note("the other one is here", other.span)
            yield at_value(one.document, ("metadata", "id"), "IGN315", summary, notes=(note,))


def _below(folder: str, depth: int) -> Iterator[str]:
    file = Path(folder, FILE_NAME)
    saw(str(file), "")
    if file.is_file():
        yield str(file)
    for name in matches(folder, FOLDERS) if depth else ():
        yield from _below(str(Path(folder, name)), depth - 1)


def _read(files: list[str], diagnostics: tuple[Diagnostic, ...] = ()) -> Found:
    verdicts = [read_definition(file) for file in dict.fromkeys(files)]
    sound = tuple(verdict.value for verdict in verdicts if isinstance(verdict, Accepted) and verdict.value is not None)
    return Found(
        sound,
        tuple(InputFile(one.document.file, one.document.digest, "definition") for one in sound),
        diagnostics + tuple(diagnostic for verdict in verdicts for diagnostic in verdict.diagnostics),
        tuple(one.sound.metadata.id for one in verdicts if isinstance(one, Rejected) and one.sound is not None),
    )
