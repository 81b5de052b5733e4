"""Turns what is in force into the file `current`, which planning compares with, and back."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from ignrun.planner.graph.model import EMPTY, Graph
from ignrun.planner.plan.model import Plan
from ignrun.planner.proposal import Base, Proposal
from ignrun.runtime.journal.durable import durable_replace
from ignrun.terms.failure import Failure, StateFolderFailure

T = TypeVar("T")

FILE: Final = "current"
FORMAT: Final = 2


class Published(msgspec.Struct, frozen=True):
    """The whole file: JSON, without secrets (they are named in the graph, never written).

    `made_from` is the rest of what was proposed, its graph and its plan left empty: enough to start the plant where the store is lost.
    """

    format_version: int
    generation: int
    good: int
    graph: Graph
    made_from: Proposal | None = None


class _Read(msgspec.Struct, frozen=True):
    """What planning needs of the file; the rest is skipped."""

    format_version: int
    generation: int
    good: int
    graph: Graph


class _Format(msgspec.Struct, frozen=True):
    format_version: int


_OPENING: Final = b'{"sum":"'
_SUM: Final = slice(len(_OPENING), len(_OPENING) + 64)
_AFTER: Final = _SUM.stop + len(b'",')


def publish_current(folder: Path, base: Base, good: int = 0, made_from: Proposal | None = None) -> None:
    """Write the file durably into the state folder; `good` is the last generation that passed its gate; raises OSError."""
    rest = made_from and msgspec.structs.replace(made_from, graph=EMPTY, plan=Plan(0, made_from.target, (), 0))
    text = msgspec.json.encode(Published(FORMAT, base.generation, good, base.graph, rest))[1:]
    durable_replace(folder / FILE, b'%s%s",%s' % (_OPENING, _sum(text), text))


def _sum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def read_published(folder: Path) -> Published | None:
    """Read the file of a state folder, None where there is none; raises StateFolderFailure when it is damaged or newer."""
    return _read(folder / FILE, Published)


def published_in(folder: Path) -> Published | None:
    """Read the file of a state folder as far as it can be read: None where it is not there, or not as it was written."""
    with suppress(StateFolderFailure):
        return read_published(folder)
    return None


def _read(path: Path, form: type[T]) -> T | None:
    folder = path.parent
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateFolderFailure(folder, f"`{path.name}` cannot be read ({error.strerror})") from error
    try:
        if msgspec.json.decode(text, type=_Format).format_version > FORMAT:
            hint = "use the newer ignrun that wrote it; nothing has been changed"
            raise StateFolderFailure(folder, f"`{path.name}` was written by a newer ignrun", hint)
        if text.startswith(_OPENING) and text[_SUM] != _sum(text[_AFTER:]):
            raise _damaged(path, "its sum does not fit")
        return msgspec.json.decode(text, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> StateFolderFailure:
    hint = f"remove `{path}`; the next runner writes it anew from the journal"
    return StateFolderFailure(path.parent, f"`{path.name}` is damaged ({why})", hint)


def read_current(folder: Path) -> Base | None:
    """Give what a plan compares with, None where nothing was ever in force; raises StateFolderFailure."""
    published = _read(folder / FILE, _Read)
    return Base(published.generation, published.graph) if published else None


def read_current_file(file: str) -> Base:
    """Give what a copy of such a file says; raises StateFolderFailure where it is damaged or newer, Failure where there is none."""
    published = _read(Path(file), _Read)
    if published is None:
        raise Failure(f"there is no file `{file}` to compare with", "copy the file `current` of a state folder")
    return Base(published.generation, published.graph)
