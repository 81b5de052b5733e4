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

from ignrun.planner.proposal import Base, Proposal
from ignrun.runtime.journal import generations, retention, store
from ignrun.runtime.journal.code import CodeStore
from ignrun.runtime.journal.current import publish_current
from ignrun.runtime.journal.damage import OPEN
from ignrun.runtime.journal.generations import Generation, HistoryEntry, StepResult
from ignrun.runtime.journal.holds import read_holds, write_holds
from ignrun.runtime.journal.recovery import Recovered, happenings_of
from ignrun.runtime.journal.schema import open_for_reading, open_store
from ignrun.runtime.journal.start import Connect, ToPublish, opened
from ignrun.runtime.supervise.effects import KeepIntent, KeepOutcome, Outcome, Result
from ignrun.terms.clock import Clock, SystemClock
from ignrun.terms.events import Event, EventsLost, Happening, JournalStalled, StepEnded, StepUndone
from ignrun.terms.names import Address

RETRY: Final = 1.0
"""Seconds between two attempts while the disk refuses."""

WORTH_TELLING: Final = 1.0
"""Seconds of refusal after which an event tells of it."""

WAITING: Final = 50_000
"""How many entries wait while the disk refuses; happenings beyond are counted and dropped, and the count is kept."""

UNDO: Final = "undo"
"""Stands before the action in the result of a step that was undone."""

CLOSED: Final = "the journal is closed"

IN_FORCE: Final = frozenset({Result.COMMITTED, Result.HELD})
"""Results after which `current` names the generation of the transaction."""

GONE_BACK: Final = frozenset({Result.ROLLED_BACK, Result.ROLLBACK_PARTIAL})
"""Results after which `current` names the generation that was gone back to."""

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


def _answers_nobody(refusal: str) -> None:
    """Stand for those who have had their answer."""


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
        connect: Connect = open_store,
        code: CodeStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open or create the store at `path` (in the state folder), put right what a crash has left, and begin to write.

        `code` is the store of code that forgets what no generation kept needs any more.
        """
        self._clock = clock = clock or SystemClock()
        self._path = path
        self._on_durable = on_durable
        self._code = code
        start = opened(path, connect, clock.utc())
        self._connection = start.connection
        self._recovered = start.recovered
        self._unpublished = start.unpublished
        self._reading = open_for_reading(path)
        self._queue: queue.SimpleQueue[Entry] = queue.SimpleQueue()
        self._last = store.last_event(self._reading)
        self._waiting: list[Entry] = []
        self._refusal = ""
        self._refused_since = 0.0
        self._try_again = 0.0
        self._generation = self._in_force = self.current()
        self._lost = 0  # counted by the loop
        self._lost_and_said = 0  # of these, kept by the writer's thread
        self.submit_events(happenings_of(self._recovered), clock.utc(), clock.monotonic(), self._generation)
        with suppress(OSError):
            self._mark.touch(0o600)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    @property
    def _mark(self) -> Path:
        """The file that says, when nobody has the store open, that somebody died who had."""
        return self._path.parent / OPEN

    # --- asked by the loop --------------------------------------------------------------------------------------------

    def submit_events(self, happenings: Sequence[Happening], at: datetime, mono: float, generation: int) -> None:
        """Have these numbered and kept; `on_durable` hears of them."""
        self._generation = generation
        if self._queue.qsize() + len(self._waiting) >= WAITING:
            self._lost += len(happenings)
        elif happenings:
            self._queue.put(Happened(tuple(happenings), at, mono, generation))

    def keep_intent(self, effect: KeepIntent, author: str, at: datetime, done: Done) -> None:
        """Keep a generation and the intent to bring it into force."""
        self._submit(Intent(effect, author, at, done))

    def keep_outcome(self, effect: KeepOutcome, at: datetime, done: Done) -> None:
        """Keep an outcome, move the pointers and publish `current`; `good` moves only for a commit.

        Where the disk refuses, `done` is told so at once, and the outcome waits until it is kept all the same: it has come to pass.
        """
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

    def generation(self, number: int) -> Generation | None:
        """Give one generation as it was kept; None where there is none, or it is damaged."""
        return generations.read_generation(self._reading, number)

    def generations(self, limit: int = 20) -> tuple[HistoryEntry, ...]:
        """Give up to `limit` of the latest generations, the latest first."""
        return generations.read_history(self._reading, limit)

    def recovered(self) -> Recovered:
        """Say what had to be put right when the store was opened."""
        return self._recovered

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

    @property
    def note(self) -> str:
        """What people have to know of it now: that it can keep nothing, or that it was found damaged; empty while all is well."""
        if self._refusal:
            return (
                f"the journal cannot keep anything ({self._refusal}): changes are refused until it can, modules go on"
            )
        return "; ".join(self._recovered.notes)

    def close(self) -> None:
        """Write what still waits (one last attempt where the disk refuses) and close the store."""
        self._queue.put(Closing())
        self._reading.close()  # before the writer's connection, whose close then folds the WAL into the store
        self._thread.join()

    # --- the writer's thread ------------------------------------------------------------------------------------------

    def _work(self) -> None:
        closing = False
        self._publish()
        try:
            while not closing:
                closing = self._take()
                if closing or self._is_time_to_try():
                    self._write()
        finally:
            self._refuse_changes(self._refusal or CLOSED)
            with suppress(OSError):
                self._mark.unlink(missing_ok=True)
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
        wants_answer = any(isinstance(entry, _ANSWERED) and not _is_answered(entry) for entry in self._waiting)
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
        self._last += len(events)
        if events:
            self._on_durable(events)
        self._note_what_came_into_force(written)
        self._publish()
        if self._unpublished is None:
            self._end_refusal()
        for entry in written:
            if isinstance(entry, _ANSWERED):
                entry.done("")

    def _commit(self, entries: list[Entry]) -> tuple[Event, ...]:
        """Write these entries in one transaction; raises sqlite3.Error, OSError, ValueError or OverflowError."""
        connection = self._connection
        events = _numbered(entries, self._last)
        try:
            connection.execute("BEGIN IMMEDIATE")
            store.write_events(connection, events)
            for entry in entries:
                _write_entry(connection, entry)
            forgot = self._forget(entries, self._last + len(events))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        if forgot:
            self._forget_code()
        return events

    def _forget(self, entries: list[Entry], last: int) -> bool:
        """Remove what has become too old; tells whether a generation was among it."""
        retention.forget_events(self._connection, last)
        ended = any(isinstance(entry, Ending) for entry in entries)
        return ended and retention.forget_generations(self._connection)

    def _forget_code(self) -> None:
        """Remove the code of generations that are forgotten; what cannot be removed now is removed with the next ones."""
        if self._code:
            with suppress(OSError):
                self._code.forget(retention.needed(self._connection))

    def _note_what_came_into_force(self, written: list[Entry]) -> None:
        for entry in written:
            if not isinstance(entry, Ending):
                continue
            outcome, content = entry.effect.outcome, None
            if outcome.result in IN_FORCE:
                content = entry.effect.proposal
            elif outcome.result in GONE_BACK and outcome.generation != self._in_force:
                content = self._content_of(outcome.generation)
            if content is not None:
                self._in_force = outcome.generation
                self._unpublished = ToPublish(Base(outcome.generation, content.graph), content)

    def _content_of(self, number: int) -> Proposal | None:
        """Give what a generation was made from; None where the store does not have it, or cannot give it now."""
        with suppress(sqlite3.Error, msgspec.DecodeError):
            found = generations.read_generation(self._connection, number)
            return found.content if found else None
        return None

    def _publish(self) -> None:
        """Publish the last graph that came into force; one that the disk refuses is tried again."""
        if self._unpublished is None:
            return
        base, proposal = self._unpublished.base, self._unpublished.proposal
        try:
            publish_current(self._path.parent, base, store.pointer(self._connection, "good"), proposal)
        except (OSError, sqlite3.Error) as error:
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

    def _end_refusal(self) -> None:
        """Say, once all is well again, for how long it was not."""
        now = self._clock.monotonic()
        if self._refusal and now - self._refused_since >= WORTH_TELLING:
            body = JournalStalled(now - self._refused_since, self._refusal)
            self._queue.put(Happened((Happening("", body),), self._clock.utc(), now, self._generation))
        self._refusal = ""

    def _take_refusal(self, reason: str) -> None:
        if not self._refusal:
            self._refused_since = self._clock.monotonic()
        self._refusal = reason
        self._try_again = time.monotonic() + RETRY

    def _refuse_changes(self, reason: str) -> None:
        """Answer everybody who waits: changes are dropped, what has come to pass waits on."""
        refused = [entry for entry in self._waiting if isinstance(entry, _ANSWERED)]
        kept = (entry for entry in self._waiting if not isinstance(entry, Intent | Holding))
        self._waiting[:] = [
            msgspec.structs.replace(entry, done=_answers_nobody) if isinstance(entry, Ending) else entry
            for entry in kept
        ]
        for entry in refused:
            entry.done(reason)


def _is_answered(entry: Intent | Ending | Holding) -> bool:
    return entry.done is _answers_nobody


def _numbered(entries: list[Entry], last: int) -> tuple[Event, ...]:
    happened = ((entry, one) for entry in entries if isinstance(entry, Happened) for one in entry.happenings)
    return tuple(
        Event(seq, entry.at, entry.mono, one.subject, entry.generation, one.body)
        for seq, (entry, one) in enumerate(happened, last + 1)
    )


def _steps(happenings: tuple[Happening, ...], at: datetime) -> dict[int, list[StepResult]]:
    """Find the ends of steps, and of their way back, among what happened, by the number of their transaction."""
    found: dict[int, list[StepResult]] = {}
    for one in happenings:
        match one.body:
            case StepEnded(transaction, action, fault):
                step = StepResult(Address(one.subject), action, at, fault)
            case StepUndone(transaction, action, fault):
                step = StepResult(Address(one.subject), f"{UNDO} {action}", at, fault)
            case _:
                continue
        found.setdefault(transaction, []).append(step)
    return found


def _leads_back(connection: sqlite3.Connection, outcome: Outcome) -> bool:
    """Tell whether an outcome says that an earlier generation is in force again, one that the store has."""
    number = outcome.generation
    return outcome.result in GONE_BACK and generations.read_generation(connection, number) is not None


def _write_entry(connection: sqlite3.Connection, entry: Entry) -> None:
    match entry:
        case Happened(happenings, at):
            for transaction, steps in _steps(happenings, at).items():
                generations.write_steps(connection, transaction, steps)
        case Closing():
            pass
        case Intent(effect, author, at):
            generations.write_intent(connection, effect, author, at)
        case Ending(effect, at):
            generations.write_result(connection, effect.outcome, at)
            if effect.outcome.result in IN_FORCE or _leads_back(connection, effect.outcome):
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
