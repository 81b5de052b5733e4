"""Turns a damaged store into a sound one: the damaged files are kept aside, every row that is as it was written is taken over."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.planner.proposal import Proposal
from ignrun.runtime.journal.current import Published, published_in
from ignrun.runtime.journal.damage import damage_of, look_into
from ignrun.runtime.journal.durable import sync_file, sync_folder
from ignrun.runtime.journal.generations import (
    COLUMNS,
    HistoryEntry,
    is_generation_as_written,
    needs_of,
    read_generation,
    write_generation,
    write_result_of,
)
from ignrun.runtime.journal.schema import open_store
from ignrun.runtime.journal.store import DAMAGED, is_as_written, move_pointer, pointer, write_events
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.events import Event, EventsLost
from ignrun.terms.failure import StateFolderFailure

_TRIES: Final = 2_000
"""So many reads of a damaged table may fail before the rest of it is given up."""

_BESIDE: Final = ("", "-wal", "-shm")


class Damage(msgspec.Struct, frozen=True):
    """What was found, where the damaged files are kept, and how many generations and events could be taken over, how many events not."""

    found: str
    quarantined: Path
    generations: int = 0
    events: int = 0
    lost: int = 0

    @property
    def summary(self) -> str:
        """Say it in a sentence without its end."""
        lost = f", {self.lost} events were lost" if self.lost else ""
        return f"the journal was damaged ({self.found}): {self.generations} generations and {self.events} events were taken over{lost}"


def mend(path: Path, at: datetime) -> Damage | None:
    """Put a damaged store right; None where there was nothing to do. Raises StateFolderFailure where the disk refuses, or it is newer.

    A crash at any moment leaves either the damaged store, or the new one beside it, which the next call puts in its place.
    """
    try:
        _put_in_place(path)
        found = damage_of(path)
        if not found:
            return None
        quarantined = _set_aside(path, at)
        damage = _rebuilt(path, quarantined, found, at)
        _put_in_place(path)
    except (OSError, sqlite3.Error) as error:
        raise StateFolderFailure(path.parent, f"`{path.name}` is damaged and cannot be put right ({error})") from error
    return damage


# --- files ------------------------------------------------------------------------------------------------------------


def _set_aside(path: Path, at: datetime) -> Path:
    """Copy the damaged files, as they are, to a name of their own; the last one copied has the name that counts."""
    quarantined = path.with_name(f"{path.name}.damaged-{at:%Y%m%dT%H%M%SZ}")
    number = 1
    while quarantined.exists():
        number += 1
        quarantined = path.with_name(f"{path.name}.damaged-{at:%Y%m%dT%H%M%SZ}-{number}")
    for suffix in ("-wal", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            copy = quarantined.with_name(quarantined.name + suffix)
            shutil.copyfile(source, copy)
            copy.chmod(0o600)
            sync_file(copy)
    sync_folder(path.parent)
    return quarantined


def _built(path: Path) -> Path:
    return path.with_name(f"{path.name}.building")


def _mended(path: Path) -> Path:
    return path.with_name(f"{path.name}.mended")


def _put_in_place(path: Path) -> None:
    """Let the finished new store, where there is one, take the place of the damaged: never with the WAL of the old one beside it."""
    for suffix in _BESIDE:
        _built(path).with_name(_built(path).name + suffix).unlink(missing_ok=True)
    if not _mended(path).exists():
        return
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    sync_folder(path.parent)
    _mended(path).rename(path)
    sync_folder(path.parent)


def _rebuilt(path: Path, quarantined: Path, found: str, at: datetime) -> Damage:
    """Make the new store beside the old one; it is given its name when it is whole."""
    building = _built(path)
    with closing(open_store(building)) as store:
        store.execute("BEGIN IMMEDIATE")
        for with_wal in (True, False):
            with suppress(sqlite3.Error), closing(look_into(quarantined, with_wal=with_wal)) as old:
                _take_over(old, store)
        _note_needs(store)
        lost = _fill_gaps(store, at)
        _point(store, published_in(path.parent), at)
        generations = store.execute("SELECT count(*) FROM generations").fetchone()[0]
        events = store.execute("SELECT count(*) FROM events").fetchone()[0]
        store.execute("COMMIT")
    quarantined.with_name(quarantined.name + "-shm").unlink(missing_ok=True)
    building.rename(_mended(path))
    sync_folder(path.parent)
    return Damage(found, quarantined, generations, events - lost, lost)


def _note_needs(store: sqlite3.Connection) -> None:
    for (number,) in store.execute("SELECT number FROM generations").fetchall():
        found = read_generation(store, number)
        for digest in needs_of(found.content) if found else ():
            _insert(store, "needs", "generation, digest", (number, digest))


# --- rows -------------------------------------------------------------------------------------------------------------


def _plain(row: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float | str | bytes | None) for value in row)


class _Table(msgspec.Struct, frozen=True):
    """How a table is taken over: its key, its columns, and what a row must be to count."""

    key: str
    columns: str
    is_sound: Callable[[Sequence[Any]], bool] = _plain


_TABLES: Final = {
    "generations": _Table("number", COLUMNS, is_generation_as_written),
    "intents": _Table("id", "id, transaction_number, generation, at"),
    "results": _Table("intent", "intent, result, summary, faults, at, sum", is_as_written),
    "steps": _Table("id", "id, intent, address, action, fault, at"),
    "events": _Table("seq", "seq, at, mono, subject, generation, kind, body, sum", is_as_written),
}


def _take_over(old: sqlite3.Connection, store: sqlite3.Connection) -> None:
    """Copy what is as it was written and not there yet; what a table cannot give any more is left out."""
    for name, table in _TABLES.items():
        for row in _readable(old, name, table):
            if table.is_sound(row):
                _insert(store, name, table.columns, row)
    with suppress(sqlite3.Error):
        for row in old.execute("SELECT address, held_by FROM holds").fetchall():
            _insert(store, "holds", "address, held_by", row)
    with suppress(sqlite3.Error):
        for name, generation, kept in old.execute("SELECT name, generation, sum FROM pointers").fetchall():
            if is_as_written((name, generation, kept)):
                move_pointer(store, name, max(generation, pointer(store, name)))


def _insert(store: sqlite3.Connection, table: str, columns: str, row: Sequence[Any]) -> None:
    """Insert a row unless it is there, or belongs to one that is lost."""
    marks = ", ".join("?" * len(row))
    with suppress(sqlite3.IntegrityError):
        store.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", tuple(row))  # noqa: S608 - names of this file


def _readable(old: sqlite3.Connection, name: str, table: _Table) -> Iterator[tuple[Any, ...]]:
    """Read all rows that can be read, by ever smaller ranges around what cannot."""
    query = f"SELECT {table.columns} FROM {name} WHERE {table.key} BETWEEN ? AND ?"  # noqa: S608 - names of this file
    ranges = [(0, _last(old, name, table.key))]
    tries = _TRIES
    while ranges and tries:
        low, high = ranges.pop()
        try:
            rows = old.execute(query, (low, high)).fetchall()
        except sqlite3.Error:
            tries -= 1
            if low < high:
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]
            continue
        yield from rows


def _last(old: sqlite3.Connection, name: str, key: str) -> int:
    """Find the last key; where that cannot be read, one that is beyond it."""
    with suppress(sqlite3.Error, ValueError, TypeError):
        return int(old.execute(f"SELECT max({key}) FROM {name}").fetchone()[0] or 0)  # noqa: S608 - names of this file
    return 1 << 20


def _fill_gaps(store: sqlite3.Connection, at: datetime) -> int:
    """Let the number of an event that is lost stand for its loss: none is given twice; tells how many there are."""
    numbers = [seq for (seq,) in store.execute("SELECT seq FROM events ORDER BY seq")]
    missing = sorted({*range(numbers[0], numbers[-1])} - {*numbers}) if numbers else []
    write_events(store, [Event(seq, at, 0.0, "", 0, EventsLost(1, DAMAGED)) for seq in missing])
    return len(missing)


def _point(store: sqlite3.Connection, published: Published | None, at: datetime) -> None:
    """Let the pointers lead as far as anything says they did; the file `current` gives back its generation where the store has lost it."""
    if published is None or not published.generation:
        return
    if read_generation(store, published.generation) is None and published.made_from is not None:
        _read_back(store, published, published.made_from, at)
    for name, number in (("current", published.generation), ("good", published.good)):
        if number > pointer(store, name) and read_generation(store, number) is not None:
            move_pointer(store, name, number)


def _read_back(store: sqlite3.Connection, published: Published, rest: Proposal, at: datetime) -> None:
    number = published.generation
    entry = HistoryEntry(number, 0, rest.target, "salvage", "", at)
    write_generation(store, entry, msgspec.structs.replace(rest, graph=published.graph))
    store.execute(
        "INSERT INTO intents (transaction_number, generation, at) SELECT coalesce(max(transaction_number), 0) + 1, ?, ? FROM intents",
        (number, at.isoformat()),
    )
    intent = store.execute("SELECT max(id) FROM intents").fetchone()[0]
    result = Result.COMMITTED if published.good == number else Result.HELD
    write_result_of(store, intent, (result.value, "read back from the file `current`", "{}", at.isoformat()))
