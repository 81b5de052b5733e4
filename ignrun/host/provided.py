"""Calls and streams what modules of this host provide, for dependents in this host and, through the door, in others."""

import asyncio
import contextvars
import inspect
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from ignrun.host.callbacks import into_future, whose
from ignrun.host.faults import one_line
from ignrun.host.feed import Feed, Gone
from ignrun.host.incarnation import Incarnation
from ignrun.host.seat import SERVING
from ignrun.host.steps import Marked, mark
from ignrun.host.wanted import Wanted
from ignrun.sdk.marks import is_provided, provided_names
from ignrun.sdk.peer import Overflow
from ignrun.sdk.raised import CallFailed


async def call_provided(provider: Incarnation, wanted: Wanted) -> Any:
    """Call a provided method here; raises CallFailed."""
    function = _method(provider, wanted.method)
    if inspect.isasyncgenfunction(function):
        message = f"`{wanted.method}` of `{provider.address}` is a stream: write `peer.stream({wanted.method!r})`"
        raise CallFailed(message)
    token = whose.set(provider.address)
    mark(provider.address)
    try:
        if inspect.iscoroutinefunction(function):
            return await function(*wanted.args, **wanted.kwargs)
        work = partial(contextvars.copy_context().run, into_future, function, *wanted.args, **wanted.kwargs)
        return await asyncio.get_running_loop().run_in_executor(provider.stage.pool, work)
    except CallFailed:
        raise
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and _is_asked_to_end():
            raise
        raise _failure(provider, wanted.method, error) from error
    finally:
        whose.reset(token)


def open_provided(
    provider: Incarnation, wanted: Wanted, size: int, overflow: Overflow
) -> tuple[Feed, "asyncio.Task[None]"]:
    """Open a stream of a provider here; raises CallFailed. The task fills the feed and is cancelled by whoever closes it."""
    function = _method(provider, wanted.method)
    if not inspect.isasyncgenfunction(function):
        message = f"`{wanted.method}` of `{provider.address}` is no stream: write `await peer.call({wanted.method!r})`"
        raise CallFailed(message)
    try:
        generator = function(*wanted.args, **wanted.kwargs)
    except TypeError as error:
        raise _failure(provider, wanted.method, error) from error
    feed = Feed(size, overflow)
    context = contextvars.copy_context()
    context.run(whose.set, provider.address)
    # Not of the loop's task factory: the provider's own stop ends it through `Streams`, before tasks are looked at.
    work = Marked(_pump(provider, wanted.method, generator, feed), provider.address)
    task = context.run(asyncio.Task, work, loop=asyncio.get_running_loop())
    return feed, task


async def _pump(provider: Incarnation, method: str, generator: AsyncIterator[Any], feed: Feed) -> None:
    outcome: BaseException | None = None
    try:
        async for value in generator:
            await feed.put(value)
    except BaseException as error:  # noqa: BLE001 - module code raises what it likes
        ended = isinstance(error, asyncio.CancelledError) and _is_asked_to_end()
        outcome = Gone(provider.address) if ended else _failure(provider, method, error)
    finally:
        close = getattr(generator, "aclose", None)
        if close is not None:
            await _closed(close())
        gone = provider.state not in SERVING
        feed.end(Gone(provider.address) if gone else outcome)


def _is_asked_to_end() -> bool:
    """Tell a cancellation of this task from one that module code raises of itself, as by awaiting a task that was cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _closed(closing: Any) -> None:
    try:
        await closing
    except BaseException:  # noqa: S110, BLE001 - module code; the stream is over whatever it says
        pass


def _method(provider: Incarnation, method: str) -> Any:
    if not is_provided(provider.kind, method):
        known = ", ".join(provided_names(provider.kind)) or "nothing"
        message = f"`{provider.address}` does not provide `{method}` (it provides {known})"
        raise CallFailed(message)
    return getattr(provider.module, method)


def _failure(provider: Incarnation, method: str, error: BaseException) -> CallFailed:
    return CallFailed(f"`{method}` of `{provider.address}` raised {one_line(error, provider.stage.masker)}")


class Streams:
    """The streams that providers of this host feed; those of one provider end when it stops."""

    def __init__(self) -> None:
        self._open: dict[Incarnation, set[asyncio.Task[None]]] = {}

    def add(self, provider: Incarnation, task: "asyncio.Task[None]") -> None:
        """Remember a stream until it ends."""
        tasks = self._open.setdefault(provider, set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def end_of(self, provider: Incarnation) -> None:
        """End the streams of a provider that does not run any more."""
        for task in self._open.pop(provider, ()):
            task.cancel()
