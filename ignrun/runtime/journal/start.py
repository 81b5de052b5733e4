"""Turns what lies in a state folder into an open store: put right, migrated, every intent with a result, its pointers valid."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from ignrun.planner.proposal import Base, Proposal
from ignrun.runtime.journal.current import published_in
from ignrun.runtime.journal.durable import remove_unfinished
from ignrun.runtime.journal.generations import read_generation
from ignrun.runtime.journal.recovery import Recovered, recover
from ignrun.runtime.journal.salvage import mend
from ignrun.runtime.journal.store import pointer
from ignrun.terms.failure import StateFolderFailure

Connect = Callable[[Path], sqlite3.Connection]


class ToPublish(msgspec.Struct, frozen=True):
    """What the file `current` has to say and does not say yet."""

    base: Base
    proposal: Proposal


class Opened(msgspec.Struct, frozen=True):
    """An open store, what had to be put right for it, and what is still to be published."""

    connection: sqlite3.Connection
    recovered: Recovered
    unpublished: ToPublish | None = None


def opened(path: Path, connect: Connect, at: datetime) -> Opened:
    """Open the store at `path` for the one who writes it; raises StateFolderFailure where it cannot be used, or is newer."""
    remove_unfinished(path.parent)
    damage = mend(path, at)
    connection = connect(path)
    try:
        recovered = msgspec.structs.replace(recover(connection, at), damage=damage)
        return Opened(connection, recovered, _unpublished(connection, path.parent))
    except sqlite3.Error as error:
        connection.close()
        raise StateFolderFailure(path.parent, f"`{path.name}` cannot be put right ({error})") from error


def _unpublished(connection: sqlite3.Connection, folder: Path) -> ToPublish | None:
    """Find what a crash, or damage to the file, has kept from being published."""
    number, good = pointer(connection, "current"), pointer(connection, "good")
    published = published_in(folder)
    if not number or (published is not None and (published.generation, published.good) == (number, good)):
        return None
    found = read_generation(connection, number)
    return ToPublish(Base(number, found.content.graph), found.content) if found else None
