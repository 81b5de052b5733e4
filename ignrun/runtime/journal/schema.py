"""Owns the form of `journal.sqlite`: its tables, their migrations and how it is opened."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ignrun.runtime.journal.lock import is_held
from ignrun.terms.failure import StateFolderFailure

_FIRST: Final = """
CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL,
    target TEXT NOT NULL,
    trigger TEXT NOT NULL,
    author TEXT NOT NULL,
    at TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE intents (
    id INTEGER PRIMARY KEY,
    transaction_number INTEGER NOT NULL,
    generation INTEGER NOT NULL REFERENCES generations (number),
    at TEXT NOT NULL
);
CREATE TABLE results (
    intent INTEGER PRIMARY KEY REFERENCES intents (id),
    result TEXT NOT NULL,
    summary TEXT NOT NULL,
    faults TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE TABLE pointers (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    mono REAL NOT NULL,
    subject TEXT NOT NULL,
    generation INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
INSERT INTO pointers VALUES ('current', 0), ('good', 0);
"""

_HOLDS: Final = """
CREATE TABLE holds (
    address TEXT PRIMARY KEY,
    held_by TEXT NOT NULL
) WITHOUT ROWID;
"""

_SUMS: Final = """
ALTER TABLE generations ADD COLUMN changes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE generations ADD COLUMN sum TEXT NOT NULL DEFAULT '';
ALTER TABLE results ADD COLUMN sum INTEGER NOT NULL DEFAULT -1;
ALTER TABLE pointers ADD COLUMN sum INTEGER NOT NULL DEFAULT -1;
ALTER TABLE events ADD COLUMN sum INTEGER NOT NULL DEFAULT -1;
CREATE INDEX intents_of_generation ON intents (generation);
CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    intent INTEGER NOT NULL REFERENCES intents (id),
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    fault TEXT,
    at TEXT NOT NULL
);
CREATE INDEX steps_of_intent ON steps (intent);
CREATE TABLE needs (
    generation INTEGER NOT NULL REFERENCES generations (number),
    digest TEXT NOT NULL,
    PRIMARY KEY (generation, digest)
) WITHOUT ROWID;
"""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST, _HOLDS, _SUMS)
"""Script number n leads from version n to n + 1; a script once released is never edited."""

VERSION: Final = len(MIGRATIONS)
"""The `user_version` that this program writes."""

_VERSION_AT: Final = 60  # where SQLite keeps `user_version` in the first page: four bytes, big-endian
_HEADER: Final = 100
_MAGIC: Final = b"SQLite format 3\0"


def open_store(path: Path, version: int = VERSION) -> sqlite3.Connection:
    """Open or create the store for the one who writes it, migrated up to `version`; raises StateFolderFailure.

    The connection may be used in any one thread at a time. A store of a newer program is not touched.
    """
    refuse_newer(path, version_in_header(path))
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        connection.text_factory = readable
        try:
            _prepare(connection, path, version)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from error
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing store to look only, also one of a former format; raises StateFolderFailure, also where there is none.

    Where nobody has it open nothing is made beside it.
    """
    try:
        refuse_newer(path, version_in_header(path))
        connection = sqlite3.connect(_to_look(path), uri=True, isolation_level=None)
        connection.text_factory = readable
        connection.execute("SELECT seq FROM events LIMIT 1")
        return connection if _version_of(connection) == VERSION else _migrated_copy(connection)
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from error


def readable(text: bytes) -> str:
    """Read a text of the store; what is no UTF-8 any more becomes a text, too: the sum of its row does not fit then."""
    return text.decode(errors="replace")


def _migrated_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Give a store of a former format in this one, in memory: who only looks does not migrate."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    copy.text_factory = readable
    with closing(connection):
        connection.backup(copy)
    _migrate(copy, VERSION)
    return copy


def _to_look(path: Path) -> str:
    """Name the store so that a look leaves no trace: one that was closed in good order, and has no owner, cannot change."""
    is_closed = not wal_of(path).exists() and not is_held(path.parent / "lock")
    return f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if is_closed else 'mode=ro'}"


def wal_of(path: Path) -> Path:
    """Say where SQLite keeps what is not in the store itself yet."""
    return path.with_name(f"{path.name}-wal")


def _prepare(connection: sqlite3.Connection, path: Path, version: int) -> None:
    refuse_newer(path, _version_of(connection))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    _migrate(connection, version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number in range(_version_of(connection), version):
        connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")


def _version_of(connection: sqlite3.Connection) -> int:
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        return int(cursor.fetchone()[0])


def version_in_header(path: Path) -> int:
    """Give the format of a store from the file itself: opening it with SQLite could already write beside it; raises StateFolderFailure."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _unusable(path, error) from error
    is_store = header.startswith(_MAGIC) and len(header) == _HEADER
    return int.from_bytes(header[_VERSION_AT : _VERSION_AT + 4], "big") if is_store else 0


def refuse_newer(path: Path, version: int) -> None:
    """Let formats pass that this program knows; raises StateFolderFailure."""
    if version > VERSION:
        reason = f"`{path.name}` has format {version}, this program knows formats up to {VERSION}"
        raise StateFolderFailure(path.parent, reason, "use the newer ignrun that wrote it; nothing has been changed")


def _unusable(path: Path, error: Exception) -> StateFolderFailure:
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        hint = f"the next runner keeps a copy of `{path}` and takes over what can be read"
        return StateFolderFailure(path.parent, f"`{path.name}` is damaged ({error})", hint)
    why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return StateFolderFailure(path.parent, f"`{path.name}` cannot be opened ({why})")
