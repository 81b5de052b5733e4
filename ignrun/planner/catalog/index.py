"""Finds definitions through catalog indexes: folders with a list of what lies in them and what its hash has to be."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ignrun.manifest.document import Document
from ignrun.manifest.files import TextFile, below
from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Definition, Manifest, Source
from ignrun.manifest.places import at_key, at_span, at_value
from ignrun.manifest.read import definition_in, read_document
from ignrun.planner.catalog.archive import Unusable, is_archive, members, read_member
from ignrun.planner.catalog.definitions import FILE_NAME, GROUP, Found
from ignrun.planner.catalog.locate import entries_of
from ignrun.planner.catalog.model import Provenance
from ignrun.planner.catalog.platform import canonical
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.verdict import Accepted, examined

INDEX_NAMES: Final = ("index.yaml", "index.yml", "index.json")
_KEYS: Final = ("id", "version", "path", "sha256")
_HASH: Final = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})\Z")
_SKIPPED: Final = frozenset({"__pycache__"})


def in_indexes(manifest: Manifest, ids: frozenset[str] | None) -> tuple[Found, dict[str, Provenance]]:
    """Read the definitions with the ids `ids` (None: all) of every catalog, each only when its hash is right; gives whence each file is."""
    looked = _Looked(ids)
    for catalog in manifest.catalog:
        looked.into(manifest, catalog)
    found = Found(
        tuple(looked.definitions), tuple(looked.files), tuple(looked.diagnostics), tuple(looked.broken), looked.complete
    )
    return found, looked.provenance


class _Looked:
    """What one look into all catalogs gathers."""

    def __init__(self, ids: frozenset[str] | None) -> None:
        self._ids = ids
        self.definitions: list[Definition] = []
        self.files: list[InputFile] = []
        self.diagnostics: list[Diagnostic] = []
        self.broken: list[str] = []
        self.complete = True
        self.provenance: dict[str, Provenance] = {}

    def into(self, manifest: Manifest, catalog: Source) -> None:
        """Read one index and what it lists of interest."""
        file = _index_file(catalog.path)
        if file is None:
            self.complete = False
            self.diagnostics.append(_no_index(manifest, catalog))
            return
        read = read_document(file)
        self.diagnostics += read.diagnostics
        document = examined(read)
        if document is None:
            self.complete = False
            return
        self.files.append(InputFile(file, document.digest, "definition"))
        for number, entry in self._entries(document):
            if self._ids is None or canonical(entry["id"]) in self._ids:
                self._take(document, ("definitions", number), entry)

    def _entries(self, document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
        listed = document.tree.get("definitions") if isinstance(document.tree, dict) else None
        if not isinstance(listed, list):
            self._refuse(document, ("definitions",), "an index has a list `definitions`")
            return
        for number, entry in enumerate(listed):
            lacking = [key for key in _KEYS if not isinstance(entry, dict) or not isinstance(entry.get(key), str)]
            if lacking:
                what = f"an entry has the texts {', '.join(f'`{key}`' for key in _KEYS)}; `{lacking[0]}` is missing"
                self._refuse(document, ("definitions", number), what)
            else:
                yield number, entry

    def _take(self, document: Document, way: tuple[str | int, ...], entry: dict[str, Any]) -> None:
        """Read the definition of one entry once its hash is known to be right."""
        folder = str(Path(document.file).parent)
        path = os.path.normpath(os.path.join(folder, entry["path"]))  # noqa: PTH118 - pathlib cannot take `..` out
        written = _HASH.match(entry["sha256"])
        if "://" in entry["path"] or not below(path, folder):
            self._refuse(document, (*way, "path"), f"`{entry['path']}` does not lie below the index", entry["id"])
            return
        if written is None:
            self._refuse(document, (*way, "sha256"), "a hash has 64 hexadecimal digits", entry["id"])
            return
        try:
            digest = digest_of_artifact(path)
            text, root = _definition_text(path)
        except (OSError, Unusable) as error:
            why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            self._refuse(document, (*way, "path"), f"`{entry['path']}` cannot be used: {why}", entry["id"])
            return
        if digest != written[1].lower():
            summary = f"the hash of `{entry['path']}` is not the one that the index gives"
            hint = f"it is {digest}; somebody changed the file, or the index is out of date"
            self.diagnostics.append(at_value(document, (*way, "sha256"), "IGN332", summary, hint=hint))
            self.broken.append(canonical(entry["id"]))
            return
        self._read(document, way, entry, text, Provenance("catalog", root, digest))

    def _read(
        self, document: Document, way: tuple[str | int, ...], entry: dict[str, Any], text: TextFile, whence: Provenance
    ) -> None:
        verdict = definition_in(text)
        definition = verdict.value if isinstance(verdict, Accepted) else None
        if definition is None:
            self.diagnostics += verdict.diagnostics
            self.broken.append(canonical(entry["id"]))
            return
        said = (canonical(definition.metadata.id), definition.metadata.version)
        if said != (canonical(entry["id"]), entry["version"]):
            what = f"`{entry['path']}` defines `{said[0]}` {said[1]}, not what the index says"
            self._refuse(document, (*way, "id"), what, entry["id"])
            return
        self.definitions.append(definition)
        self.files.append(InputFile(text.path, text.digest, "definition"))
        self.provenance[text.path] = whence

    def _refuse(self, document: Document, way: tuple[str | int, ...], summary: str, identifier: str = "") -> None:
        make = at_key if way and isinstance(way[-1], str) and not identifier else at_value
        self.diagnostics.append(make(document, way, "IGN333", summary))
        self.complete = self.complete and bool(identifier)
        if identifier:
            self.broken.append(canonical(identifier))


def _index_file(path: str) -> str | None:
    if Path(path).is_file():
        return path
    return next((str(Path(path, name)) for name in INDEX_NAMES if Path(path, name).is_file()), None)


def _no_index(manifest: Manifest, catalog: Source) -> Diagnostic:
    document = next((one for one in manifest.documents if one.file == catalog.span.file), manifest.documents[0])
    hint = "it lists `definitions` with `id`, `version`, `path` and `sha256`; nothing is fetched from the network"
    return at_span(
        document, catalog.span, "IGN314", f"there is no `index.yaml` in the catalog `{catalog.path}`", hint=hint
    )


def digest_of_artifact(path: str) -> str:
    """Give the SHA-256 (hex) of a file; of a folder that of the lines `HASH  NAME` of all files in it, sorted by name."""
    place = Path(path)
    if not place.is_dir():
        return _digest_of_file(place)
    files = sorted(
        (one for one in place.rglob("*") if one.is_file() and _SKIPPED.isdisjoint(one.parts)),
        key=lambda one: one.relative_to(place).as_posix(),
    )
    lines = (f"{_digest_of_file(one)}  {one.relative_to(place).as_posix()}\n" for one in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _definition_text(path: str) -> tuple[TextFile, str]:
    """Find `module.yaml` in a folder, an archive or at the path itself; gives its text and whence its code is imported."""
    place = Path(path)
    if is_archive(path):
        name = _member_of(path)
        return _text(f"{path}/{name}", read_member(path, name)), path
    file = place / FILE_NAME if place.is_dir() else place
    return _text(str(file), file.read_bytes()), str(file.parent)


def _text(path: str, data: bytes) -> TextFile:
    try:
        return TextFile(path, data.decode("utf-8").removeprefix("\ufeff"), hashlib.sha256(data).hexdigest())
    except UnicodeDecodeError as error:
        raise Unusable(f"`{path}` is not UTF-8") from error


def _member_of(archive: str) -> str:
    """Find the one definition in an archive: where the entry points of a wheel lead, else the shortest path to one."""
    names = members(archive)
    listed = next((name for name in sorted(names) if name.endswith(".dist-info/entry_points.txt")), None)
    if listed is not None:
        text = read_member(archive, listed).decode("utf-8", "replace")
        for _, package in entries_of(text, f"[{GROUP}]"):
            name = f"{package.replace('.', '/')}/{FILE_NAME}"
            if name in names:
                return name
    found = sorted(
        (name for name in names if name.split("/")[-1] == FILE_NAME), key=lambda name: (name.count("/"), name)
    )
    if not found:
        raise Unusable(f"there is no `{FILE_NAME}` in it")
    return found[0]
