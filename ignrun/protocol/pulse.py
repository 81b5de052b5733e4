"""Owns the pulse of a host, a small file that it maps and its runner reads: whether it lives, since when it is busy, and with whom.

It costs no message and no turn of the loop, and what stands in it can be read while no Python code of the host runs. The host
writes it; the runner believes nothing that stands in it without checking.
"""

import mmap
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

BEAT: Final = 0.25
"""Seconds between two beats of a host's watch thread, and between two looks of its runner."""

LIMIT: Final = 1.0
"""Seconds that one turn of a host's loop may take before it is said to be stuck."""

LATE: Final = BEAT + 1.25
"""Seconds without a beat after which nothing of a host can run: somebody holds the interpreter."""

SIZE: Final = 1024

_ALIVE: Final = struct.Struct("=d")
_TURN: Final = struct.Struct("=dH")
_THREAD: Final = struct.Struct("=Q")
_LENGTH: Final = struct.Struct("=H")
_TURN_AT: Final = 8
_MARK_AT: Final = 16
_MARK_END: Final = 264
_THREAD_AT: Final = 264
_STUCK_AT: Final = 272
_STUCK_END: Final = SIZE

MARK: Final = slice(_MARK_AT, _MARK_END)
"""Where the mark of the running step lies: its length, then the address; written whole, as `mark_of` makes it."""


class Stuck(msgspec.Struct, frozen=True, array_like=True):
    """What the watch thread saw in a turn that began at `since` (monotonic): whose code, and where it is."""

    since: float
    address: str
    where: str


_STUCK: Final = msgspec.msgpack.Decoder(Stuck)


def mark_of(address: str) -> bytes:
    """Make the mark of an instance's steps; it fills `MARK`."""
    room = _MARK_END - _MARK_AT
    name = address.encode()[: room - _LENGTH.size]
    return (_LENGTH.pack(len(name)) + name).ljust(room, b"\0")


def pulse_path(run_dir: str, pid: int) -> str:
    """Say where the pulse of a host lies."""
    return f"{run_dir}/{pid}.pulse"


def dump_path(run_dir: str, pid: int) -> str:
    """Say where a host that is asked by SIGUSR2 writes where its threads are."""
    return f"{run_dir}/{pid}.stacks"


class Pulse:
    """The pulse of one host, for whoever holds its page: the host itself, or the runner that reads it."""

    def __init__(self, page: "bytearray | mmap.mmap | None" = None) -> None:
        """Take the page; without one it is kept where nobody looks."""
        self.page: bytearray | mmap.mmap = bytearray(SIZE) if page is None else page

    @classmethod
    def make(cls, path: str) -> "Pulse":
        """Make the file of a host; without room for it nobody looks at its pulse."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError:
            return cls()
        try:
            os.posix_fallocate(descriptor, 0, SIZE)
            return cls(mmap.mmap(descriptor, SIZE))
        except OSError:
            return cls()
        finally:
            os.close(descriptor)

    @classmethod
    def read(cls, path: str) -> "Pulse | None":
        """Map the file of a host to read it; None where there is none."""
        try:
            with Path(path).open("rb") as file:
                return cls(mmap.mmap(file.fileno(), SIZE, prot=mmap.PROT_READ))
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Look no more."""
        if isinstance(self.page, mmap.mmap):
            with suppress(BufferError):
                self.page.close()

    # --- the host writes ----------------------------------------------------------------------------------------------

    def beat(self, now: float) -> None:
        """Say that threads of the host get round to running."""
        _ALIVE.pack_into(self.page, 0, now)

    def turn(self, since: float) -> None:
        """Say since when the loop is busy with a turn, 0 when it waits for something to do; nobody's step is marked then."""
        _TURN.pack_into(self.page, _TURN_AT, since, 0)

    def thread(self, ident: int) -> None:
        """Say which thread runs the loop."""
        _THREAD.pack_into(self.page, _THREAD_AT, ident)

    def tell(self, stuck: Stuck | None) -> None:
        """Say where the loop is stuck, or that it is not any more."""
        body = msgspec.msgpack.encode(stuck) if stuck else b""
        _LENGTH.pack_into(self.page, _STUCK_AT, 0)
        if len(body) <= _STUCK_END - _STUCK_AT - _LENGTH.size:
            self.page[_STUCK_AT + _LENGTH.size : _STUCK_AT + _LENGTH.size + len(body)] = body
            _LENGTH.pack_into(self.page, _STUCK_AT, len(body))

    # --- both read ----------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> float:
        """The monotonic time of the last beat, 0 before the first."""
        found: float = _ALIVE.unpack_from(self.page, 0)[0]
        return found

    @property
    def busy_since(self) -> float:
        """The monotonic time at which the loop began its turn, 0 while it waits."""
        found: float = _TURN.unpack_from(self.page, _TURN_AT)[0]
        return found

    @property
    def mark(self) -> str:
        """The address of the instance whose step runs, empty where it is nobody's."""
        text = bytes(self.page[MARK])
        (length,) = _LENGTH.unpack_from(text)
        return text[_LENGTH.size : _LENGTH.size + length].decode(errors="replace")

    @property
    def loop_thread(self) -> int:
        """The ident of the thread that runs the loop."""
        found: int = _THREAD.unpack_from(self.page, _THREAD_AT)[0]
        return found

    @property
    def stuck(self) -> Stuck | None:
        """What the watch thread saw; None where nothing is stuck, or while it is being written."""
        (length,) = _LENGTH.unpack_from(self.page, _STUCK_AT)
        begin = _STUCK_AT + _LENGTH.size
        if not 0 < length <= _STUCK_END - begin:
            return None
        try:
            return _STUCK.decode(bytes(self.page[begin : begin + length]))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
