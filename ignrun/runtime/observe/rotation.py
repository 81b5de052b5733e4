"""Owns one log file and its older parts: `name.log`, `name.log.1` (the newest of the old), `name.log.2`, .."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec


class Rotation(msgspec.Struct, frozen=True):
    """A file that starts anew at `limit` bytes; `kept` files are kept, the one being written included."""

    path: Path
    limit: int
    kept: int

    def append(self, lines: Iterable[bytes]) -> None:
        """Write whole lines at the end, in as few calls as may be; raises OSError."""
        descriptor = self._open()
        try:
            size = os.fstat(descriptor).st_size
            waiting = bytearray()
            for line in lines:
                if size + len(waiting) + len(line) > self.limit and size + len(waiting) > 0:
                    _write_all(descriptor, waiting)
                    waiting.clear()
                    os.close(descriptor)
                    descriptor = -1
                    self._rotate()
                    descriptor, size = self._open(), 0
                waiting += line
            _write_all(descriptor, waiting)
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def part(self, number: int) -> Path:
        """Say where an older part lies; 0 is the file being written."""
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _rotate(self) -> None:
        for number in range(self.kept - 1, 0, -1):
            with suppress(FileNotFoundError):
                self.part(number - 1).rename(self.part(number))


def _write_all(descriptor: int, data: bytearray) -> None:
    with memoryview(data) as view:
        at = 0
        while at < len(view):
            at += os.write(descriptor, view[at:])
