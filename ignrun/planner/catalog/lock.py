"""Owns `ignrun.lock`: which version and hash of each definition was chosen, and whether that still holds."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.manifest.document import Document
from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Manifest
from ignrun.manifest.places import at_file, at_key, at_value
from ignrun.manifest.read import read_document
from ignrun.manifest.seen import saw
from ignrun.planner.catalog.model import Pin
from ignrun.terms.diagnostics import Diagnostic, Severity
from ignrun.terms.leaves import Path as Way
from ignrun.terms.verdict import examined

NAME: Final = "ignrun.lock"
FORMAT: Final = 1
_HEAD: Final = (
    "# Written by `ignrun lock`: the versions that were chosen, and their hashes. Keep it under version control.\n"
)
_RELOCK: Final = "`ignrun lock` writes it anew"


class Lock(msgspec.Struct, frozen=True):
    """A lock as it was read: pins by id, and the document for places; None where there is none."""

    file: str
    pins: dict[str, Pin] = {}
    document: Document | None = None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def versions(self) -> dict[str, str]:
        """The version of each pinned id."""
        return {identifier: pin.version for identifier, pin in self.pins.items()}

    @property
    def files(self) -> tuple[InputFile, ...]:
        """The lock as an input of the plan."""
        return (InputFile(self.file, self.document.digest, "lock"),) if self.document else ()


def lock_text(pins: Iterable[Pin]) -> str:
    """Write pins as the text of a lock: the same pins give the same text."""
    lines = [_HEAD, f"version: {FORMAT}\n"]
    ordered = sorted(pins, key=lambda pin: pin.id)
    lines.append("definitions:\n" if ordered else "definitions: {}\n")
    for pin in ordered:
        lines.append(f"  {json.dumps(pin.id)}:\n    version: {json.dumps(pin.version)}\n    place: {pin.place}\n")
        lines.append(f"    sha256: {json.dumps(pin.sha256)}\n")
        lines += [f"    code: {json.dumps(pin.code)}\n"] if pin.code else []
    return "".join(lines)


def read_lock(manifest: Manifest) -> Lock:
    """Read the lock beside a manifest; what is wrong with it is told at its place."""
    file = str(Path(manifest.folder, NAME))
    if not Path(file).exists():
        saw(file, "")
        return Lock(file)
    read = read_document(file)
    document = examined(read)
    if document is None:
        return Lock(file, diagnostics=read.diagnostics)
    pins, wrong = _pins(document)
    return Lock(file, pins, document, (*read.diagnostics, *wrong))


def _pins(document: Document) -> tuple[dict[str, Pin], tuple[Diagnostic, ...]]:
    tree = document.tree if isinstance(document.tree, dict) else {}
    listed = tree.get("definitions")
    if tree.get("version") != FORMAT or not isinstance(listed, dict):
        summary = f"this is no lock of version {FORMAT}"
        return {}, (at_file(document.file, "IGN331", summary, hint=_RELOCK),)
    pins, wrong = dict[str, Pin](), list[Diagnostic]()
    for identifier, written in listed.items():
        try:
            pins[identifier] = msgspec.convert({"id": identifier, **_block(written)}, Pin)
        except msgspec.ValidationError as error:
            summary = f"the entry of `{identifier}` is not one of a lock: {error}"
            wrong.append(at_key(document, ("definitions", identifier), "IGN331", summary, hint=_RELOCK))
    return pins, tuple(wrong)


def _block(written: Any) -> dict[str, Any]:
    return written if isinstance(written, dict) else {}


def disagreements(manifest: Manifest, lock: Lock, pins: Iterable[Pin], *, locked: bool) -> Iterator[Diagnostic]:
    """Say where a lock and what was chosen differ: errors when `locked`, else a warning for a hash and remarks for versions."""
    if lock.document is None:
        if locked and not lock.diagnostics:
            hint = "write it with `ignrun lock`, or leave `--locked` out"
            yield at_file(manifest.documents[0].file, "IGN331", f"there is no `{NAME}` beside the manifest", hint=hint)
        return
    chosen = {pin.id: pin for pin in pins}
    for identifier, pin in chosen.items():
        yield from _of_one(lock.document, lock.pins.get(identifier), pin, locked=locked)
    for identifier in lock.pins if locked else ():
        if identifier not in chosen:
            summary = f"the lock holds `{identifier}`, which nothing uses"
            yield at_key(lock.document, ("definitions", identifier), "IGN331", summary, hint=_RELOCK)


def _of_one(document: Document, held: Pin | None, pin: Pin, *, locked: bool) -> Iterator[Diagnostic]:
    way: Way = ("definitions", pin.id)
    if held is None:
        if locked:
            summary = f"the lock lacks `{pin.id}` {pin.version}"
            yield at_key(document, ("definitions",), "IGN331", summary, hint=_RELOCK)
    elif held.version != pin.version:
        summary = f"the lock holds `{pin.id}` {held.version}, which does not fit any more: {pin.version} does"
        severity = Severity.ERROR if locked else Severity.REMARK
        yield at_value(document, (*way, "version"), "IGN331", summary, hint=_RELOCK, severity=severity)
    else:
        severity = Severity.ERROR if locked else Severity.WARNING
        for key, what in (("sha256", "the definition"), ("code", "the code")):
            if getattr(held, key) != getattr(pin, key):
                summary = f"{what} of `{pin.id}` {pin.version} is not the one that was locked"
                yield at_value(document, (*way, key), "IGN332", summary, hint=_RELOCK, severity=severity)
