"""Turns log lines into the files of a plant, in a thread of its own, so that a slow or full disk never holds the loop up."""

import queue
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from ignrun.runtime.observe.record import LogRecord, encode_record
from ignrun.runtime.observe.rotation import Rotation

MIB: Final = 2**20
WAITING: Final = 20_000
"""How many lines wait for the disk; later ones are counted and dropped."""

MOST: Final = 16 * MIB
"""Characters that wait for the disk at most."""

_ERRORS: Final = frozenset({"error", "critical"})


class LogFiles:
    """The log files of one plant: `<module>.log` (10 MiB x 5), `<module>.errors.log` (5 MiB x 3) and `runner.log`.

    `write` never blocks and never raises. Lines that the disk did not take are counted; the file says how many are missing
    as soon as it can be written again. A folder that is gone is made anew. `on_trouble` hears, in the thread that writes, why
    the files cannot be written, once, and an empty reason once they can be written again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limit: int = 10 * MIB,
        kept: int = 5,
        error_limit: int = 5 * MIB,
        errors_kept: int = 3,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        """Take the folder `logs` of the state folder; sizes are in bytes."""
        self._folder = folder
        self._all = (limit, kept)
        self._errors = (error_limit, errors_kept)
        self._queue: queue.SimpleQueue[LogRecord | None] = queue.SimpleQueue()
        self._missing: Counter[str] = Counter()  # lines by file name, until the file itself has said so
        self._guard = threading.Lock()
        self._put = 0  # characters ever handed over, counted by who writes
        self._taken = 0  # and of these those that the thread has taken
        self._lost = 0
        self._refusal = ""
        self._on_trouble = on_trouble
        self._troubled = False
        self._thread = threading.Thread(target=self._work, name="logs", daemon=True)
        self._thread.start()

    def write(self, record: LogRecord) -> None:
        """Have a line written."""
        if self._queue.qsize() < WAITING and self._put - self._taken < MOST:
            self._put += _size(record)
            self._queue.put(record)
        else:
            self._count(f"{record.log}.log", 1, "lines came faster than the disk took them")

    @property
    def lost(self) -> int:
        """How many lines no file has taken so far."""
        return self._lost

    @property
    def refusal(self) -> str:
        """Why the last attempt to write failed, empty when it did not."""
        return self._refusal

    def close(self) -> None:
        """Write what waits and end."""
        self._queue.put(None)
        self._thread.join()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        ended = False
        while not ended:
            records, ended = self._take()
            self._write_all(records)
            self._taken += sum(map(_size, records))

    def _take(self) -> tuple[list[LogRecord], bool]:
        """Give everything that waits, at least one line, and whether the end has come."""
        records: list[LogRecord] = []
        try:
            record = self._queue.get()
            while record is not None:
                records.append(record)
                record = self._queue.get_nowait()
        except queue.Empty:
            return records, False
        return records, True

    def _write_all(self, records: list[LogRecord]) -> None:
        files: dict[str, list[bytes]] = {}
        for record in records:
            line, name = encode_record(record), record.log
            files.setdefault(f"{name}.log", []).append(line)
            if record.level.lower() in _ERRORS:
                files.setdefault(f"{name}.errors.log", []).append(line)
        refusal = ""
        for name, lines in files.items():
            refusal = self._append(name, lines, records[-1].at) or refusal
        if files:
            self._refusal = refusal
            self._tell(refusal)

    def _tell(self, refusal: str) -> None:
        if self._troubled is not bool(refusal):
            self._troubled = bool(refusal)
            if self._on_trouble:
                self._on_trouble(refusal)

    def _append(self, name: str, lines: list[bytes], at: datetime) -> str:
        limit, kept = self._errors if name.endswith(".errors.log") else self._all
        with self._guard:
            missing = self._missing.pop(name, 0)
        said = [encode_record(_said(missing, self._refusal, at))] if missing else []
        try:
            self._write_file(Rotation(self._folder / name, limit, kept), said + lines)
        except OSError as error:
            reason = error.strerror or str(error)
            self._count(name, len(lines), reason)
            with self._guard:
                self._missing[name] += missing
            return reason
        return ""

    def _write_file(self, file: Rotation, lines: list[bytes]) -> None:
        try:
            file.append(lines)
        except FileNotFoundError:  # somebody removed the folder
            self._folder.mkdir(mode=0o700)
            file.append(lines)

    def _count(self, name: str, lines: int, reason: str) -> None:
        with self._guard:
            self._missing[name] += lines
            self._lost += lines
        self._refusal = reason


def _size(record: LogRecord) -> int:
    return len(record.text) + sum(len(value) for value in record.fields.values() if isinstance(value, str))


def _said(missing: int, reason: str, at: datetime) -> LogRecord:
    return LogRecord(at, "warning", f"{missing} lines before this one are missing: {reason or 'the disk refused them'}")
