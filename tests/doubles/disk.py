"""Owns Disk, on which a real journal lies and which can be full, and the eyes that see what really lies on it."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from ignrun.runtime.journal.holds import read_holds
from ignrun.runtime.journal.schema import open_store
from ignrun.runtime.journal.writer import Done, Journal
from ignrun.runtime.supervise.effects import KeepIntent, KeepOutcome
from ignrun.terms.events import Happening
from ignrun.terms.names import Address

IsKept = Callable[[sqlite3.Connection], bool]
"""Looks at the store itself, whether something is there."""

PATIENCE = 30.0
"""Most seconds for the journal to answer."""


class Disk:
    """A disk that refuses every transaction while it is `full`."""

    def __init__(self) -> None:
        self.full = False

    def connect(self, path: Path) -> sqlite3.Connection:
        """Open the store as the journal does; nobody has to wait for a real disk here, it will not lose power."""
        connection = open_store(path)
        connection.execute("PRAGMA synchronous = OFF")
        return _Connection(connection, self)  # type: ignore[return-value]


class _Connection:
    """What a journal writes by: sqlite's own connection, but where the disk is full."""

    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self._connection, self._disk = connection, disk

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if self._disk.full and sql == "COMMIT":
            message = "database or disk is full"
            raise sqlite3.OperationalError(message)
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class WitnessedJournal:
    """A real journal; whoever is told that something is kept is believed only after a look at the disk."""

    def __init__(self, journal: Journal, path: Path) -> None:
        self._journal, self._path = journal, path
        self.kept_holds = journal.holds()  # the last of which it was said that they are kept
        self._kept: list[tuple[str, IsKept]] = []  # what is said to be kept, and how to see it
        self._complaints: list[str] = []
        self._asked = 0
        self._answered = threading.Semaphore(0)

    def submit_events(self, happenings: tuple[Happening, ...], at: datetime, mono: float, generation: int) -> None:
        """Hand on."""
        self._journal.submit_events(happenings, at, mono, generation)

    def keep_intent(self, effect: KeepIntent, author: str, at: datetime, done: Done) -> None:
        """Hand on, and look at the disk at the answer."""
        number = effect.transaction
        query = "SELECT 1 FROM intents WHERE transaction_number = ?"

        def is_kept(look: sqlite3.Connection) -> bool:
            return look.execute(query, (number,)).fetchone() is not None

        seen = self._seen(done, f"intent {number}", is_kept)
        self._journal.keep_intent(effect, author, at, seen)

    def keep_outcome(self, effect: KeepOutcome, at: datetime, done: Done) -> None:
        """Hand on, and look at the disk at the answer; who had no intent kept has no result."""
        number, result = effect.outcome.transaction, effect.outcome.result.value
        query = (
            "SELECT r.result FROM intents i LEFT JOIN results r ON r.intent = i.id WHERE i.transaction_number = ? "
            "ORDER BY i.id DESC"
        )

        def is_kept(look: sqlite3.Connection) -> bool:
            row = look.execute(query, (number,)).fetchone()
            return row is None or row[0] == result

        self._journal.keep_outcome(effect, at, self._seen(done, f"outcome {number}", is_kept))

    def keep_holds(self, holds: dict[Address, str], done: Done) -> None:
        """Hand on, and look at the disk at the answer."""

        def is_kept(look: sqlite3.Connection) -> bool:
            self.kept_holds = holds
            return read_holds(look) == holds

        self._journal.keep_holds(holds, self._seen(done, "", is_kept))

    def holds(self) -> dict[Address, str]:
        """Give those of which it was said last that they are kept."""
        return self.kept_holds

    def wait(self) -> None:
        """Return once the journal has answered all that it was asked."""
        while self._asked:
            assert self._answered.acquire(timeout=PATIENCE), "the journal does not answer"
            self._asked -= 1

    def taken_complaints(self) -> list[str]:
        """Hand over what was wrong so far."""
        complaints, self._complaints = self._complaints, []
        return complaints

    def lost(self) -> list[str]:
        """Say what was said to be kept, and is not there now."""
        return [
            *self.taken_complaints(),
            *(f"{what} is lost" for what, is_kept in self._kept if not self._look(is_kept)),
        ]

    def _seen(self, done: Done, what: str, is_kept: IsKept) -> Done:
        self._asked += 1

        def answer(refusal: str) -> None:
            try:
                if not refusal and not self._look(is_kept):
                    self._complaints.append(f"{what or 'who is held'} is said to be kept, and is not")
                elif not refusal and what:
                    self._kept.append((what, is_kept))
                done(refusal)
            finally:
                self._answered.release()

        return answer

    def _look(self, is_kept: IsKept) -> bool:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as look:
            return is_kept(look)
