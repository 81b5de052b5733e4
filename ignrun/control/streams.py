"""Turns what goes on in a runner into answers without a length: server-sent events, and the lines of an apply."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from ignrun.control.feed import EventFeed
from ignrun.control.guard import Receive, Scope, Send
from ignrun.control.port import Steering
from ignrun.control.wire import ApplyLine, ApplyRequest, Ended, Problem, Progressed
from ignrun.render.outcome import OutcomeReport
from ignrun.terms.events import Event
from ignrun.terms.failure import Failure

HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment is sent, so that either end notices when the other is gone."""


class Streams:
    """The open streams of one server; what a client has not taken yet waits in the journal, not here."""

    def __init__(self) -> None:
        """Begin without any."""
        self._writing: set[asyncio.Task[None]] = set()

    def answer(self, pieces: AsyncIterator[bytes], media_type: str) -> "Stream":
        """Make an answer of these pieces; it ends early when the client goes or the server closes."""
        return Stream(pieces, media_type, self._writing)

    def close(self) -> None:
        """End every stream."""
        for task in self._writing:
            task.cancel()


class Stream:
    """One answer (an ASGI application) that is written as its pieces come."""

    def __init__(self, pieces: AsyncIterator[bytes], media_type: str, writing: set[asyncio.Task[None]]) -> None:
        """Take the pieces and where to enter the task that writes them."""
        self._pieces = pieces
        self._media_type = media_type
        self._writing = writing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write until the pieces end, the client is gone, or the server closes."""
        headers = [(b"content-type", self._media_type.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] != "HEAD":
            await self._write_while_heard(receive, send)
        await send({"type": "http.response.body", "body": b""})

    async def _write_while_heard(self, receive: Receive, send: Send) -> None:
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_gone(receive))
        self._writing.add(writing)
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writing.discard(writing)
            for task in (writing, leaving):
                task.cancel()
            await asyncio.wait({writing, leaving})
        if not writing.cancelled():
            writing.result()

    async def _write(self, send: Send) -> None:
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def event_stream(feed: EventFeed, after: int, *, follow: bool) -> AsyncIterator[bytes]:
    """Give server-sent events with numbers above `after`, each with its number as id; without `follow` only those that are."""
    end = feed.last
    while follow or after < end:
        events: tuple[Event, ...] = ()
        try:
            async with asyncio.timeout(HEARTBEAT):
                events = await feed.wait_after(after)
        except TimeoutError:
            yield b": still here\n\n"
        if events:
            after = events[-1].seq
            yield b"".join(_sent(event) for event in events if follow or event.seq <= end)


def _sent(event: Event) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (event.seq, msgspec.json.encode(event))


async def apply_stream(
    steering: Steering, request: ApplyRequest, applies: set[asyncio.Task[OutcomeReport]]
) -> AsyncIterator[bytes]:
    """Have a request applied and give its lines: the events of the plant meanwhile, then the outcome or a problem.

    The apply goes on when nobody takes the lines any more; `applies` keeps it.
    """
    feed = steering.feed
    seen = feed.last
    task = asyncio.create_task(steering.apply(request))
    applies.add(task)
    task.add_done_callback(applies.discard)
    while not task.done():
        await _either(task, feed, seen)
        while events := feed.after(seen):
            seen = events[-1].seq
            yield b"".join(_line(Progressed(event)) for event in events)
    yield _line(_ending(task))


async def _either(task: "asyncio.Task[OutcomeReport]", feed: EventFeed, seen: int) -> None:
    """Wait until the apply has ended or something has happened."""
    news = asyncio.create_task(feed.wait_after(seen, 1))
    try:
        await asyncio.wait({task, news}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        news.cancel()


def _ending(task: "asyncio.Task[OutcomeReport]") -> ApplyLine:
    try:
        return Ended(task.result())
    except Failure as failure:
        return problem_of(failure)


def problem_of(failure: Failure) -> Problem:
    """Turn a failure into what crosses the socket."""
    return Problem(failure.summary, failure.hint, type(failure).__name__)


def _line(line: ApplyLine) -> bytes:
    return msgspec.json.encode(line) + b"\n"
