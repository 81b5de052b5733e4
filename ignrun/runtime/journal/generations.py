"""Turns generations, intents, the results of their steps and their outcomes into rows of the store, and rows back into them."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.planner.graph.model import Graph, Hosted
from ignrun.planner.plan.model import Plan
from ignrun.planner.proposal import Call, Proposal
from ignrun.runtime.journal.code import NOT_KEPT
from ignrun.runtime.journal.store import UNSUMMED, insert_rows, pointer, sum_of
from ignrun.runtime.supervise.effects import KeepIntent, Outcome
from ignrun.terms.failure import Failure
from ignrun.terms.fault import Fault
from ignrun.terms.names import Address


class HistoryEntry(msgspec.Struct, frozen=True):
    """One generation as a line of history.

    `parent` is the generation before it (0: none); `target` the digest (hex) of all resolved inputs; `trigger` what
    asked (`cli`, `api`, `boot`, ..), `author` who; `at` and `ended` are aware UTC. `result` is empty while its outcome is not
    known; `changes` counts the steps of its plan by action. `is_sound` is false where the store is damaged: then it cannot be gone back to.
    """

    number: int
    parent: int
    target: str
    trigger: str
    author: str
    at: datetime
    ended: datetime | None = None
    result: str = ""
    summary: str = ""
    changes: dict[str, int] = {}
    is_sound: bool = True


class StepResult(msgspec.Struct, frozen=True):
    """What came of one step, aware UTC: an action of the plan, or what undid it; `fault` says why it failed."""

    address: Address
    action: str
    at: datetime
    fault: Fault | None = None


class Generation(msgspec.Struct, frozen=True):
    """An immutable record of one configuration of the plant that was, or was to be, in force.

    `content` is what was proposed: the graph, the plan to it, its inputs by digest, the names and the non-secret values of
    the environment, versions and code; secrets are named in it and stand there as fingerprints only. `steps` are the results
    that were kept, in their order: one without a result may have begun.
    """

    entry: HistoryEntry
    content: Proposal
    steps: tuple[StepResult, ...] = ()
    faults: dict[Address, Fault] = {}


# --- writing, always inside the writer's transaction ------------------------------------------------------------------


def write_intent(connection: sqlite3.Connection, intent: KeepIntent, author: str, at: datetime) -> None:
    """Insert a generation, unless it is a kept one that is started as it was, and the intent to bring it into force.

    Raises sqlite3.Error, ValueError or OverflowError.
    """
    proposal, number = intent.proposal, intent.generation
    if not intent.is_kept:
        parent = pointer(connection, "current")
        write_generation(
            connection, HistoryEntry(number, parent, proposal.target, intent.trigger, author, at), proposal
        )
    connection.execute(
        "INSERT INTO intents (transaction_number, generation, at) VALUES (?, ?, ?)",
        (intent.transaction, intent.generation, at.isoformat()),
    )


def write_generation(connection: sqlite3.Connection, entry: HistoryEntry, proposal: Proposal) -> None:
    """Insert a generation and what it cannot do without; raises sqlite3.Error, ValueError or OverflowError."""
    content = msgspec.msgpack.encode(proposal)
    changes = Counter(step.action for step in proposal.plan.steps)
    row = (
        entry.number, entry.parent, entry.target, entry.trigger, entry.author, entry.at.isoformat(),
        content, msgspec.json.encode(changes, order="sorted").decode(),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO generations (number, parent, target, trigger, author, at, content, changes, sum) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, _digest(*row)),
    )
    insert_rows(connection, "needs (generation, digest)", [(entry.number, digest) for digest in needs_of(proposal)])


def needs_of(proposal: Proposal) -> frozenset[str]:
    """Name the digests of code and of inputs that a generation of this proposal cannot do without."""
    code = {spec.body.code for spec in proposal.graph.instances.values() if isinstance(spec.body, Hosted)}
    inputs = {file.digest for file in proposal.files if file.role not in NOT_KEPT}
    return frozenset((code | {*proposal.code} | inputs) - {""})


def write_steps(connection: sqlite3.Connection, transaction: int, steps: Sequence[StepResult]) -> None:
    """Insert what came of steps of the latest intent of this transaction, if it had one; raises sqlite3.Error."""
    intent = _latest_intent(connection, transaction)
    if intent:
        insert_rows(
            connection, "steps (intent, address, action, fault, at)", [(intent, *_step_row(one)) for one in steps]
        )


def _step_row(step: StepResult) -> tuple[Any, ...]:
    fault = None if step.fault is None else msgspec.json.encode(step.fault).decode()
    return (step.address, step.action, fault, step.at.isoformat())


def write_result(connection: sqlite3.Connection, outcome: Outcome, at: datetime) -> None:
    """Insert the result of the latest intent of this transaction, if it had one; raises sqlite3.Error."""
    intent = _latest_intent(connection, outcome.transaction)
    if intent:
        faults = msgspec.json.encode(outcome.faults).decode()
        write_result_of(connection, intent, (outcome.result.value, outcome.summary, faults, at.isoformat()))


def write_result_of(connection: sqlite3.Connection, intent: int, values: tuple[str, str, str, str]) -> None:
    """Insert result, summary, faults (JSON) and time of one intent; raises sqlite3.Error."""
    row = (intent, *values)
    connection.execute(
        "INSERT INTO results (intent, result, summary, faults, at, sum) VALUES (?, ?, ?, ?, ?, ?)", (*row, sum_of(*row))
    )


def _latest_intent(connection: sqlite3.Connection, transaction: int) -> int:
    row = connection.execute("SELECT max(id) FROM intents WHERE transaction_number = ?", (transaction,)).fetchone()
    return int(row[0] or 0)


# --- reading ----------------------------------------------------------------------------------------------------------

COLUMNS: Final = "number, parent, target, trigger, author, at, content, changes, sum"
"""The columns of a generation, its sum the last."""

_COLUMNS: Final = "g.number, g.parent, g.target, g.trigger, g.author, g.at, g.content, g.changes, g.sum"
_RESULT: Final = "i.id, r.result, r.summary, r.faults, r.at, r.sum"
_JOINED: Final = (
    "FROM generations g "
    "LEFT JOIN intents i ON i.id = (SELECT max(id) FROM intents WHERE generation = g.number) "
    "LEFT JOIN results r ON r.intent = i.id "
)
_GENERATION: Final = 9


def read_history(connection: sqlite3.Connection, limit: int) -> tuple[HistoryEntry, ...]:
    """Give up to `limit` of the latest generations, the latest first; raises sqlite3.Error."""
    rows = connection.execute(f"SELECT {_COLUMNS}, {_RESULT} {_JOINED} ORDER BY g.number DESC LIMIT ?", (limit,))
    return tuple(_entry(row[:_GENERATION], row[_GENERATION:]) for row in rows)


def read_generation(connection: sqlite3.Connection, number: int) -> Generation | None:
    """Give one generation as it was kept, with its latest result; None where there is none or it is damaged; raises sqlite3.Error."""
    query = f"SELECT {_COLUMNS}, {_RESULT} {_JOINED} WHERE g.number = ?"
    row = connection.execute(query, (number,)).fetchone()
    if row is None:
        return None
    entry = _entry(row[:_GENERATION], row[_GENERATION:])
    if not entry.is_sound:
        return None
    intent, _, _, faults = row[_GENERATION : _GENERATION + 4]
    return Generation(
        entry,
        _content(row[:_GENERATION]),
        _steps(connection, intent) if intent else (),
        msgspec.json.decode(faults, type=dict[Address, Fault]) if faults and entry.result else {},
    )


def kept_generation(connection: sqlite3.Connection, number: int) -> Generation:
    """Give one generation as it was kept; raises Failure where it is not kept, or damaged, and sqlite3.Error."""
    found = read_generation(connection, number)
    if found is not None:
        return found
    if connection.execute("SELECT 1 FROM generations WHERE number = ?", (number,)).fetchone():
        raise Failure(f"generation {number} is damaged in the journal", "`ignrun history` shows which ones are not")
    raise Failure(f"there is no generation {number}", "`ignrun history` shows those that are kept")


def _entry(generation: tuple[Any, ...], result: tuple[Any, ...]) -> HistoryEntry:
    number, parent, target, trigger, author, at, _, changes, _ = generation
    if not is_generation_as_written(generation):
        return HistoryEntry(number, 0, "", "", "", _moment(at), is_sound=False)
    outcome = result if result[1] is not None and result[-1] in {UNSUMMED, sum_of(*result[:-1])} else None
    return HistoryEntry(
        number, parent, target, trigger, author, _moment(at),
        ended=_moment(outcome[4]) if outcome else None,
        result=outcome[1] if outcome else "",
        summary=outcome[2] if outcome else "",
        changes=msgspec.json.decode(changes, type=dict[str, int]),
    )  # fmt: skip


def is_generation_as_written(row: Sequence[Any]) -> bool:
    """Tell whether the row of a generation, its sum the last value, holds what was once written into it."""
    *values, kept = row
    return not kept or kept == _digest(*values)


def _steps(connection: sqlite3.Connection, intent: int) -> tuple[StepResult, ...]:
    rows = connection.execute("SELECT address, action, at, fault FROM steps WHERE intent = ? ORDER BY id", (intent,))
    return tuple(
        StepResult(Address(address), action, _moment(at), msgspec.json.decode(fault, type=Fault) if fault else None)
        for address, action, at, fault in rows
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:  # a damaged row
        return datetime.fromtimestamp(0, UTC)


def _digest(*values: Any) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(values)).hexdigest()


# --- generations of the first formats ---------------------------------------------------------------------------------


class _Former(msgspec.Struct, frozen=True):
    """What a generation of a store before format 3 holds."""

    files: tuple[InputFile, ...]
    environment: dict[str, str]
    graph: Graph
    plan: Plan
    names: tuple[str, ...] = ()
    call: Call = Call()


def _content(generation: tuple[Any, ...]) -> Proposal:
    _, _, target, _, _, _, content, _, kept = generation
    if kept:
        return msgspec.msgpack.decode(content, type=Proposal)
    former = msgspec.msgpack.decode(content, type=_Former)
    return Proposal(
        plant=former.graph.plant,
        graph=former.graph,
        plan=former.plan,
        target=target,
        files=former.files,
        environment=former.environment,
        names=former.names,
        apply=former.graph.rules.apply,
        call=former.call,
    )
