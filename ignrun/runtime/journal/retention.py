"""Turns a store that has grown into one that holds what is still of use: the latest generations, those in force, the latest events."""

import sqlite3
from typing import Final

from ignrun.runtime.journal.store import last_event, pointer

GENERATIONS: Final = 50
"""How many of the latest generations are kept; the one in force and the last good one stay whatever their age."""

EVENTS: Final = 200_000
"""How many of the latest events are kept."""

SLACK: Final = 10_000
"""So many events more may stand there before the oldest are removed, all at once."""


def forget_generations(connection: sqlite3.Connection) -> bool:
    """Remove the generations that are of no use any more, inside the writer's transaction; tells whether there were any."""
    pinned = (pointer(connection, "current"), pointer(connection, "good"))
    rows = connection.execute(
        "SELECT number FROM generations WHERE number <= (SELECT max(number) FROM generations) - ? "
        "AND number NOT IN (?, ?)",
        (GENERATIONS, *pinned),
    ).fetchall()
    for (number,) in rows:
        for table in ("steps", "results"):
            connection.execute(
                f"DELETE FROM {table} WHERE intent IN (SELECT id FROM intents WHERE generation = ?)",  # noqa: S608 - two names of tables
                (number,),
            )
        for table, column in (("intents", "generation"), ("needs", "generation"), ("generations", "number")):
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (number,))  # noqa: S608 - three names of tables
    return bool(rows)


def forget_events(connection: sqlite3.Connection, last: int) -> None:
    """Remove the oldest events once there are too many, inside the writer's transaction; `last` is the latest number."""
    oldest = connection.execute("SELECT min(seq) FROM events").fetchone()[0] or last
    if last - oldest >= EVENTS + SLACK:
        connection.execute("DELETE FROM events WHERE seq <= ?", (min(last, last_event(connection)) - EVENTS,))


def needed(connection: sqlite3.Connection) -> frozenset[str]:
    """Name the digests of code and of inputs that the generations kept cannot do without; raises sqlite3.Error."""
    return frozenset(digest for (digest,) in connection.execute("SELECT DISTINCT digest FROM needs"))
