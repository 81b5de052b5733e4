"""Turns the log files of a plant back into records: the last ones, and those that come."""

import os
import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Final

import msgspec

from ignrun.runtime.observe.record import LogRecord, decode_record

POLL: Final = 0.25
"""Seconds between two looks while following."""

_BLOCK: Final = 64 * 1024
_DISORDER: Final = timedelta(minutes=1)


class _Place(msgspec.Struct, frozen=True):
    """How far a log has been read: which file (it keeps its number when it is renamed) and up to which byte."""

    inode: int
    offset: int


class LogReader:
    """The logs of some modules (all, when none is named) from the moment that it is made.

    `accept` says which records are wanted. Files that come later, and files that are rotated away, are followed.
    """

    def __init__(
        self, folder: Path, modules: Collection[str] = (), accept: Callable[[LogRecord], bool] = lambda _: True
    ) -> None:
        """Take the folder `logs` of a state folder; it need not exist yet."""
        self._folder = folder
        self._modules = tuple(modules)
        self._accept = accept
        self._places = {path: _end_of(path) for path in self._files()}

    def tail(self, lines: int | None, since: datetime | None = None) -> list[LogRecord]:
        """Give the last `lines` records before this reader was made (None: all), oldest first, none older than `since`."""
        found = [record for path, place in self._places.items() for record in self._last(path, place, lines, since)]
        found.sort(key=lambda record: record.at)
        return found if lines is None else found[-lines:] if lines else []

    def follow(self, pause: Callable[[float], None] = time.sleep) -> Iterator[LogRecord]:
        """Give records as they come, in the order of their times within one look; never ends by itself."""
        while True:
            yield from self.new()
            pause(POLL)

    def new(self) -> list[LogRecord]:
        """Give the records that came since the last look."""
        found: list[LogRecord] = []
        for path in self._files():
            lines, self._places[path] = _lines_since(path, self._places.get(path, _Place(0, 0)))
            found += self._wanted(lines)
        found.sort(key=lambda record: record.at)
        return found

    def _files(self) -> list[Path]:
        if self._modules:
            named = (self._folder / f"{module}.log" for module in self._modules)
            return [path for path in named if path.exists()]
        return sorted(path for path in self._folder.glob("*.log") if not path.name.endswith(".errors.log"))

    def _last(self, path: Path, place: _Place, lines: int | None, since: datetime | None) -> list[LogRecord]:
        newest_first = self._young(_lines_backwards(path, place), since)
        return [*islice(filter(self._accept, newest_first), lines)][::-1]

    def _young(self, newest_first: Iterator[bytes], since: datetime | None) -> Iterator[LogRecord]:
        """Give records until they are clearly older; lines of several writers are not strictly in order."""
        for record in filter(None, map(decode_record, newest_first)):
            if since is None or record.at >= since:
                yield record
            elif record.at < since - _DISORDER:
                return

    def _wanted(self, lines: Iterator[bytes] | list[bytes]) -> Iterator[LogRecord]:
        for line in lines:
            record = decode_record(line)
            if record and self._accept(record):
                yield record


def _parts(path: Path) -> Iterator[Path]:
    """Name a log's files, the one being written first, then the older ones."""
    yield path
    for number in count(1):
        part = path.with_name(f"{path.name}.{number}")
        if not part.exists():
            return
        yield part


def _end_of(path: Path) -> _Place:
    """Say where the last whole line of a file ends."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = max(0, size - _BLOCK)
        file.seek(start)
        return _Place(os.fstat(file.fileno()).st_ino, start + file.read(_BLOCK).rfind(b"\n") + 1)


def _lines_backwards(path: Path, place: _Place) -> Iterator[bytes]:
    """Give the lines of a log up to a place, the last one first, from the older files too."""
    reached = False
    for part in _parts(path):
        if reached:
            yield from _backwards(part, part.stat().st_size)
        elif part.stat().st_ino == place.inode:
            reached = True
            yield from _backwards(part, place.offset)


def _backwards(path: Path, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        rest, at = b"", end
        while at > 0:
            start = max(0, at - _BLOCK)
            file.seek(start)
            rest, *lines = (file.read(at - start) + rest).split(b"\n")
            yield from reversed(lines)
            at = start
        yield rest


def _lines_since(path: Path, place: _Place) -> tuple[list[bytes], _Place]:
    """Give the whole lines after a place, and the place that this leads to."""
    before = place
    try:
        newer: list[Path] = []
        for part in _parts(path):
            newer.insert(0, part)
            if part.stat().st_ino == place.inode:
                break
        lines: list[bytes] = []
        for part in newer:
            offset = place.offset if part.stat().st_ino == place.inode else 0
            some, place = _read_from(part, offset)
            lines += some
    except FileNotFoundError:  # renamed while we looked: the next look finds it
        return [], before
    return lines, place


def _read_from(path: Path, offset: int) -> tuple[list[bytes], _Place]:
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        offset = offset if offset <= found.st_size else 0  # somebody emptied it
        file.seek(offset)
        data = file.read()
    end = data.rfind(b"\n") + 1
    return data[:end].splitlines(), _Place(found.st_ino, offset + end)
