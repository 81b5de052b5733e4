"""Owns the lists of tasks and threads that the code of each instance has made, so that none of them outlives it unnamed."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Final

from ignrun.host.callbacks import whose
from ignrun.host.steps import Left, Marked
from ignrun.sdk.surroundings import logger_of

POOLS: Final = ("callback_", "asyncio_")
"""Beginnings of the names of threads that all instances share."""


_PATIENCE: Final = 1.0
"""Seconds after which a failed task is taken for one that nobody awaits."""


def _is_unheard(task: "asyncio.Task[Any]") -> bool:
    """Tell whether a task has failed and nobody has asked how it ended; asking would count as having heard."""
    return bool(getattr(task, "_log_traceback", False))


def _tell(address: str, task: "asyncio.Task[Any]") -> None:
    if _is_unheard(task):
        said = "task `%s` failed, and nobody awaits it"
        logger_of(address).error(said, task.get_name(), exc_info=task.exception())


class Ledger:
    """A task factory that remembers whose code made a task; tasks of the host itself are not listed."""

    def __init__(self, on_left: Callable[[str, Left], None] | None = None) -> None:
        """Take whom to tell of a task that wanted to end the process, and whose it was."""
        self.on_left = on_left
        self._tasks: dict[str, weakref.WeakSet[asyncio.Task[Any]]] = {}
        self._threads: dict[str, weakref.WeakSet[threading.Thread]] = {}

    def __call__(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> "asyncio.Task[Any]":
        """Make a task, as asyncio asks its task factory."""
        context = options.get("context")
        address = whose.get() if context is None else context.get(whose, "")
        if address and asyncio.iscoroutine(work):
            work = Marked(work, address)
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        if address:
            self._tasks.setdefault(address, weakref.WeakSet()).add(task)
            task.add_done_callback(partial(self._look, address))
        return task

    def _look(self, address: str, task: "asyncio.Task[Any]") -> None:
        """Tell of a task that wanted to end the process, and in a while of one that failed, unless somebody has heard of that."""
        if task.cancelled() or not _is_unheard(task):
            return
        work = task.get_coro()
        left = work.left if isinstance(work, Marked) else None
        if left is None:
            task.get_loop().call_later(_PATIENCE, _tell, address, task)
        elif self.on_left is not None:
            task.exception()
            self.on_left(address, left)

    def tasks_of(self, address: str) -> "list[asyncio.Task[Any]]":
        """Give the tasks of an instance that are not done."""
        return [task for task in self._tasks.get(address, ()) if not task.done()]

    def watch_threads(self) -> None:
        """Remember from now on whose code starts a thread; for a process that is a host and nothing else."""
        start = threading.Thread.start

        def remembered(thread: threading.Thread) -> None:
            address = whose.get()
            if address and not thread.name.startswith((*POOLS, f"{address} ")):
                self._threads.setdefault(address, weakref.WeakSet()).add(thread)
            start(thread)

        threading.Thread.start = remembered  # type: ignore[method-assign, assignment]

    def threads_of(self, address: str) -> list[threading.Thread]:
        """Give the threads of an instance that still run."""
        return [thread for thread in self._threads.get(address, ()) if thread.is_alive()]
