"""Winds an incarnation down: its main loop, its checks, its hook, its `shutdown`, and what its code has left running."""

import asyncio
from typing import TYPE_CHECKING, Final

from ignrun.host.callbacks import Abandoned
from ignrun.host.faults import Faulted, one_line
from ignrun.sdk.surroundings import logger_of
from ignrun.terms.fault import Fault

if TYPE_CHECKING:
    from ignrun.host.incarnation import Incarnation

_THREADS_GRACE: Final = 0.5
"""Seconds that threads of a module have to end after its `shutdown`."""


async def wind_down(incarnation: "Incarnation") -> Fault | None:
    """End everything of it, in order and within the time of a stop; gives the first fault of the shutdown."""
    incarnation.stopping.set()
    seconds, now = incarnation.assignment.timeouts.stop, asyncio.get_running_loop().time
    end, left = now() + seconds, []
    if incarnation.checks is not None:
        await incarnation.checks.end()
    if incarnation.reviser is not None:
        await incarnation.reviser.end(seconds / 4)
    if incarnation.main_loop is not None:
        left += await _end_main_loop(incarnation, incarnation.main_loop, seconds / 2)
    fault = None
    if incarnation.caller.abandoned or not await _idle(incarnation, max(seconds / 4, end - now())):
        left.append(f"`{incarnation.overdue or 'a callback'}`, still running, so that `shutdown` was not called")
    elif incarnation.module is not None and not incarnation.shut_down:
        incarnation.shut_down = True
        fault = await _shut_down(incarnation, max(seconds / 4, end - now()))
    if tasks := incarnation.stage.tasks_of(incarnation.address):
        left += await _end_tasks(incarnation, tasks)
    if incarnation.stage.threads_of(incarnation.address):
        left += await _threads_left(incarnation)
    if left:
        incarnation.stage.unfinished(incarnation, tuple(left))
    return fault


async def _end_main_loop(incarnation: "Incarnation", loop: "asyncio.Task[None]", seconds: float) -> list[str]:
    if loop.done() or loop is asyncio.current_task():
        return []
    if not incarnation.run_on_thread:
        loop.cancel()
    await asyncio.wait({loop}, timeout=seconds)
    return [] if loop.done() else ["run"]


async def _idle(incarnation: "Incarnation", seconds: float) -> bool:
    """Wait for the callback that still runs on a thread; tells whether none runs any more."""
    return await incarnation.caller.thread_ended(seconds) and not incarnation.overdue


async def _shut_down(incarnation: "Incarnation", seconds: float) -> Fault | None:
    """Call `shutdown` of the hook, then of the module, whatever the first one did."""
    first: Fault | None = None
    callbacks = (
        (incarnation.callback,) if incarnation.hook is None else (incarnation.hook_callback, incarnation.callback)
    )
    for callback in callbacks:
        try:
            await callback("shutdown", seconds)
        except Faulted as faulted:
            first = first or faulted.fault
        except Abandoned:
            return first
    return first


async def _end_tasks(incarnation: "Incarnation", tasks: "list[asyncio.Task[object]]") -> list[str]:
    """Cancel the tasks that its code has made, but the one that runs this; names those that do not end."""
    others = [task for task in tasks if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=1.0)
    for task in others:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            said = one_line(error, incarnation.stage.masker)
            logger_of(incarnation.address).warning("task `%s` ended with %s", task.get_name(), said)
    return [f"task {task.get_name()}" for task in others if not task.done()]


async def _threads_left(incarnation: "Incarnation") -> list[str]:
    """Give threads a moment to end; nobody can end them from outside."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _THREADS_GRACE
    while threads := incarnation.stage.threads_of(incarnation.address):
        if loop.time() >= end:
            return [f"thread {thread.name}" for thread in threads]
        await asyncio.sleep(0.01)
    return []
