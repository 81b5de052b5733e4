"""Owns the limits of a reading: how much processor time and memory it may take, and where it stands while it works."""

import mmap
import os
import resource
from pathlib import Path
from typing import Final

import msgspec

from ignrun.terms.spans import Span

CPU_SECONDS: Final = 2
MEMORY: Final = 256 * 1024 * 1024
WALL_SECONDS: Final = 60.0
_BYTES_A_SECOND: Final = 500_000
_MORE_SECONDS: Final = 60
_PAGE: Final = 4096


class Limits(msgspec.Struct, frozen=True):
    """Processor time in seconds, memory in bytes over what the process has already, time by the clock in seconds."""

    cpu: int = CPU_SECONDS
    memory: int = MEMORY
    wall: float = WALL_SECONDS


def limits_for(manifest: str) -> Limits:
    """Justify the time by the size of the manifest: 2 s, and a second more for each half megabyte of its text."""
    try:
        size = Path(manifest).stat().st_size
    except (OSError, ValueError):
        size = 0
    return Limits(cpu=_seconds_for(size))


def allow_for(size: int) -> None:
    """Let this process, under limits already, have the time that all texts of a manifest justify; `size` is that of all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = _seconds_for(size)
    if size >= _BYTES_A_SECOND and soft < wanted < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (wanted, hard))


def _seconds_for(size: int) -> int:
    return CPU_SECONDS + min(size // _BYTES_A_SECOND, _MORE_SECONDS)


def impose(limits: Limits) -> None:
    """Put this process under its limits; passing the one of time ends it by SIGXCPU, that of memory raises MemoryError."""
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + _MORE_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = _address_space()
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (used + limits.memory, used + limits.memory))


def _address_space() -> int:
    """Give the bytes of address space in use; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as opened:  # noqa: PTH123 - read in one go, before the limits
            return int(opened.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Bookmark:
    """One page of memory that parent and child share: the place which the child is working on, kept when it is killed."""

    def __init__(self) -> None:
        """Make the page; fork afterwards."""
        self._page = mmap.mmap(-1, _PAGE)

    def put(self, span: Span) -> None:
        """Note a place, cheaply: there is one call for every module."""
        text = f"{span.line} {span.column} {span.end} {span.file}".encode()[: _PAGE - 2]
        self._page.seek(0)
        self._page.write(len(text).to_bytes(2, "little") + text)

    def read(self, fallback: str) -> Span:
        """Give the place noted last, that of the whole file `fallback` before any."""
        self._page.seek(0)
        length = int.from_bytes(self._page.read(2), "little")
        words = self._page.read(length).decode(errors="replace").split(" ", 3)
        if len(words) != 4:  # noqa: PLR2004 - as many as `put` writes
            return Span.of_file(fallback)
        line, column, end, file = words
        return Span(file, int(line), int(column), int(end))

    def close(self) -> None:
        """Give the page back."""
        self._page.close()
