"""Turns a store into what is wrong with it: nothing, or the first damage found; it is read, never changed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ignrun.runtime.journal.current import published_in
from ignrun.runtime.journal.generations import read_generation
from ignrun.runtime.journal.schema import readable, refuse_newer, version_in_header, wal_of
from ignrun.runtime.journal.store import is_as_written, last_generation, pointer
from ignrun.terms.failure import StateFolderFailure

_WITH_SUMS: Final = 3  # the format since which rows have sums
OPEN: Final = "journal.open"
"""File beside the store for as long as a runner has it open: the WAL is there, too, or was taken away."""

_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})


def damage_of(path: Path) -> str:
    """Say what is wrong with the store at `path`, empty when it is sound or not there; raises StateFolderFailure.

    The pages are checked, the generations in force, the pointers, and that no event is missing; what is older than the file
    `current` has lost its last entries. A damaged row elsewhere is told when it is read: it hinders nobody.
    """
    published = published_in(path.parent)
    if not path.exists():
        return "it is gone" if published or wal_of(path).exists() else ""
    refuse_newer(path, version_in_header(path))
    try:
        with closing(look_into(path)) as connection:
            found = damage_in(connection, published.generation if published else 0)
        is_cut = not found and (path.parent / OPEN).exists() and not wal_of(path).exists()
        return "its write-ahead log is gone, and what was written last with it" if is_cut else found
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise StateFolderFailure(path.parent, f"`{path.name}` cannot be opened ({error})") from error


def look_into(path: Path, *, with_wal: bool = True) -> sqlite3.Connection:
    """Open a store that nobody writes, without changing it; what stands in the WAL alone counts unless told otherwise."""
    how = "mode=ro" if with_wal and wal_of(path).exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
    connection.text_factory = readable
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Tell damage from a disk that refuses."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _CORRUPT


def damage_in(connection: sqlite3.Connection, published: int) -> str:
    """Say what is wrong with an open store; `published` is the generation that the file `current` names; raises sqlite3.Error."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        return str(found)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        return "it is empty" if published else ""
    if version < _WITH_SUMS:
        return ""
    return _in_pointers(connection) or _in_events(connection) or _in_age(connection, published)


def _in_pointers(connection: sqlite3.Connection) -> str:
    rows = connection.execute("SELECT name, generation, sum FROM pointers").fetchall()
    if {row[0] for row in rows} != {"current", "good"} or not all(map(is_as_written, rows)):
        return "the pointers are not as they were written"
    for name in ("current", "good"):
        number = pointer(connection, name)
        if number and read_generation(connection, number) is None:
            return f"generation {number}, which is {name}, is not as it was written"
    return ""


def _in_events(connection: sqlite3.Connection) -> str:
    count, first, last = connection.execute("SELECT count(*), min(seq), max(seq) FROM events").fetchone()
    return "" if not count or last - first + 1 == count else "events are missing"


def _in_age(connection: sqlite3.Connection, published: int) -> str:
    last = last_generation(connection)
    return f"it ends with generation {last}, {published} was in force" if published > last else ""
