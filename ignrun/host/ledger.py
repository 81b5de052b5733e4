"""Owns the list of tasks that the code of each instance has made, so that none of them outlives it."""

import asyncio
import weakref
from collections.abc import Coroutine, Generator
from typing import Any

from ignrun.host.callbacks import whose
from ignrun.host.steps import Marked


class Ledger:
    """A task factory that remembers whose code made a task; tasks of the host itself are not listed."""

    def __init__(self) -> None:
        self._tasks: dict[str, weakref.WeakSet[asyncio.Task[Any]]] = {}

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
        return task

    def tasks_of(self, address: str) -> "list[asyncio.Task[Any]]":
        """Give the tasks of an instance that are not done."""
        return [task for task in self._tasks.get(address, ()) if not task.done()]
