"""Turns what goes on in a runner into answers without a length: events, log lines, and the course of an apply."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import msgspec

from ignrun.control.exchange import problem_of
from ignrun.control.feed import EventFeed
from ignrun.control.guard import Receive, Scope, Send
from ignrun.control.sse import BEGINNING, MEDIA_TYPE, STILL_HERE, Message, written
from ignrun.render.outcome import OutcomeReport
from ignrun.runtime.observe.reader import POLL, LogReader
from ignrun.runtime.observe.record import LogRecord
from ignrun.terms.events import Event
from ignrun.terms.failure import Failure

HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment is sent, so that either end notices when the other is gone."""

MOST: Final = 512
"""Streams that one runner serves at once."""


class Streams:
    """The open streams of one server; what a client has not taken yet waits in the journal, not here."""

    def __init__(self) -> None:
        """Begin without any."""
        self._writing: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Tell whether there are so many streams that another one is refused."""
        return len(self._writing) >= MOST

    def answer(self, pieces: AsyncIterator[bytes]) -> "Stream":
        """Make an answer of these pieces; it ends early when the client goes or the server closes."""
        return Stream(pieces, self._writing)

    def close(self) -> None:
        """End every stream."""
        for task in self._writing:
            task.cancel()


class Stream:
    """One answer (an ASGI application) that is written as its pieces come."""

    def __init__(self, pieces: AsyncIterator[bytes], writing: set[asyncio.Task[None]]) -> None:
        """Take the pieces and where to enter the task that writes them."""
        self._pieces = pieces
        self._writing = writing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write until the pieces end, the client is gone, or the server closes."""
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
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
        await send({"type": "http.response.body", "body": BEGINNING, "more_body": True})
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


# --- events -----------------------------------------------------------------------------------------------------------


async def event_stream(feed: EventFeed, after: int, *, follow: bool) -> AsyncIterator[bytes]:
    """Give events with numbers above `after`, each with its number as id; without `follow` only those that are."""
    end = feed.last
    while follow or after < end:
        events: tuple[Event, ...] = ()
        try:
            async with asyncio.timeout(HEARTBEAT):
                events = await feed.wait_after(after)
        except TimeoutError:
            yield STILL_HERE
        if events:
            after = events[-1].seq
            yield b"".join(feed.written(event) for event in events if follow or event.seq <= end)


# --- an apply ---------------------------------------------------------------------------------------------------------


async def apply_stream(feed: EventFeed, apply: Callable[[], "asyncio.Task[OutcomeReport]"]) -> AsyncIterator[bytes]:
    """Begin an apply and give the events of the plant meanwhile, then its `outcome` or a `problem`; it goes on without a reader."""
    seen = feed.last
    task = apply()
    while not task.done():
        if not await _either(task, feed, seen):
            yield STILL_HERE
        while events := feed.after(seen):
            seen = events[-1].seq
            yield b"".join(map(feed.written, events))
    yield _ending(task)


async def _either(task: "asyncio.Task[OutcomeReport]", feed: EventFeed, seen: int) -> bool:
    """Wait until the apply has ended or something has happened; False after a silence."""
    news = asyncio.create_task(feed.wait_after(seen, 1))
    try:
        done, _ = await asyncio.wait({task, news}, return_when=asyncio.FIRST_COMPLETED, timeout=HEARTBEAT)
    finally:
        news.cancel()
    return bool(done)


def _ending(task: "asyncio.Task[OutcomeReport]") -> bytes:
    try:
        return written(Message(msgspec.json.encode(task.result()), "outcome"))
    except Failure as failure:
        return written(Message(msgspec.json.encode(problem_of(failure)), "problem"))


def begun(
    work: Coroutine[Any, Any, OutcomeReport], applies: set["asyncio.Task[OutcomeReport]"]
) -> "asyncio.Task[OutcomeReport]":
    """Begin an apply in a task of its own, which `applies` keeps: it does not need its client."""
    task = asyncio.create_task(work)
    applies.add(task)
    task.add_done_callback(applies.discard)
    return task


# --- logs -------------------------------------------------------------------------------------------------------------


async def log_stream(make: Callable[[], LogReader], lines: int, *, follow: bool) -> AsyncIterator[bytes]:
    """Give the last `lines` records and, with `follow`, those that come; the id of each is its time. Files are read in a thread."""
    reader = await asyncio.to_thread(make)
    for some in _batches(await asyncio.to_thread(reader.tail, lines)):
        yield some
    silence = 0.0
    while follow:
        records = await asyncio.to_thread(reader.new)
        silence = 0.0 if records else silence + POLL
        for some in _batches(records):
            yield some
        if silence > HEARTBEAT:
            silence = 0.0
            yield STILL_HERE
        await asyncio.sleep(POLL)


def _batches(records: list[LogRecord], size: int = 256) -> list[bytes]:
    parts = [written(Message(msgspec.json.encode(one), id=one.at.isoformat())) for one in records]
    return [b"".join(parts[at : at + size]) for at in range(0, len(parts), size)]
