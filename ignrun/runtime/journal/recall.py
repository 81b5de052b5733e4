"""Turns the latest rows of the journal that are of one subject into events."""

import json
import sqlite3
from datetime import datetime
from typing import Any, Final

import msgspec

from ignrun.terms.events import Event

LOOKED_AT: Final = 100_000
"""Events that are looked through, the latest first, so that a long journal costs no more than a short one."""


def latest_of(connection: sqlite3.Connection, subject: str, limit: int) -> tuple[Event, ...]:
    """Give up to `limit` of the latest events of `subject`, oldest first; raises sqlite3.Error."""
    rows = connection.execute(
        "SELECT seq, at, mono, subject, generation, body FROM events "
        "WHERE seq > (SELECT coalesce(max(seq), 0) FROM events) - ? AND subject = ? ORDER BY seq DESC LIMIT ?",
        (LOOKED_AT, subject, limit),
    ).fetchall()
    return tuple(_event(row) for row in reversed(rows))


def _event(row: tuple[Any, ...]) -> Event:
    seq, at, mono, subject, generation, body = row
    values = {"seq": seq, "mono": mono, "subject": subject, "generation": generation, "body": json.loads(body)}
    return msgspec.convert({**values, "at": datetime.fromisoformat(at)}, Event)
