"""Owns the connections from this host to the doors of others, each shared by all calls and streams that go there."""

import asyncio
from collections.abc import Callable
from typing import Any

from ignrun.host.feed import Feed, Gone
from ignrun.host.wanted import Wanted
from ignrun.protocol.calls import Answer, Call, Cancel, Credit, End, Failed, Items, Open, PeerReply
from ignrun.protocol.frames import UNSENDABLE, FrameError, Unframer, frame
from ignrun.sdk.peer import Overflow
from ignrun.sdk.raised import CallFailed, Unavailable


class NotThere(Exception):  # noqa: N818 - says where the provider is not
    """The provider cannot be called there now; nothing has been done, it may be tried again."""


class Stream:
    """A stream as its reader holds it."""

    def __init__(self, feed: Feed, taken: Callable[[int], None], cancel: Callable[[], object]) -> None:
        self._feed = feed
        self._taken = taken
        self._cancel = cancel

    async def take(self) -> list[Any]:
        """Give the next values, none at the end."""
        values = await self._feed.take()
        self._taken(len(values))
        return values

    def close(self) -> None:
        """Read no more."""
        self._feed.close()
        self._cancel()


class Wires:
    """Opens a connection when it is first needed, and anew when it was lost."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._wires: dict[str, asyncio.Task[_Wire]] = {}

    async def call(self, socket: str, wanted: Wanted) -> Any:
        """Call a method in another host; raises CallFailed, NotThere, or Unavailable when the connection breaks meanwhile."""
        wire = await self._wire(socket)
        number, future = wire.expect()
        try:
            wire.send(Call(number, *wanted))
            return await future
        finally:
            wire.forget(number, cancel=not future.done() or future.cancelled())

    async def open(self, socket: str, wanted: Wanted, buffer: int, overflow: Overflow) -> Stream:
        """Open a stream from another host; raises CallFailed or NotThere."""
        wire = await self._wire(socket)
        number, feed = wire.expect_stream(buffer)
        credit = max(1, buffer // 3)  # as many again in the reader's hands, and at the provider's side
        try:
            wire.send(Open(number, *wanted, credit, overflow))
        except CallFailed:
            wire.forget(number, cancel=False)
            raise
        owed = 0

        def taken(count: int) -> None:
            nonlocal owed
            owed += count
            if owed * 2 >= credit:
                wire.send(Credit(number, owed))
                owed = 0

        return Stream(feed, taken, lambda: wire.forget(number, cancel=True))

    def close(self) -> None:
        """Close every connection."""
        for task in self._wires.values():
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().close()
            else:
                task.cancel()

    async def _wire(self, socket: str) -> "_Wire":
        task = self._wires.get(socket)
        if task is None or (task.done() and (task.cancelled() or task.exception() or task.result().lost)):
            task = self._wires[socket] = asyncio.Task(_connect(self.loop, socket), loop=self.loop)
        try:
            return await asyncio.shield(task)
        except OSError as error:
            message = f"the host behind `{socket}` cannot be reached: {error.strerror or error}"
            raise NotThere(message) from error


async def _connect(loop: asyncio.AbstractEventLoop, socket: str) -> "_Wire":
    _, wire = await loop.create_unix_connection(_Wire, socket)
    return wire


class _Wire(asyncio.Protocol):
    """One connection; requests are numbered, replies find their way by the number."""

    def __init__(self) -> None:
        self.lost = False
        self._transport: asyncio.WriteTransport | None = None
        self._replies: Unframer[PeerReply] = Unframer(PeerReply)
        self._number = 0
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._feeds: dict[int, Feed] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.lost = True
        for future in self._calls.values():
            if not future.done():
                message = "the provider's host went away during the call; whether it had an effect there is not known"
                future.set_exception(Unavailable(message))
        for feed in self._feeds.values():
            feed.end(Gone())

    def data_received(self, data: bytes) -> None:
        try:
            for reply in self._replies.feed(data):
                self._received(reply)
        except FrameError:
            self.close()

    def expect(self) -> tuple[int, "asyncio.Future[Any]"]:
        """Take a number for a call."""
        self._number += 1
        future = self._calls[self._number] = asyncio.get_running_loop().create_future()
        return self._number, future

    def expect_stream(self, buffer: int) -> tuple[int, Feed]:
        """Take a number for a stream."""
        self._number += 1
        feed = self._feeds[self._number] = Feed(buffer, "block")
        return self._number, feed

    def send(self, request: Call | Open | Credit | Cancel) -> None:
        """Send a request, unless the connection is gone; raises CallFailed for values that cannot be sent."""
        if self.lost or self._transport is None:
            return
        try:
            self._transport.write(frame(request))
        except UNSENDABLE as error:
            message = f"arguments are values of msgpack's types: {error}"
            raise CallFailed(message) from error

    def forget(self, number: int, *, cancel: bool) -> None:
        """Wait no more for a call or a stream."""
        call, feed = self._calls.pop(number, None), self._feeds.pop(number, None)
        if cancel and (call is not None or feed is not None):
            self.send(Cancel(number))

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _received(self, reply: PeerReply) -> None:
        match reply:
            case Answer(number, value):
                future = self._calls.get(number)
                if future is not None and not future.done():
                    future.set_result(value)
            case Items(number, values):
                if (feed := self._feeds.get(number)) is not None:
                    for value in values:
                        feed.put_now(value)
            case End(number):
                self._end(number, None)
            case Failed(number, kind, reason):
                self._end(number, CallFailed(reason) if kind == "failed" else NotThere(reason))

    def _end(self, number: int, outcome: Exception | None) -> None:
        future, feed = self._calls.get(number), self._feeds.pop(number, None)
        if future is not None and not future.done() and outcome is not None:
            future.set_exception(outcome)
        if feed is not None:
            feed.end(Gone() if isinstance(outcome, NotThere) else outcome)
