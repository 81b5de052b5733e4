"""Owns the resident reader of a runner: a small process, forked before any thread, that forks a limited child for each request."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import struct
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.planner.proposal import Base, Proposal
from ignrun.planner.reader.bounded import answer_of, answer_reviving, decoded
from ignrun.terms.failure import ReaderFailure

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from ignrun.manifest.seen import Seen
    from ignrun.planner.proposal import Reading
    from ignrun.planner.reader.early import EarlyReading
    from ignrun.planner.reader.handed import HandedReading

_LENGTH: Final = struct.Struct("!Q")
_CHUNK: Final = 1 << 20
_LOADED: Final = ("ignrun.manifest.compose", "ignrun.planner.catalog.resolve", "ignrun.planner.catalog.clash")
"""What readings import when they need it, loaded once so that not every child has to."""


Asked = tuple[Inputs, Base, Proposal | None]
"""One request: what to read, what to compare with, and the kept generation that is revived in place of reading."""


class ResidentReader:
    """Hands readings to a process that stays; one request at a time, the others wait for their turn."""

    def __init__(self) -> None:
        """Make one; it is of no use before `start`."""
        self._socket: socket.socket | None = None
        self._pid = 0
        self._turn: asyncio.Lock | None = None
        self._exchange: asyncio.Task[bytes] | None = None
        self._early: EarlyReading | None = None
        self.on_reading: Callable[[Inputs, Reading], None] = lambda _, __: None
        self._has_read = False
        self._handed: HandedReading | None = None
        self.is_current: Callable[[Seen], bool] = lambda _: False
        self.still_holds: Callable[[Seen], Awaitable[bool]] | None = None

    @property
    def pid(self) -> int:
        """The process id of the resident; 0 before `start` and after `close`."""
        return self._pid

    def start(self) -> None:
        """Fork the resident; call this before the process has threads or an event loop."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            ours.close()
            _serve(theirs)
        theirs.close()
        ours.setblocking(False)
        self._socket, self._pid = ours, pid

    async def ask(self, inputs: Inputs, base: Base) -> Reading:
        """Propose in a limited child of the resident; raises ReaderFailure when the resident is gone.

        A reading that was prepared is used when it is the one that is asked for and `is_current` says of what it saw that it still
        holds; one that was laid by, when `still_holds` says so. `on_reading` hears of every reading for an apply.
        """
        early = await self._early.take(inputs, base, self.is_current) if self._early else None
        reading = early or await self._laid_by(inputs, base) or await self._answer((inputs, base, None))
        if inputs.for_apply:
            self.on_reading(inputs, reading)
        return reading

    def prepare(self, inputs: Inputs, base: Base) -> None:
        """Begin a reading that will probably be asked for soon."""
        from ignrun.planner.reader.early import EarlyReading

        if self._early is None:
            self._early = EarlyReading(lambda inputs, base: self._answer((inputs, base, None)))
        self._early.begin(inputs, base)

    def lay_by(self, handed: HandedReading) -> None:
        """Keep a reading that whoever started this runner has had made; the first one for an apply may be it, none after that."""
        self._handed = handed

    async def _laid_by(self, inputs: Inputs, base: Base) -> Reading | None:
        if self._handed is None or not inputs.for_apply:
            return None
        handed, self._handed = self._handed, None
        if (
            not handed.answers(inputs, base)
            or self.still_holds is None
            or not await self.still_holds(handed.reading.seen)
        ):
            return None
        return handed.reading

    def warm(self, inputs: Inputs, base: Base) -> None:
        """Read once what others have read for this runner, so that what later readings need is kept."""
        if not self._has_read:
            self.prepare(inputs, base)

    async def revive(self, kept: Proposal, inputs: Inputs, base: Base) -> Reading:
        """Propose a generation that was kept, in a limited child of the resident; raises as `ask` does."""
        return await self._answer((inputs, base, kept))

    async def _answer(self, asked: Asked) -> Reading:
        import asyncio

        if self._turn is None:
            self._turn = asyncio.Lock()
        async with self._turn:
            if self._socket is None:
                raise ReaderFailure("the reading process has not been started")
            if self._exchange is not None and not self._exchange.done():
                await asyncio.wait({self._exchange})  # its asker went away: the answer is nobody's
            self._has_read = True
            request = msgspec.msgpack.encode(asked)
            self._exchange = asyncio.create_task(_exchange(self._socket, request))
            try:
                answer = await asyncio.shield(self._exchange)
            except OSError as error:
                raise ReaderFailure("the reading process is gone", "restart the runner") from error
        return decoded(answer)

    def close(self) -> None:
        """End the resident; it leaves by itself, too, when the runner is gone."""
        if self._socket is None:
            return
        self._socket.close()
        self._socket = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        self._pid = 0


async def _exchange(connection: socket.socket, request: bytes) -> bytes:
    import asyncio

    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, _LENGTH.pack(len(request)) + request)
    (length,) = _LENGTH.unpack(await _receive(loop, connection, _LENGTH.size))
    return await _receive(loop, connection, length)


async def _receive(loop: asyncio.AbstractEventLoop, connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        chunk = await loop.sock_recv(connection, min(_CHUNK, length - len(data)))
        if not chunk:
            raise ConnectionResetError
        data += chunk
    return bytes(data)


def _serve(connection: socket.socket) -> NoReturn:
    """Answer requests until the runner's end closes; nothing of the runner's own may run here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        for heavy in _LOADED:
            import_module(heavy)
        gc.freeze()
        decoder = msgspec.msgpack.Decoder(Asked)
        while header := _received(connection, _LENGTH.size):
            inputs, base, kept = decoder.decode(_received(connection, *_LENGTH.unpack(header)))
            asker = connection.fileno()
            answer = (
                answer_of(inputs, base, asker=asker) if kept is None else answer_reviving(kept, inputs, base, asker)
            )
            connection.sendall(_LENGTH.pack(len(answer)) + answer)
    finally:
        os._exit(0)


def _received(connection: socket.socket, length: int) -> bytes:
    """Read exactly `length` bytes; empty when the other end has closed."""
    data = bytearray()
    while len(data) < length:
        chunk = connection.recv(min(_CHUNK, length - len(data)))
        if not chunk:
            return b""
        data += chunk
    return bytes(data)
