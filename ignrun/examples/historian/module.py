"""Owns Historian, a module that stores every change of the tags it listens to."""

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from ignrun import AbstractIgnitionModule, Duration, NotReady, provides, update
from ignrun.examples.historian.store import Store


class Historian(AbstractIgnitionModule):
    """Stores tag changes in SQLite, a batch at a time, and gives them back."""

    @dataclass
    class Config:
        """Where changes are stored, and how long they may wait for that."""

        path: Annotated[str, update("restart")]
        flush: Annotated[Duration, update("reconfigure")] = 0.5

    async def initialize(self) -> None:
        """Begin with nothing waiting to be stored."""
        self._waiting: list[dict[str, Any]] = []
        self._arrived = asyncio.Event()
        self._turn = asyncio.Lock()

    async def startup(self) -> None:
        """Open the file that the schema command has made."""
        path = Path(self.config.path)
        try:
            self._store = await asyncio.to_thread(Store, path)
        except sqlite3.OperationalError as error:
            raise NotReady(f"`{path}` holds no history: {error}") from error
        self.export(path=str(path))

    async def run(self) -> None:
        """Listen to every change, and store what arrived once in a while."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store_what_arrives())
            async for change in self.dependency("tags").stream("changes"):
                self._waiting.append(change)
                self._arrived.set()

    @provides
    async def rows(self, tag: str, last: int = 100) -> list[dict[str, Any]]:
        """Give the latest `last` changes of a tag, oldest first, each with `tag`, `value`, `quality` and `at`."""
        await self._flush()
        async with self._turn:
            return await asyncio.to_thread(self._store.rows, tag, last)

    async def reconfigure(self, change: Any) -> None:  # noqa: ARG002 - the next pause reads the new config by itself
        """Store at the new pace what was heard at the old one."""
        await self._flush()

    async def shutdown(self) -> None:
        """Store what is still waiting, then close the file."""
        await self._flush()
        await asyncio.to_thread(self._store.close)

    async def _store_what_arrives(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self.clock.sleep(self.config.flush)
            await self._flush()

    async def _flush(self) -> None:
        async with self._turn:
            batch, self._waiting = self._waiting, []
            if batch:
                await asyncio.to_thread(self._store.add, batch)
