"""Turns generations, intents, results and events into rows of the store, and rows back into them."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.planner.graph.model import Graph
from ignrun.planner.plan.model import Plan
from ignrun.planner.proposal import Call
from ignrun.runtime.supervise.effects import KeepIntent, Outcome
from ignrun.terms.events import Body, Event

ROWS_AT_ONCE: Final = 500
"""Rows of one INSERT: `executemany` gives the GIL away for each row and then waits for a busy loop to give it back."""

_EVENT: Final = "INSERT INTO events (seq, at, mono, subject, generation, kind, body) VALUES "
_EVENT_ROW: Final = "(?, ?, ?, ?, ?, ?, ?)"


class Content(msgspec.Struct, frozen=True):
    """What a generation was made of: files by digest, the non-secret environment values, the graph and the plan to it.

    `names` are the environment names that it asked for, those of secrets included; `call` is how it was asked for.
    """

    files: tuple[InputFile, ...]
    environment: dict[str, str]
    graph: Graph
    plan: Plan
    names: tuple[str, ...] = ()
    call: Call = Call()


class Generation(msgspec.Struct, frozen=True):
    """An immutable record of one configuration of the plant that was, or was to be, in force.

    `parent` is the generation before it (0: none); `target` the digest (hex) of all resolved inputs; `trigger` what
    asked (`cli`, `api`, `boot`, ..), `author` who; `at` aware UTC. `result` is empty when the outcome was never kept:
    then its steps may have begun.
    """

    number: int
    parent: int
    target: str
    trigger: str
    author: str
    at: datetime
    content: Content
    result: str = ""
    summary: str = ""


# --- writing, always inside the writer's transaction ------------------------------------------------------------------


def write_events(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Insert numbered events; raises sqlite3.Error."""
    for start in range(0, len(events), ROWS_AT_ONCE):
        some = events[start : start + ROWS_AT_ONCE]
        values = [value for event in some for value in _event_row(event)]
        connection.execute(_EVENT + ", ".join([_EVENT_ROW] * len(some)), values)


def _event_row(event: Event) -> tuple[Any, ...]:
    kind = type(event.body).__struct_config__.tag
    try:
        body = msgspec.json.encode(event.body).decode()
    except UnicodeEncodeError:  # a file name or an output that is not UTF-8
        text = json.dumps(msgspec.to_builtins(event.body), ensure_ascii=False)
        body = text.encode(errors="replace").decode()
    return (event.seq, event.at.isoformat(), event.mono, event.subject, event.generation, kind, body)


def write_intent(connection: sqlite3.Connection, intent: KeepIntent, author: str, at: datetime) -> None:
    """Insert a generation and the intent to bring it into force; raises sqlite3.Error, ValueError or OverflowError."""
    proposal = intent.proposal
    content = Content(
        proposal.files, proposal.environment, proposal.graph, proposal.plan, proposal.names, proposal.call
    )
    connection.execute(
        "INSERT INTO generations (number, parent, target, trigger, author, at, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            intent.generation,
            pointer(connection, "current"),
            proposal.target,
            intent.trigger,
            author,
            at.isoformat(),
            msgspec.msgpack.encode(content),
        ),
    )
    connection.execute(
        "INSERT INTO intents (transaction_number, generation, at) VALUES (?, ?, ?)",
        (intent.transaction, intent.generation, at.isoformat()),
    )


def write_result(connection: sqlite3.Connection, outcome: Outcome, at: datetime) -> None:
    """Insert the result of the latest intent of this transaction, if it had one; raises sqlite3.Error."""
    connection.execute(
        "INSERT INTO results (intent, result, summary, faults, at) "
        "SELECT max(id), ?, ?, ?, ? FROM intents WHERE transaction_number = ? HAVING max(id) IS NOT NULL",
        (
            outcome.result.value,
            outcome.summary,
            msgspec.json.encode(outcome.faults).decode(),
            at.isoformat(),
            outcome.transaction,
        ),
    )


def move_pointer(connection: sqlite3.Connection, name: str, generation: int) -> None:
    """Let `current` or `good` name another generation; raises sqlite3.Error."""
    connection.execute("UPDATE pointers SET generation = ? WHERE name = ?", (generation, name))


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


def read_events(connection: sqlite3.Connection, after: int, limit: int) -> tuple[Event, ...]:
    """Give up to `limit` events with numbers above `after`, in order."""
    rows = connection.execute(
        "SELECT seq, at, mono, subject, generation, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    ).fetchall()
    return tuple(_events(rows))


_BODY: Final[msgspec.json.Decoder[Body]] = msgspec.json.Decoder(Body)


def _events(rows: list[tuple[Any, ...]]) -> Iterator[Event]:
    for seq, at, mono, subject, generation, body in rows:
        yield Event(seq, datetime.fromisoformat(at).astimezone(UTC), mono, subject, generation, _BODY.decode(body))


def read_generation(connection: sqlite3.Connection, number: int) -> Generation | None:
    """Give one generation as it was kept, with its latest result, or None."""
    row = connection.execute(
        "SELECT g.number, g.parent, g.target, g.trigger, g.author, g.at, g.content, r.result, r.summary "
        "FROM generations g LEFT JOIN intents i ON i.generation = g.number LEFT JOIN results r ON r.intent = i.id "
        "WHERE g.number = ? ORDER BY i.id DESC LIMIT 1",
        (number,),
    ).fetchone()
    if row is None:
        return None
    number, parent, target, trigger, author, at, content, result, summary = row
    return Generation(
        number,
        parent,
        target,
        trigger,
        author,
        datetime.fromisoformat(at).astimezone(UTC),
        msgspec.msgpack.decode(content, type=Content),
        result or "",
        summary or "",
    )
