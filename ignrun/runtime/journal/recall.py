"""Turns the latest rows of the journal that are of one subject into events."""

import json
import sqlite3
from datetime import datetime
from typing import Any, Final

import msgspec

from ignrun.terms.events import Event

LOOKED_AT: Final = 100_000
"""Events that are looked through, the latest first, so that a long journal costs no more than a short one."""


_LATEST: Final = (
    "SELECT seq, at, mono, subject, generation, body FROM events "
    "WHERE seq > (SELECT coalesce(max(seq), 0) FROM events) - ?"
)


def latest_of(connection: sqlite3.Connection, subject: str, limit: int) -> tuple[Event, ...]:
    """Give up to `limit` of the latest events of `subject`, oldest first; raises sqlite3.Error."""
    rows = connection.execute(f"{_LATEST} AND subject = ? ORDER BY seq DESC LIMIT ?", (LOOKED_AT, subject, limit))
    return tuple(_event(row) for row in reversed(rows.fetchall()))


def latest_of_kind(connection: sqlite3.Connection, kind: str, limit: int = 10_000) -> tuple[Event, ...]:
    """Give up to `limit` of the latest events whose body has the tag `kind`, oldest first; raises sqlite3.Error."""
    rows = connection.execute(f"{_LATEST} AND kind = ? ORDER BY seq DESC LIMIT ?", (LOOKED_AT, kind, limit))
    return tuple(_event(row) for row in reversed(rows.fetchall()))


def _event(row: tuple[Any, ...]) -> Event:
    seq, at, mono, subject, generation, body = row
    values = {"seq": seq, "mono": mono, "subject": subject, "generation": generation, "body": json.loads(body)}
    return msgspec.convert({**values, "at": datetime.fromisoformat(at)}, Event)
