"""Owns the SQLite file in which changes of tags are kept."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS change (
    id INTEGER PRIMARY KEY,
    tag TEXT NOT NULL,
    value REAL,
    quality TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS change_of_tag ON change (tag, id);
"""


def create(path: Path) -> None:
    """Create the file and its table where they are missing; raises OSError or sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_TABLE)


class Store:
    """A file that `create` has made; its methods may be called from any one thread at a time."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file; raises sqlite3.OperationalError where it is missing or has no table."""
        mode = "ro" if read_only else "rw"
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=5.0)
        self._connection.row_factory = sqlite3.Row
        try:
            self._connection.execute("SELECT 1 FROM change LIMIT 1")
        except sqlite3.Error:
            self._connection.close()
            raise

    def add(self, readings: Iterable[Mapping[str, Any]]) -> None:
        """Keep readings (`tag`, `value`, `quality`, `at`), all of them or none."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO change (tag, value, quality, at) VALUES (:tag, :value, :quality, :at)", readings
            )

    def rows(self, tag: str, last: int) -> list[dict[str, Any]]:
        """Give the latest `last` changes of a tag, oldest first."""
        found = self._connection.execute(
            "SELECT tag, value, quality, at FROM change WHERE tag = ? ORDER BY id DESC LIMIT ?", (tag, last)
        )
        return [dict(row) for row in found][::-1]

    def latest(self) -> list[dict[str, Any]]:
        """Give the latest change of every tag, by name."""
        found = self._connection.execute(
            "SELECT tag, value, quality, at FROM change WHERE id IN (SELECT max(id) FROM change GROUP BY tag) ORDER BY tag"
        )
        return [dict(row) for row in found]

    def count(self) -> int:
        """Count the changes kept."""
        return int(self._connection.execute("SELECT count(*) FROM change").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
