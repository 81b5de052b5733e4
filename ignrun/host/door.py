"""Owns the door of a host: the Unix socket through which modules in other hosts call those that run here."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

from ignrun.host.feed import Feed, Gone
from ignrun.host.provided import Streams, call_provided, open_provided
from ignrun.host.seat import Seat
from ignrun.host.wanted import Wanted
from ignrun.protocol.calls import Answer, Call, Cancel, Credit, End, Failed, Items, Open, PeerReply, PeerRequest
from ignrun.protocol.frames import UNSENDABLE, FrameError, Unframer, frame
from ignrun.sdk.raised import CallFailed

SeatOf = Callable[[str], Seat | None]


class Door:
    """Listens on the socket and serves whoever comes in; the folder's rights decide who can."""

    def __init__(self, path: str, seat_of: SeatOf, streams: Streams) -> None:
        self.path = path
        self._seat_of = seat_of
        self._streams = streams
        self._server: asyncio.Server | None = None
        self._visitors: set[_Visitor] = set()

    async def open(self) -> None:
        """Begin to listen; raises OSError."""
        loop = asyncio.get_running_loop()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(self.path)
            os.chmod(self.path, 0o600)  # noqa: PTH101 - before anybody can come in
            self._server = await loop.create_unix_server(self._visitor, sock=listener)
        except OSError:
            listener.close()
            raise

    def close(self) -> None:
        """Listen no more, send everybody away and take the socket away."""
        for visitor in tuple(self._visitors):
            visitor.leave()
        if self._server is not None:
            self._server.close()
        try:
            os.unlink(self.path)  # noqa: PTH108 - as it was made
        except OSError:
            pass  # somebody has cleaned up already

    def _visitor(self) -> "_Visitor":
        return _Visitor(self._seat_of, self._streams, self._visitors)


class _Visitor(asyncio.Protocol):
    """One connection from another host."""

    def __init__(self, seat_of: SeatOf, streams: Streams, visitors: "set[_Visitor]") -> None:
        self._seat_of = seat_of
        self._streams = streams
        self._visitors = visitors
        self._requests: Unframer[PeerRequest] = Unframer(PeerRequest)
        self._transport: asyncio.WriteTransport | None = None
        self._work: dict[int, asyncio.Task[None]] = {}
        self._credits: dict[int, _Credits] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._visitors.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._visitors.discard(self)
        for task in list(self._work.values()):
            task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            for request in self._requests.feed(data):
                self._received(request)
        except FrameError:
            self.leave()

    def leave(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _received(self, request: PeerRequest) -> None:
        match request:
            case Call():
                self._begin(request.id, self._call(request))
            case Open():
                self._credits[request.id] = _Credits(request.credit)
                self._begin(request.id, self._stream(request))
            case Credit(number, count):
                if (credit := self._credits.get(number)) is not None:
                    credit.add(count)
            case Cancel(number):
                if (task := self._work.get(number)) is not None:
                    task.cancel()

    def _begin(self, number: int, work: Any) -> None:
        task = self._work[number] = asyncio.Task(work, loop=asyncio.get_running_loop())
        task.add_done_callback(lambda _: self._done(number))

    def _done(self, number: int) -> None:
        self._work.pop(number, None)
        self._credits.pop(number, None)

    async def _call(self, request: Call) -> None:
        seat = self._seat_of(request.provider)
        if seat is None or seat.serving is None:
            self._absent(request)
            return
        provider = seat.serving
        try:
            value = await call_provided(provider, _wanted(request))
        except CallFailed as failed:
            self._send(Failed(request.id, "failed", str(failed)))
            return
        try:
            self._send(Answer(request.id, value))
        except UNSENDABLE as error:
            self._send(Failed(request.id, "failed", f"`{request.method}` returned what cannot be sent: {error}"))

    async def _stream(self, request: Open) -> None:
        seat = self._seat_of(request.provider)
        if seat is None or seat.serving is None:
            self._absent(request)
            return
        try:
            feed, pump = open_provided(seat.serving, _wanted(request), request.credit, request.overflow)
        except CallFailed as failed:
            self._send(Failed(request.id, "failed", str(failed)))
            return
        self._streams.add(seat.serving, pump)
        try:
            await self._pass_on(request, feed)
        finally:
            pump.cancel()

    async def _pass_on(self, request: Open, feed: Feed) -> None:
        """Send what the feed gives, as far as the reader's credit goes."""
        credit = self._credits[request.id]
        try:
            while True:
                most = await credit.some()
                values = await feed.take(most)
                if not values:
                    self._send(End(request.id))
                    return
                credit.spend(len(values))
                self._send_values(request.id, values)
        except Gone:
            self._absent(request)
        except CallFailed as failed:
            self._send(Failed(request.id, "failed", str(failed)))
        except UNSENDABLE as error:
            self._send(Failed(request.id, "failed", f"`{request.method}` yielded what cannot be sent: {error}"))

    def _send_values(self, number: int, values: list[Any]) -> None:
        """Send values in as many frames as they need; those before one that cannot be sent arrive."""
        try:
            self._send(Items(number, values))
        except UNSENDABLE:
            if len(values) == 1:
                raise
            middle = len(values) // 2
            self._send_values(number, values[:middle])
            self._send_values(number, values[middle:])

    def _absent(self, request: Call | Open) -> None:
        self._send(Failed(request.id, "unavailable", f"`{request.provider}` does not run there now"))

    def _send(self, reply: PeerReply) -> None:
        if self._transport is not None:
            self._transport.write(frame(reply))


def _wanted(request: Call | Open) -> Wanted:
    return Wanted(request.provider, request.method, request.args, request.kwargs)


class _Credits:
    """How many more values the reader of one stream can take."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._more: asyncio.Future[None] | None = None

    def add(self, count: int) -> None:
        self._count += count
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def spend(self, count: int) -> None:
        self._count -= count

    async def some(self) -> int:
        """Wait until there is credit, and give how much."""
        while self._count <= 0:
            self._more = asyncio.get_running_loop().create_future()
            await self._more
        return self._count
