"""Turns events and pointers into rows of the store, and rows back into them; a row that is not as it was written is told from one that is."""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ignrun.terms.events import Body, Event, EventsLost

ROWS_AT_ONCE: Final = 500
"""Rows of one INSERT: `executemany` gives the GIL away for each row and then waits for a busy loop to give it back."""

UNSUMMED: Final = -1
"""Stands for the sum of a row that was written before rows had sums."""

DAMAGED: Final = "the journal was damaged here"
"""Reason of the EventsLost that stands for an event which cannot be read any more."""

_EVENT: Final = "events (seq, at, mono, subject, generation, kind, body, sum)"


def sum_of(*values: Any) -> int:
    """Give the CRC-32 of a row's values."""
    return zlib.crc32(msgspec.msgpack.encode(values))


# --- writing, always inside the writer's transaction ------------------------------------------------------------------


def write_events(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Insert numbered events; raises sqlite3.Error."""
    insert_rows(connection, _EVENT, [_event_row(event) for event in events])


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows into a table, `into` its name and its columns, as many as may be at once; raises sqlite3.Error."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        marks = f"({', '.join('?' * len(some[0]))})"
        values = [value for row in some for value in row]
        connection.execute(f"INSERT INTO {into} VALUES {', '.join([marks] * len(some))}", values)  # noqa: S608 - names and marks


def _event_row(event: Event) -> tuple[Any, ...]:
    kind = type(event.body).__struct_config__.tag
    try:
        body = msgspec.json.encode(event.body).decode()
    except UnicodeEncodeError:  # a file name or an output that is not UTF-8
        text = json.dumps(msgspec.to_builtins(event.body), ensure_ascii=False)
        body = text.encode(errors="replace").decode()
    row = (event.seq, event.at.isoformat(), float(event.mono), event.subject, event.generation, kind, body)
    return (*row, sum_of(*row))


def move_pointer(connection: sqlite3.Connection, name: str, generation: int) -> None:
    """Let `current` or `good` name another generation; raises sqlite3.Error."""
    connection.execute(
        "INSERT OR REPLACE INTO pointers (name, generation, sum) VALUES (?, ?, ?)",
        (name, generation, sum_of(name, generation)),
    )


# --- reading ----------------------------------------------------------------------------------------------------------


def pointer(connection: sqlite3.Connection, name: str) -> int:
    """Give the generation that `current` or `good` names, 0 for none."""
    return _number(connection, "SELECT generation FROM pointers WHERE name = ?", name)


def last_event(connection: sqlite3.Connection) -> int:
    """Give the number of the last event, 0 before the first."""
    return _number(connection, "SELECT max(seq) FROM events")


def last_generation(connection: sqlite3.Connection) -> int:
    """Give the highest generation number ever kept, 0 before the first."""
    return _number(connection, "SELECT max(number) FROM generations")


def last_transaction(connection: sqlite3.Connection) -> int:
    """Give the highest transaction number ever kept, 0 before the first."""
    return _number(connection, "SELECT max(transaction_number) FROM intents")


def _number(connection: sqlite3.Connection, query: str, *values: object) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0] or 0) if row else 0


_EVENTS: Final = "SELECT seq, at, mono, subject, generation, kind, body, sum FROM events "


def read_events(connection: sqlite3.Connection, after: int, limit: int) -> tuple[Event, ...]:
    """Give up to `limit` events with numbers above `after`, in order; in place of a damaged one that it was lost."""
    rows = connection.execute(f"{_EVENTS} WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)).fetchall()
    return tuple(_events(rows))


_BODY: Final[msgspec.json.Decoder[Body]] = msgspec.json.Decoder(Body)


def _events(rows: list[tuple[Any, ...]]) -> Iterator[Event]:
    for row in rows:
        seq, at, mono, subject, generation, _, body, _ = row
        if is_as_written(row):
            yield Event(seq, datetime.fromisoformat(at).astimezone(UTC), mono, subject, generation, _BODY.decode(body))
        else:
            yield Event(seq, _NOBODY_KNOWS_WHEN, 0.0, "", 0, EventsLost(1, DAMAGED))


_NOBODY_KNOWS_WHEN: Final = datetime.fromtimestamp(0, UTC)


def is_as_written(row: Sequence[Any]) -> bool:
    """Tell whether a row whose last value is its sum holds what was once written into it."""
    *values, kept = row
    return kept in {UNSUMMED, sum_of(*values)}
