"""Turns what a process writes into log lines, without ever making it wait and without growing."""

import asyncio
import codecs
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from ignrun.protocol.reports import LogLine

LONGEST_LINE: Final = 64 * 1024
"""Characters of a line after which it is split."""

MOST_LINES: Final = 1000
"""Lines a second that one source may write; further ones are counted and dropped."""

TAIL: Final = 20
"""Last lines that are kept for the one who wants to know why it ended."""

_OVERLAP: Final = 1024  # a secret shorter than this is not cut in two where a long line is
_CHUNK: Final = 64 * 1024
_WINDOW: Final = 1.0
_DRAIN: Final = 64

OnLines = Callable[[str, tuple[LogLine, ...]], None]
"""Takes lines: a host's id or a command's address, and what it wrote; the field `stream` of a line is `out` or `err`."""

Mask = Callable[[str], str]


class Teller:
    """Owns what has been noted about whom, so that it is said once, however often somebody is started."""

    def __init__(self) -> None:
        """Nothing has been said."""
        self._told: set[tuple[str, str]] = set()

    def tell(self, on_lines: OnLines, source: str, address: str, notes: tuple[str, ...]) -> None:
        """Say what has not been said of this source."""
        fresh = tuple(note for note in notes if (source, note) not in self._told)
        self._told.update((source, note) for note in fresh)
        if fresh:
            now = datetime.now(UTC)
            on_lines(source, tuple(LogLine(address, now, "warning", note) for note in fresh))


class Output:
    """What one source writes on all its streams: masks it, counts it, keeps its last lines, tells of floods by name."""

    def __init__(self, source: str, address: str, on_lines: OnLines, mask: Mask) -> None:
        """`address` is what the lines carry: empty for a host's own."""
        self._source = source
        self._address = address
        self._on_lines = on_lines
        self._mask = mask
        self._last: deque[str] = deque(maxlen=TAIL)
        self._admitted = 0
        self._dropped = 0
        self._window: asyncio.TimerHandle | None = None
        self._pipes: list[_Pipe] = []
        self.watch: Callable[[str], None] | None = None

    def open(self, stream: str) -> int:
        """Make a pipe and read it from now on; returns its write end, which the caller closes once the child has it."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            os.set_blocking(reading, False)
            self._pipes.append(_Pipe(reading, stream, self._take, self._mask))
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
        return writing

    def catch_up(self) -> None:
        """Read what has been written by now, as far as it is bounded."""
        for pipe in self._pipes:
            pipe.catch_up()

    def close(self) -> None:
        """Read what is still there, as far as it is bounded, and stop reading."""
        for pipe in self._pipes:
            pipe.drain()
        self._pipes = []
        if self._window:
            self._window.cancel()
            self._end_window()

    def tail(self) -> str:
        """Give the last lines, masked."""
        return self._mask("\n".join(self._last))

    def _take(self, stream: str, texts: list[str]) -> None:
        self._last.extend(texts[-TAIL:])
        if self.watch:
            for text in texts:
                self.watch(text)
        self._open_window()
        admitted = texts[: max(0, MOST_LINES - self._admitted)]
        self._admitted += len(admitted)
        self._dropped += len(texts) - len(admitted)
        if admitted:
            at = datetime.now(UTC)
            fields = {"stream": stream}
            lines = tuple(LogLine(self._address, at, "info", self._mask(text), fields) for text in admitted)
            self._on_lines(self._source, lines)

    def _open_window(self) -> None:
        if not self._window:
            self._admitted = 0
            self._window = asyncio.get_running_loop().call_later(_WINDOW, self._end_window)

    def _end_window(self) -> None:
        self._window = None
        if not self._dropped:
            return
        text = (
            f"{self._source} wrote more than {MOST_LINES:,} lines a second: {self._dropped:,} lines are left out here"
        )
        self._dropped = 0
        self._on_lines(self._source, (LogLine(self._address, datetime.now(UTC), "warning", text),))


class _Pipe:
    """Owns the read end of one pipe and the beginning of the line that is not whole yet."""

    def __init__(self, descriptor: int, stream: str, take: Callable[[str, list[str]], None], mask: Mask) -> None:
        self._descriptor = descriptor
        self._stream = stream
        self._take = take
        self._mask = mask
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun: list[str] = []
        self._length = 0
        self._open = True
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> bool:
        """Take one piece; False when there is nothing (more) to be had now."""
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close()
            return False
        self._feed(self._decoder.decode(data))
        return True

    def _feed(self, text: str) -> None:
        *whole, rest = text.split("\n")
        if whole:
            whole[0] = "".join((*self._begun, whole[0]))
            self._begun, self._length = [], 0
        lines = [piece for line in whole for piece in self._pieces(line.removesuffix("\r"))]
        if rest:
            self._begun.append(rest)
            self._length += len(rest)
        if self._length > LONGEST_LINE:
            *pieces, last = self._pieces("".join(self._begun))
            self._begun, self._length = [last], len(last)
            lines += pieces
        if lines:
            self._take(self._stream, lines)

    def _pieces(self, line: str) -> list[str]:
        """Split a line that is too long, each piece but the last marked with an ellipsis; masked before it is cut."""
        pieces = []
        while len(line) > LONGEST_LINE:
            line = self._mask(line)
            cut = LONGEST_LINE - _OVERLAP
            pieces.append(f"{line[:cut]} …")
            line = line[cut:]
        return [*pieces, line]

    def catch_up(self) -> None:
        """Read what is there, bounded."""
        for _ in range(_DRAIN):
            if not self._open or not self._read():
                break

    def drain(self) -> None:
        """Read what is there, bounded, and close."""
        self.catch_up()
        self._close()

    def _close(self) -> None:
        if not self._open:
            return
        self._open = False
        asyncio.get_running_loop().remove_reader(self._descriptor)
        with suppress(OSError):
            os.close(self._descriptor)
        if self._begun:
            self._feed("\n")
