"""Turns what is in force into the file `current`, which planning compares with, and back."""

from pathlib import Path
from typing import Final

import msgspec

from ignrun.planner.graph.model import Graph
from ignrun.planner.proposal import Base
from ignrun.runtime.journal.durable import durable_replace
from ignrun.terms.failure import StateFolderFailure

FILE: Final = "current"
FORMAT: Final = 1


class Published(msgspec.Struct, frozen=True):
    """The whole file: JSON, without secrets (they are named in the graph, never written)."""

    format_version: int
    generation: int
    good: int
    graph: Graph


class _Format(msgspec.Struct, frozen=True):
    format_version: int


def publish_current(folder: Path, base: Base, good: int = 0) -> None:
    """Write the file durably into the state folder; `good` is the last generation that passed its gate; raises OSError."""
    published = Published(FORMAT, base.generation, good, base.graph)
    durable_replace(folder / FILE, msgspec.json.encode(published))


def read_published(folder: Path) -> Published | None:
    """Read the file of a state folder, None where there is none; raises StateFolderFailure when it is damaged or newer."""
    path = folder / FILE
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
        return msgspec.json.decode(text, type=Published)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = f"remove `{path}`; the next apply writes it anew"
        raise StateFolderFailure(folder, f"`{path.name}` is damaged ({error})", hint) from error


def read_current(folder: Path) -> Base | None:
    """Give what a plan compares with, None where nothing was ever in force; raises StateFolderFailure."""
    published = read_published(folder)
    return Base(published.generation, published.graph) if published else None
