"""Turns a store as a dead runner left it into one whose every intent has a result and whose pointers lead to generations."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

import msgspec

from ignrun.runtime.journal.generations import read_generation, write_result_of
from ignrun.runtime.journal.salvage import Damage
from ignrun.runtime.journal.store import is_as_written, move_pointer
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.events import ApplyEnded, Body, Happening, JournalMended

_DONE: Final = "SELECT count(DISTINCT address) FROM steps WHERE intent = ? AND action NOT LIKE 'undo %'"


class Interrupted(msgspec.Struct, frozen=True):
    """A transaction whose runner died in the middle: so many of its `steps` had a result; the next one may have begun."""

    transaction: int
    generation: int
    done: int
    steps: int

    @property
    def summary(self) -> str:
        """Say it in a sentence without its end."""
        return f"the runner died in the middle of it: {self.done} of {self.steps} steps had been done"


class Recovered(msgspec.Struct, frozen=True):
    """What had to be put right when the store was opened; all of it is empty after a runner that ended in good order.

    `interrupted` names the transactions without an outcome; `pointers` those of `current` and `good` that led nowhere, with
    where they lead now; `damage` says what was found damaged, and what could be saved.
    """

    interrupted: tuple[Interrupted, ...] = ()
    pointers: dict[str, int] = {}
    damage: Damage | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what people have to know, a sentence without its end each."""
        moved = (f"`{name}` led nowhere and is generation {number} now" for name, number in self.pointers.items())
        return (*((self.damage.summary,) if self.damage else ()), *moved)


def recover(connection: sqlite3.Connection, at: datetime) -> Recovered:
    """Close what was left open, in one transaction of its own; doing it twice is doing it once. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        interrupted = tuple(_close(connection, intent, at) for intent in _open_intents(connection))
        pointers = _mended_pointers(connection)
        connection.execute("COMMIT")
    except sqlite3.Error:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return Recovered(interrupted, pointers)


def happenings_of(recovered: Recovered) -> tuple[Happening, ...]:
    """Say as events what was put right: an apply that began has to end, too."""
    mended: Iterator[Body] = (JournalMended(note) for note in recovered.notes)
    closed: Iterator[Body] = (
        ApplyEnded(one.transaction, Result.INTERRUPTED.value, one.summary) for one in recovered.interrupted
    )
    return tuple(Happening("", body) for body in (*mended, *closed))


def _open_intents(connection: sqlite3.Connection) -> list[tuple[int, int, int]]:
    return connection.execute(
        "SELECT id, transaction_number, generation FROM intents WHERE id NOT IN (SELECT intent FROM results) ORDER BY id"
    ).fetchall()


def _close(connection: sqlite3.Connection, intent: tuple[int, int, int], at: datetime) -> Interrupted:
    number, transaction, generation = intent
    done = connection.execute(_DONE, (number,)).fetchone()[0]
    found = read_generation(connection, generation)
    steps = len(found.content.plan.steps) if found else done
    interrupted = Interrupted(transaction, generation, done, steps)
    write_result_of(connection, number, (Result.INTERRUPTED.value, interrupted.summary, "{}", at.isoformat()))
    return interrupted


def _mended_pointers(connection: sqlite3.Connection) -> dict[str, int]:
    """Let a pointer that leads nowhere lead to the last generation that was once what it names."""
    mended: dict[str, int] = {}
    for name, results in (("good", ("committed",)), ("current", ("committed", "held"))):
        if not _leads_somewhere(connection, name):
            mended[name] = _last_sound(connection, results)
            move_pointer(connection, name, mended[name])
    return mended


def _leads_somewhere(connection: sqlite3.Connection, name: str) -> bool:
    row = connection.execute("SELECT name, generation, sum FROM pointers WHERE name = ?", (name,)).fetchone()
    if row is None or not is_as_written(row):
        return False
    return row[1] == 0 or read_generation(connection, row[1]) is not None


def _last_sound(connection: sqlite3.Connection, results: tuple[str, ...]) -> int:
    rows = connection.execute(
        "SELECT i.generation, r.intent, r.result, r.summary, r.faults, r.at, r.sum "
        "FROM results r JOIN intents i ON i.id = r.intent ORDER BY r.intent DESC"
    ).fetchall()
    for generation, *row in rows:
        if row[1] in results and is_as_written(row) and read_generation(connection, generation) is not None:
            return int(generation)
    return 0
