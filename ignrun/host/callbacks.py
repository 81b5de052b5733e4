"""Calls module code: on the loop or on a thread, within its time, and turns what goes wrong into a Faulted."""

import asyncio
import contextvars
import inspect
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NamedTuple

from ignrun.host.deadlines import Deadlines
from ignrun.host.faults import Faulted, fault_of, place_of, timed_out
from ignrun.host.masking import Masker
from ignrun.host.stall import line_of

THREADS: Final = 256
"""How many plain callbacks may run at the same time in one host."""

GRACE: Final = 1.0
"""Seconds that a cancelled callback has to end before it is left behind."""

_BLOCKED: Final = 0.01
"""Seconds from which on the first step of a callback counts as part of its time."""

Lost = Callable[[str, float], None]

whose: contextvars.ContextVar[str] = contextvars.ContextVar("ignrun_address", default="")
"""Address of the instance whose code is running; tasks that a module makes inherit it."""


class Abandoned(Exception):  # noqa: N818 - says what happened to the callback
    """The callback ended long after everybody had given up on it."""


class Caller:
    """Calls the callbacks of one incarnation, one at a time; knows which of them still runs on a thread."""

    __slots__ = ("_deadlines", "_lost", "_masker", "_pool", "_thread", "abandoned", "busy", "lost_in")

    def __init__(self, pool: ThreadPoolExecutor, masker: Masker, deadlines: Deadlines) -> None:
        self._pool = pool
        self._deadlines = deadlines
        self._masker = masker
        self._thread = 0
        self.busy: tuple[str, Future[Any]] | None = None
        self.abandoned = False
        self.lost_in: asyncio.Task[Any] | None = None
        self._lost = ""

    @property
    def overdue(self) -> str:
        """Say what still runs although nobody waits for it any more; empty when nothing does."""
        lost = self.lost_in is not None and not self.lost_in.done()
        return self.on_thread or (self._lost if lost else "")

    @property
    def on_thread(self) -> str:
        """Name of the plain callback that still runs on a thread, empty when none does."""
        return self.busy[0] if self.busy is not None and not self.busy[1].done() else ""

    async def invoke(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function: await what is async, run what is not on a thread."""
        return await (function(*args) if is_async(function) else self._threaded(name, function, *args))

    async def _threaded(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        work = self._pool.submit(self._on_thread, contextvars.copy_context(), function, args)
        self.busy = (name, work)
        return await settled(name, await asyncio.wrap_future(work))

    def _on_thread(self, context: contextvars.Context, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        self._thread = threading.get_ident()
        return context.run(into_future, function, *args)

    def where(self, error: BaseException | None) -> str:
        """Say at which line of the module's own code a callback was when its time was over; empty where that is not known."""
        if self.on_thread:
            return line_of(sys._current_frames().get(self._thread))  # noqa: SLF001 - the documented way to see another thread
        return place_of(error) if error is not None else ""

    async def within(self, seconds: float, name: str, function: Callable[..., Any], *args: Any, lost: Lost) -> Any:
        """Call a callback and wait so many seconds for it; raises Faulted, or CancelledError when a stop wants it to end.

        `lost` is told name and time when the callback goes on although it was cancelled; it will be Abandoned then.
        """
        task = asyncio.current_task()
        assert task is not None
        answer, caught, deadline = None, None, None
        began = time.monotonic()
        try:
            work = _begun(function(*args)) if is_async(function) else self._threaded(name, function, *args)
            if isinstance(work, _Finished):
                answer = work.answer
            else:
                spent = time.monotonic() - began
                left = seconds if spent < _BLOCKED else max(0.0, seconds - spent)
                deadline = _Limit(self._deadlines, task, left, partial(self._late, name, seconds, lost, task))
                answer = await work
        except BaseException as error:  # noqa: BLE001 - module code raises what it likes
            caught = error
        finally:
            if deadline is not None:
                deadline.end()
        if self.abandoned:
            raise Abandoned(name)
        if task.cancelling() > 0:
            raise asyncio.CancelledError(name)
        if deadline is not None and deadline.expired:
            raise Faulted(timed_out(name, seconds, self.where(caught), ended=not self.on_thread)) from caught
        if caught is not None:
            raise Faulted(fault_of(caught, name, self._masker)) from caught
        return answer

    def _late(self, name: str, seconds: float, lost: Lost, task: "asyncio.Task[Any]") -> None:
        self.give_up(task, name)
        lost(name, seconds)

    def give_up(self, task: "asyncio.Task[Any]", name: str = "a callback") -> None:
        """Wait no more for the callback that runs in this task."""
        self.abandoned = True
        self.lost_in, self._lost = task, name

    async def thread_ended(self, seconds: float) -> bool:
        """Wait so many seconds for the callback that still runs on a thread; tells whether none does any more."""
        if self.busy is not None and not self.busy[1].done():
            await asyncio.wait({asyncio.wrap_future(self.busy[1])}, timeout=seconds)
        return not self.on_thread


class _Finished(NamedTuple):
    """A callback that had nothing to wait for."""

    answer: Any


class _Rest(Awaitable[Any]):
    """A coroutine whose first step has been taken; `waits` is what that ended with."""

    __slots__ = ("_waits", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], waits: Any) -> None:
        self._work = work
        self._waits = waits

    def __await__(self) -> Generator[Any, Any, Any]:
        """Go on as `yield from` would."""
        waits = self._waits
        while True:
            step: Callable[[Any], Any] = self._work.send
            try:
                given = yield waits
            except GeneratorExit:
                self._work.close()
                raise
            except BaseException as error:  # noqa: BLE001 - handed to the coroutine
                step, given = self._work.throw, error
            try:
                waits = step(given)
            except StopIteration as done:
                return done.value


def _begun(work: Coroutine[Any, Any, Any]) -> _Finished | _Rest:
    """Take the first step of a coroutine: most callbacks of most modules need no other, and no deadline."""
    try:
        return _Rest(work, work.send(None))
    except StopIteration as done:
        return _Finished(done.value)


class _Limit:
    """Cancels a task when its time is over, and calls `late` when that did not end what it does."""

    __slots__ = ("_deadline", "_deadlines", "_late", "_task", "expired")

    def __init__(
        self, deadlines: Deadlines, task: "asyncio.Task[Any]", seconds: float, late: Callable[[], None]
    ) -> None:
        self.expired = False
        self._deadlines = deadlines
        self._task = task
        self._late = late
        self._deadline = deadlines.after(seconds, self._expire)

    def _expire(self) -> None:
        self.expired = True
        self._deadline = self._deadlines.after(GRACE, self._late)
        self._task.cancel()

    def end(self) -> None:
        """Let the task go on; its own cancellation, not that of others, is taken back."""
        self._deadline.end()
        if self.expired:
            self._task.uncancel()


def into_future(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function whose outcome goes into a future, which takes any exception but StopIteration."""
    try:
        return function(*args, **kwargs)
    except StopIteration as error:
        message = "StopIteration was raised out of a callback"
        raise RuntimeError(message) from error


async def settled(name: str, answer: Any) -> Any:
    """Await what a plain function has returned, where it can be awaited; raises TypeError where nothing of the function has run."""
    if inspect.isgenerator(answer) or inspect.isasyncgen(answer):
        message = f"`{name}` has a `yield`: nothing of it runs when it is called"
        raise TypeError(message)
    return await answer if inspect.isawaitable(answer) else answer


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether a call gives a coroutine: what `inspect` tells, the usual case asked for first."""
    code = getattr(getattr(function, "__func__", None), "__code__", None)
    return (code is not None and code.co_flags & inspect.CO_COROUTINE > 0) or inspect.iscoroutinefunction(function)


def on_own_thread(function: Callable[[], Any], name: str) -> "asyncio.Future[Any]":
    """Run a plain main loop on a thread of its own, which ends with the process at the latest."""
    work: Future[Any] = Future()
    context = contextvars.copy_context()

    def body() -> None:
        try:
            work.set_result(context.run(into_future, function))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
            work.set_exception(error)

    threading.Thread(target=body, name=name, daemon=True).start()
    return asyncio.wrap_future(work)
