"""Owns the journal while a runner lives: one thread that numbers what happened and makes it durable, all that waits at once."""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, assert_never

import msgspec

from ignrun.planner.proposal import Base
from ignrun.runtime.journal import store
from ignrun.runtime.journal.current import publish_current
from ignrun.runtime.journal.holds import read_holds, write_holds
from ignrun.runtime.journal.schema import open_for_reading, open_store
from ignrun.runtime.supervise.effects import KeepIntent, KeepOutcome, Result
from ignrun.terms.events import Event, EventsLost, Happening
from ignrun.terms.names import Address

RETRY: Final = 1.0
"""Seconds between two attempts while the disk refuses."""

WAITING: Final = 50_000
"""How many entries wait while the disk refuses; happenings beyond are counted and dropped, and the count is kept."""

CLOSED: Final = "the journal is closed"

IN_FORCE: Final = frozenset({Result.COMMITTED, Result.HELD})
"""Results after which `current` names the generation of the transaction."""

Done = Callable[[str], None]
"""Told in the writer's thread: an empty text once the entry is durable, else why it was refused."""


class Happened(msgspec.Struct, frozen=True):
    """Things that happened at one moment, to be numbered."""

    happenings: tuple[Happening, ...]
    at: datetime
    mono: float
    generation: int


class Intent(msgspec.Struct, frozen=True):
    """A generation and its step list, to be durable before the first order leaves."""

    effect: KeepIntent
    author: str
    at: datetime
    done: Done


class Ending(msgspec.Struct, frozen=True):
    """The outcome of a transaction."""

    effect: KeepOutcome
    at: datetime
    done: Done


class Holding(msgspec.Struct, frozen=True):
    """Which instances operators hold stopped, all of them."""

    holds: dict[Address, str]
    done: Done


class Closing(msgspec.Struct, frozen=True):
    """Nothing comes after this."""


Entry = Happened | Intent | Ending | Holding | Closing

_ANSWERED: Final = (Intent, Ending, Holding)


class Journal:
    """The store of one plant, written by a thread of its own.

    `on_durable` gets every batch of events after its COMMIT, in order and in the writer's thread; so do the `done`
    callbacks of intents and outcomes. Everything else is called from one other thread, the runner's loop.
    Raises StateFolderFailure when the store cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        on_durable: Callable[[tuple[Event, ...]], None],
        *,
        connect: Callable[[Path], sqlite3.Connection] = open_store,
    ) -> None:
        """Open or create the store at `path` (in the state folder) and begin to write."""
        self._path = path
        self._on_durable = on_durable
        self._connection = connect(path)
        self._reading = open_for_reading(path)
        self._queue: queue.SimpleQueue[Entry] = queue.SimpleQueue()
        self._last = store.last_event(self._reading)
        self._waiting: list[Entry] = []
        self._refusal = ""
        self._try_again = 0.0
        self._unpublished: Base | None = None
        self._lost = 0  # counted by the loop
        self._lost_and_said = 0  # of these, kept by the writer's thread
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    # --- asked by the loop --------------------------------------------------------------------------------------------

    def submit_events(self, happenings: Sequence[Happening], at: datetime, mono: float, generation: int) -> None:
        """Have these numbered and kept; `on_durable` hears of them."""
        if self._queue.qsize() + len(self._waiting) >= WAITING:
            self._lost += len(happenings)
        elif happenings:
            self._queue.put(Happened(tuple(happenings), at, mono, generation))

    def keep_intent(self, effect: KeepIntent, author: str, at: datetime, done: Done) -> None:
        """Keep a generation and the intent to bring it into force."""
        self._submit(Intent(effect, author, at, done))

    def keep_outcome(self, effect: KeepOutcome, at: datetime, done: Done) -> None:
        """Keep an outcome, move the pointers and publish `current`; `good` moves only for a commit."""
        self._submit(Ending(effect, at, done))

    def keep_holds(self, holds: dict[Address, str], done: Done) -> None:
        """Keep which instances operators hold stopped; replaces what was kept before."""
        self._submit(Holding(holds, done))

    def _submit(self, entry: Intent | Ending | Holding) -> None:
        if self._thread.is_alive():
            self._queue.put(entry)
        else:
            entry.done(self._refusal or CLOSED)

    def events_after(self, seq: int, limit: int = 1000) -> tuple[Event, ...]:
        """Give up to `limit` durable events with numbers above `seq`."""
        return store.read_events(self._reading, seq, limit)

    def generation(self, number: int) -> store.Generation | None:
        """Give one generation as it was kept."""
        return store.read_generation(self._reading, number)

    def current(self) -> int:
        """Give the number of the generation in force, 0 for none."""
        return store.pointer(self._reading, "current")

    def good(self) -> int:
        """Give the number of the last generation that passed its gate, 0 for none."""
        return store.pointer(self._reading, "good")

    def holds(self) -> dict[Address, str]:
        """Give who holds which instance stopped."""
        return read_holds(self._reading)

    def last_generation(self) -> int:
        """Give the highest generation number ever given."""
        return store.last_generation(self._reading)

    def last_transaction(self) -> int:
        """Give the highest transaction number ever given."""
        return store.last_transaction(self._reading)

    @property
    def last_event_seq(self) -> int:
        """Number of the last durable event, 0 before the first."""
        return self._last

    @property
    def refusal(self) -> str:
        """Why nothing can be kept at the moment, empty while all is well."""
        return self._refusal

    def close(self) -> None:
        """Write what still waits (one last attempt where the disk refuses) and close the store."""
        self._queue.put(Closing())
        self._reading.close()  # before the writer's connection, whose close then folds the WAL into the store
        self._thread.join()

    # --- the writer's thread ------------------------------------------------------------------------------------------

    def _work(self) -> None:
        closing = False
        try:
            while not closing:
                closing = self._take()
                if closing or self._is_time_to_try():
                    self._write()
        finally:
            self._refuse_changes(self._refusal or CLOSED)
            self._connection.close()

    def _take(self) -> bool:
        """Move everything queued to what waits, blocking for the first entry; tells whether it was the last."""
        try:
            entry = self._queue.get(timeout=RETRY if self._refusal else None)
            while not isinstance(entry, Closing):
                self._waiting.append(entry)
                entry = self._queue.get_nowait()
        except queue.Empty:
            return False
        return True

    def _is_time_to_try(self) -> bool:
        wants_answer = any(not isinstance(entry, Happened) for entry in self._waiting)
        return not self._refusal or wants_answer or time.monotonic() >= self._try_again

    def _write(self) -> None:
        self._count_the_lost()
        written = list(self._waiting)
        try:
            events = self._commit(written) if written else ()
        except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
            self._take_refusal(str(error))
            self._refuse_changes(self._refusal)
            return
        del self._waiting[: len(written)]
        self._refusal = ""
        self._last += len(events)
        if events:
            self._on_durable(events)
        self._publish(written)
        for entry in written:
            if isinstance(entry, _ANSWERED):
                entry.done(self._refusal if isinstance(entry, Ending) else "")

    def _commit(self, entries: list[Entry]) -> tuple[Event, ...]:
        """Write these entries in one transaction; raises sqlite3.Error, OSError, ValueError or OverflowError."""
        connection = self._connection
        events = _numbered(entries, self._last)
        try:
            connection.execute("BEGIN IMMEDIATE")
            store.write_events(connection, events)
            for entry in entries:
                _write_entry(connection, entry)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return events

    def _publish(self, written: list[Entry]) -> None:
        """Publish the last graph that came into force; one that the disk refuses is tried again."""
        for entry in written:
            if isinstance(entry, Ending) and entry.effect.outcome.result in IN_FORCE:
                self._unpublished = Base(entry.effect.outcome.generation, entry.effect.proposal.graph)
        if self._unpublished is None:
            return
        try:
            publish_current(self._path.parent, self._unpublished, store.pointer(self._connection, "good"))
        except OSError as error:
            self._take_refusal(str(error))
        else:
            self._unpublished = None

    def _count_the_lost(self) -> None:
        lost = self._lost
        last = next((entry for entry in reversed(self._waiting) if isinstance(entry, Happened)), None)
        if lost > self._lost_and_said and last is not None:
            body = EventsLost(lost - self._lost_and_said, self._refusal)
            self._waiting.append(Happened((Happening("", body),), last.at, last.mono, last.generation))
            self._lost_and_said = lost

    def _take_refusal(self, reason: str) -> None:
        self._refusal = reason
        self._try_again = time.monotonic() + RETRY

    def _refuse_changes(self, reason: str) -> None:
        refused = [entry for entry in self._waiting if isinstance(entry, _ANSWERED)]
        self._waiting[:] = [entry for entry in self._waiting if isinstance(entry, Happened)]
        for entry in refused:
            entry.done(reason)


def _numbered(entries: list[Entry], last: int) -> tuple[Event, ...]:
    happened = ((entry, one) for entry in entries if isinstance(entry, Happened) for one in entry.happenings)
    return tuple(
        Event(seq, entry.at, entry.mono, one.subject, entry.generation, one.body)
        for seq, (entry, one) in enumerate(happened, last + 1)
    )


def _write_entry(connection: sqlite3.Connection, entry: Entry) -> None:
    match entry:
        case Happened() | Closing():
            pass
        case Intent(effect, author, at):
            store.write_intent(connection, effect, author, at)
        case Ending(effect, at):
            store.write_result(connection, effect.outcome, at)
            if effect.outcome.result in IN_FORCE:
                store.move_pointer(connection, "current", effect.outcome.generation)
            if effect.outcome.result is Result.COMMITTED:
                store.move_pointer(connection, "good", effect.outcome.generation)
        case Holding(holds):
            write_holds(connection, holds)
        case _:
            assert_never(entry)


def events_of_store(path: Path, after: int = 0, limit: int = 1000) -> tuple[Event, ...]:
    """Read events of a store without a runner; raises StateFolderFailure, also where there is none."""
    with closing(open_for_reading(path)) as connection:
        return store.read_events(connection, after, limit)
