"""Keeps documents that were parsed by the digest of their text, so that an unchanged text is not parsed again."""

import contextlib
import os
import secrets
import zlib
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from ignrun import __version__
from ignrun.manifest.document import Document
from ignrun.manifest.files import TextFile
from ignrun.manifest.lines import lines_of
from ignrun.terms.verdict import Accepted, Verdict

T = TypeVar("T")

FORMAT: Final = f"1 {__version__}"
_MOST: Final = 256
"""Parses that are kept; the oldest go first."""
_CHECKSUM: Final = 4


class _Parse(msgspec.Struct, frozen=True, array_like=True):
    """What a text was parsed to; places as in Document."""

    format: str
    digest: str
    tree: Any
    places: bytes


class ParseCache(msgspec.Struct, frozen=True):
    """A folder of parses; it is only written where it `keeps`, and only when the state folder around it exists already."""

    folder: str
    keeps: bool = False


_IN_USE: ContextVar[ParseCache | None] = ContextVar("parse cache", default=None)


def use(cache: ParseCache) -> None:
    """Let every document that is read from here on come from a cache where it can; each reading names its own."""
    _IN_USE.set(cache)


def in_use() -> ParseCache | None:
    """Give the cache that this reading named; None where it named none."""
    return _IN_USE.get()


def parsed(file: TextFile) -> Verdict[Document | None]:
    """Build the document of a text, from the cache in use or by parsing it; only sound documents are kept."""
    cache = _IN_USE.get()
    known = _found(cache, file.digest) if cache else None
    if known is not None:
        return Accepted(Document(file.path, file.digest, known.tree, known.places, lines_of(file.text)))
    from ignrun.manifest.compose import compose  # the YAML library takes 20 ms to import

    made = compose(file)
    if cache and cache.keeps and isinstance(made, Accepted) and made.value and not made.diagnostics:
        _keep(cache, made.value)
    return made


def _found(cache: ParseCache, digest: str) -> _Parse | None:
    """Read a parse; one that is damaged, of another release or of another text is none."""
    found = kept(cache, digest, _Parse)
    return found if found and (found.format, found.digest) == (FORMAT, digest) else None


def kept(cache: ParseCache, name: str, kind: type[T]) -> T | None:
    """Read what was kept under a name; nothing where it is damaged or of another kind."""
    try:
        with open(f"{cache.folder}/{name}", "rb") as file:  # noqa: PTH123 - called for every file
            data = file.read()
    except (OSError, ValueError):
        return None
    body = data[_CHECKSUM:]
    if zlib.crc32(body).to_bytes(_CHECKSUM, "big") != data[:_CHECKSUM]:
        return None
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _keep(cache: ParseCache, document: Document) -> None:
    if not document.damaged_places:
        keep(cache, document.digest, _Parse(FORMAT, document.digest, document.tree, document.places))


def keep(cache: ParseCache, name: str, value: msgspec.Struct) -> None:
    """Write a value under a name in one step, where the cache keeps; one that cannot be written is no reason to fail."""
    if not cache.keeps:
        return
    body = msgspec.msgpack.encode(value)
    folder = Path(cache.folder)
    temporary = folder / f".{secrets.token_hex(6)}.tmp"
    try:
        if not folder.parent.is_dir():
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as opened:  # noqa: PTH123 - a descriptor, not a path
            opened.write(zlib.crc32(body).to_bytes(_CHECKSUM, "big") + body)
        temporary.rename(folder / name)
        _prune(folder)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _prune(folder: Path) -> None:
    kept = [one for one in os.scandir(folder) if one.is_file()]
    for one in sorted(kept, key=lambda entry: entry.stat().st_mtime_ns)[: max(0, len(kept) - _MOST)]:
        os.unlink(one.path)  # noqa: PTH108 - an entry of scandir
