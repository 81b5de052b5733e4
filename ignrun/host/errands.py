"""Owns the errands of bringing instances up and down: those that wait their turn, and the tasks that carry them out.

A task carries out one errand after the other as long as none of them has to wait; one that has to keeps the task to itself. So
thousands of callbacks that never wait share few tasks, and no turn of the loop takes much longer than `BUDGET`.
"""

import asyncio
import contextvars
import time
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final

from ignrun.host.callbacks import whose
from ignrun.host.steps import Here, Left
from ignrun.protocol.pulse import MARK, mark_of

BUDGET: Final = 0.002
"""Seconds of one turn of the loop in which errands are begun; at least one is."""

AT_ONCE: Final = 64
"""How many errands that have to wait may be begun in one turn."""

_PARKED: Final = object()
_OVER: Final = object()


class _Parking:
    """Awaited by an errand that waits for others: it holds no task until it is resumed."""

    def __await__(self) -> Generator[Any, None, None]:
        yield _PARKED


parking: Final = _Parking()


class Errand:
    """Something to do for the instance `address`: not begun, under way, parked, or ended, with the `error` that ended it if any did.

    `finish` is told when it has ended, but not when it was dropped before it began.
    """

    __slots__ = (
        "_context", "_finish", "_mark", "_over", "_steps", "_work", "address", "ended", "error", "parked", "task", "withdrawn", "word",
    )  # fmt: skip

    def __init__(
        self, address: str, word: str, work: Callable[[], Coroutine[Any, Any, None]], finish: "Callable[[Errand], None]"
    ) -> None:
        """Take what to do; `word` says it (`start`)."""
        self.address = address
        self.word = word
        self.ended = False
        self.parked = False
        self.withdrawn = False
        self.error: BaseException | None = None
        self.task: asyncio.Task[None] | None = None
        self._work = work
        self._finish = finish
        self._steps: Coroutine[Any, Any, None] | None = None
        self._over: asyncio.Future[None] | None = None

    @property
    def begun(self) -> bool:
        """Tell whether any of it has been done."""
        return self._steps is not None

    def drop(self) -> None:
        """Do not even begin."""
        self.ended = True

    async def over(self, seconds: float | None = None) -> bool:
        """Wait until it has ended, at most so many seconds; tells whether it has."""
        if not self.ended:
            if self._over is None:
                self._over = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._over}, timeout=seconds)
        return self.ended

    def go_on(self, context: contextvars.Context) -> Any:
        """Take the next step: gives what it waits for, or that it is parked or over."""
        if self._steps is None:
            self._context = context.copy()
            self._context.run(whose.set, self.address)
            self._mark = mark_of(self.address)
            self._steps = self._work()
        self.parked = False
        if self.withdrawn:
            return self._step(self._steps.throw, asyncio.CancelledError())
        return self._step(self._steps.send, None)

    async def keep(self, waits: Any, task: "asyncio.Task[None]") -> None:
        """Go on in this task until it ends or is parked."""
        task.set_name(f"{self.address} {self.word}")
        self.task = task
        await self._carry_on(waits)
        self.task = None

    @types.coroutine
    def _carry_on(self, waits: Any) -> Generator[Any, Any, None]:
        steps = self._steps
        assert steps is not None
        while waits is not _OVER and waits is not _PARKED:
            try:
                given = yield waits
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:  # noqa: BLE001 - handed to the errand
                waits = self._step(steps.throw, error)
            else:
                waits = self._step(steps.send, given)

    def _step(self, step: Callable[[Any], Any], given: Any) -> Any:
        """Take one step, marked as the instance's and in the errand's own context, whichever task does."""
        Here.pulse.page[MARK] = self._mark
        try:
            waits = self._context.run(step, given)
        except StopIteration:
            self._end(None)
            return _OVER
        except (SystemExit, KeyboardInterrupt) as left:
            self._end(Left(left))
            return _OVER
        except BaseException as error:  # noqa: BLE001 - told to `finish`
            self._end(error)
            return _OVER
        self.parked = waits is _PARKED
        return waits

    def _end(self, error: BaseException | None) -> None:
        self.ended, self.error = True, error
        self._finish(self)
        if self._over is not None and not self._over.done():
            self._over.set_result(None)


class Errands:
    """The errands of one host; used on its event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with none."""
        self._loop = loop
        self._context = contextvars.copy_context()
        self._urgent: deque[Errand] = deque()
        self._waiting: deque[Errand] = deque()
        self._planned = False
        self._hands = 1
        self._kept = 0
        self._until = 0.0

    def add(self, errand: Errand, *, urgent: bool = False) -> None:
        """Have it carried out in one of the next turns, before all that are not `urgent` when it is."""
        (self._urgent if urgent else self._waiting).append(errand)
        if not self._planned:
            self._planned = True
            self._begin_turn()

    def resume(self, errand: Errand) -> None:
        """Go on with one that is parked."""
        errand.parked = False
        self.add(errand, urgent=True)

    def cancel(self, errand: Errand) -> None:
        """Have what it waits for raise CancelledError, as the cancellation of a task does."""
        if errand.task is not None:
            errand.task.cancel()
        elif not errand.withdrawn:
            errand.withdrawn = True
            if errand.parked:
                self.resume(errand)

    def _begin_turn(self) -> None:
        """Set tasks to work in the next turn, twice as many where all were kept in this one, and look again behind them."""
        due = len(self._urgent) + len(self._waiting)
        if not due:
            self._planned, self._hands = False, 1
            return
        self._hands = min(AT_ONCE, self._hands * 2) if self._kept >= self._hands else max(1, self._kept)
        self._kept, self._until = 0, 0.0
        for _ in range(min(self._hands, due)):
            asyncio.Task(self._serve(), loop=self._loop, context=self._context)
        self._loop.call_soon(self._begin_turn)

    async def _serve(self) -> None:
        """Carry out errands until this turn's time is over, or one of them has to wait."""
        task = asyncio.current_task()
        assert task is not None
        self._until = self._until or time.monotonic() + BUDGET
        while time.monotonic() < self._until and (errand := self._next()) is not None:
            waits = errand.go_on(self._context)
            if waits is not _OVER and waits is not _PARKED:
                self._kept += 1
                await errand.keep(waits, task)
                return
            if task.cancelling():  # the errand's own code did that
                return

    def _next(self) -> Errand | None:
        while waiting := self._urgent or self._waiting:
            errand = waiting.popleft()
            if not errand.ended:
                return errand
        return None
