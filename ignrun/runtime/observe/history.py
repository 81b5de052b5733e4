"""Owns `samples.sqlite`, the history of figures: fine at first, then a value a minute, then one an hour; it may be lost."""

import queue
import sqlite3
import threading
from contextlib import ExitStack, closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

FINE_KEPT: Final = 3600
"""Seconds for which every sample is kept."""

MINUTES_KEPT: Final = 48 * 3600
"""Seconds for which a value a minute is kept."""

HOURS_KEPT: Final = 400 * 86400
"""Seconds for which a value an hour is kept."""

WAITING: Final = 1000
"""Batches that wait for the disk; later ones are dropped and counted."""

VERSION: Final = 1
_AT_ONCE: Final = 300
_MINUTE: Final = 60
_HOUR: Final = 3600
_TABLES: Final = (("fine", 1, FINE_KEPT), ("minute", _MINUTE, MINUTES_KEPT), ("hour", _HOUR, HOURS_KEPT))
_ROW: Final = (
    "(series INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL, mean REAL NOT NULL, low REAL NOT NULL,"
    " high REAL NOT NULL, PRIMARY KEY (series, at)) WITHOUT ROWID"
)
_FORM: Final = "\n".join(
    [
        "CREATE TABLE series (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, figure TEXT NOT NULL, UNIQUE (subject, figure));",
        *(f"CREATE TABLE {name} {_ROW};" for name, _, _ in _TABLES),
        f"PRAGMA user_version = {VERSION};",
    ]
)


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One value of one series: `subject` is a host, an instance or empty for the runner, `figure` a name, `at` in Unix seconds."""

    subject: str
    figure: str
    at: float
    value: float


class Bucket(msgspec.Struct, frozen=True):
    """What a series was from `at` (Unix seconds) on, until the next."""

    at: int
    count: int
    mean: float
    low: float
    high: float


class History:
    """The one who writes the file, in a thread of its own; `keep` never blocks and never raises.

    A file that is damaged, or of another version, is thrown away and begun anew; while the disk refuses, points are dropped.
    """

    def __init__(self, path: Path) -> None:
        """Take the path of the file; its folder need not take it (yet)."""
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Point, ...] | None] = queue.SimpleQueue()
        self._store: _Store | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._work, name="samples", daemon=True)
        self._thread.start()

    def keep(self, points: tuple[Point, ...]) -> None:
        """Have points kept."""
        if self._queue.qsize() < WAITING:
            self._queue.put(points)
        else:
            self.dropped += len(points)

    def close(self) -> None:
        """Write what waits and end."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (points := self._queue.get()) is not None:
            try:
                self._write(points)
            except (sqlite3.Error, OSError):
                self.dropped += len(points)
                self._let_go()
        self._let_go()

    def _write(self, points: tuple[Point, ...]) -> None:
        if self._store is None:
            self._store = _opened(self._path)
        try:
            self._store.write(points)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._let_go()
            _throw_away(self._path)
            self._store = _opened(self._path)
            self._store.write(points)

    def _let_go(self) -> None:
        if self._store:
            with suppress(sqlite3.Error):
                self._store.connection.close()
        self._store = None


class _Store:
    """An open file, its series by name, and how far it has been thinned out."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        rows = connection.execute("SELECT subject, figure, id FROM series")
        self._series: dict[tuple[str, str], int] = {(subject, figure): number for subject, figure, number in rows}
        self._thinned = 0

    def write(self, points: tuple[Point, ...]) -> None:
        """Write a batch as one transaction, and thin out what has grown old once a minute."""
        now = int(max((point.at for point in points), default=0))
        with self.connection:
            self.connection.execute("BEGIN")
            for start in range(0, len(points), _AT_ONCE):
                self._insert(points[start : start + _AT_ONCE])
            if now // _MINUTE != self._thinned:
                self._thinned = now // _MINUTE
                self._thin(now)

    def _insert(self, points: tuple[Point, ...]) -> None:
        values = [
            value
            for one in points
            for value in (self._number(one.subject, one.figure), int(one.at), one.value, one.value, one.value)
        ]
        rows = ", ".join(["(?, ?, 1, ?, ?, ?)"] * len(points))
        self.connection.execute(f"INSERT OR REPLACE INTO fine VALUES {rows}", values)  # noqa: S608 - marks only

    def _number(self, subject: str, figure: str) -> int:
        if (subject, figure) not in self._series:
            done = self.connection.execute("INSERT INTO series (subject, figure) VALUES (?, ?)", (subject, figure))
            self._series[subject, figure] = done.lastrowid or 0
        return self._series[subject, figure]

    def _thin(self, now: int) -> None:
        for (finer, _, _), (name, step, _) in pairwise(_TABLES):
            (last,) = self.connection.execute(f"SELECT max(at) FROM {name}").fetchone()  # noqa: S608 - own names
            since = 0 if last is None else last + step
            self.connection.execute(
                f"INSERT OR REPLACE INTO {name} SELECT series, at - at % {step}, sum(count), "  # noqa: S608 - own names
                f"sum(mean * count) / sum(count), min(low), max(high) FROM {finer} "
                "WHERE at >= ? AND at < ? GROUP BY series, at / ?",
                (since, now - now % step, step),
            )
        for name, _, kept in _TABLES:
            self.connection.execute(f"DELETE FROM {name} WHERE at < ?", (now - kept,))  # noqa: S608 - own names


def _opened(path: Path) -> _Store:
    try:
        return _try_open(path)
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        _throw_away(path)
        return _try_open(path)


def _try_open(path: Path) -> _Store:
    with ExitStack() as failed:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
        failed.callback(connection.close)
        path.chmod(0o600)
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")
        _form(connection)
        store = _Store(connection)
        failed.pop_all()
    return store


def _form(connection: sqlite3.Connection) -> None:
    """Make the tables; raises DatabaseError for a file of another version, which is of no more use than a damaged one."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN; {_FORM} COMMIT;")
    elif version != VERSION:
        message = f"samples of version {version}"
        raise sqlite3.DatabaseError(message)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell whether the file is beyond use, rather than the disk full or the file busy."""
    return not isinstance(error, sqlite3.OperationalError) or "no such table" in str(error)


def _throw_away(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_series(path: Path, since: float, now: float) -> dict[tuple[str, str], tuple[Bucket, ...]]:
    """Give every series from `since` on (Unix seconds), in the finest form that is kept for so long; none where there is no file.

    What has not been thinned out yet follows in its finer form.
    """
    found: dict[tuple[str, str], list[Bucket]] = {}
    last = max(number for number in range(len(_TABLES)) if number == 0 or now - since > _TABLES[number - 1][2])
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as store:
            start = int(since)
            for name, step, _ in reversed(_TABLES[: last + 1]):
                start = _read_into(found, store, name, start, step)
    except sqlite3.Error:
        return {}
    return {key: tuple(buckets) for key, buckets in found.items()}


def _read_into(
    found: dict[tuple[str, str], list[Bucket]], store: sqlite3.Connection, table: str, start: int, step: int
) -> int:
    """Add what a table holds from `start` on; give where it ends."""
    rows = store.execute(
        f"SELECT subject, figure, at, count, mean, low, high FROM {table} "  # noqa: S608 - own names
        "JOIN series ON series.id = series WHERE at >= ? ORDER BY series, at",
        (start,),
    )
    for subject, figure, *values in rows:
        bucket = Bucket(*values)
        found.setdefault((subject, figure), []).append(bucket)
        start = max(start, bucket.at + step)
    return start


def slots(buckets: tuple[Bucket, ...], since: float, now: float, count: int) -> tuple[float | None, ...]:
    """Spread a series over `count` equal slots of time; a slot is the mean of what lies in it, None where nothing does."""
    width = max(1e-9, (now - since) / count)
    totals, weights = [0.0] * count, [0] * count
    for one in buckets:
        slot = min(count - 1, max(0, int((one.at - since) / width)))
        totals[slot] += one.mean * one.count
        weights[slot] += one.count
    return tuple(total / weight if weight else None for total, weight in zip(totals, weights, strict=True))
