"""Turns the latest rows of the journal that are of one subject into events, and into the generation that last changed it."""

import json
import sqlite3
from datetime import datetime
from typing import Any, Final

import msgspec

from ignrun.planner.plan.model import Plan
from ignrun.runtime.journal.generations import Generation, read_generation
from ignrun.terms.events import Event

LOOKED_AT: Final = 100_000
"""Events that are looked through, the latest first, so that a long journal costs no more than a short one."""

GENERATIONS: Final = 100
"""Generations whose plans are looked through, the latest first."""


class _WithPlan(msgspec.Struct, frozen=True):
    """Of a proposal, the plan alone: what else it holds is skipped."""

    plan: Plan


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


def last_change_of(connection: sqlite3.Connection, subject: str) -> Generation | None:
    """Give the latest generation whose plan has a step for `subject`, whatever became of it; None where none is kept; raises sqlite3.Error."""
    rows = connection.execute("SELECT number, content FROM generations ORDER BY number DESC LIMIT ?", (GENERATIONS,))
    for number, content in rows:
        if _changes(content, subject) and (found := read_generation(connection, number)):
            return found
    return None


def _changes(content: bytes, subject: str) -> bool:
    try:
        steps = msgspec.msgpack.decode(content, type=_WithPlan).plan.steps
    except msgspec.DecodeError:  # a damaged row
        return False
    return any(step.address == subject and step.action != "no-op" for step in steps)


def _event(row: tuple[Any, ...]) -> Event:
    seq, at, mono, subject, generation, body = row
    values = {"seq": seq, "mono": mono, "subject": subject, "generation": generation, "body": json.loads(body)}
    return msgspec.convert({**values, "at": datetime.fromisoformat(at)}, Event)
