"""Modules for the tests of peers: a provider that gives what is odd, and a dependent that asks for it."""

import asyncio
from typing import Any

from ignrun import provides
from tests.rooms.host.plays import Client, Tags

MEGABYTE = 2**20


def nested(levels: int) -> Any:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


class OddTags(Tags):
    @provides
    async def deep(self) -> Any:
        return nested(5000)

    @provides
    async def deeper(self):
        yield 1
        yield nested(5000)

    @provides
    async def cancelled(self) -> None:
        await a_cancelled_task()

    @provides
    async def broken_off(self):
        yield 1
        await a_cancelled_task()

    @provides
    async def megabytes(self, count: int):
        for _ in range(count):
            yield "x" * MEGABYTE

    @provides
    async def echo(self, *given: Any, **named: Any) -> Any:
        return [list(given), named]


async def a_cancelled_task() -> None:
    task = asyncio.create_task(asyncio.sleep(3600))
    task.cancel()
    await task


class OddClient(Client):
    async def outcome(self, peer: Any, do: str) -> Any:
        async with asyncio.timeout(20):
            return await super().outcome(peer, do)

    async def deep(self, peer: Any) -> Any:
        await peer.call("deep")
        return "arrived"

    async def deep_argument(self, peer: Any) -> Any:
        await peer.call("echo", nested(5000))
        return "arrived"

    async def cancelled(self, peer: Any) -> Any:
        await peer.call("cancelled")

    async def broken_off(self, peer: Any) -> Any:
        return await self.read(peer, "broken_off")

    async def deeper(self, peer: Any) -> Any:
        return await self.read(peer, "deeper")

    async def megabytes(self, peer: Any) -> Any:
        return len([one async for one in peer.stream("megabytes", 40)])

    async def named(self, peer: Any) -> Any:
        return await peer.call("echo", 1, method="m", name="n", timeout=5)

    async def no_buffer(self, peer: Any) -> Any:
        await anext(peer.stream("ticks", buffer=0))

    async def no_overflow(self, peer: Any) -> Any:
        await anext(peer.stream("ticks", overflow="drop"))

    async def read(self, peer: Any, method: str) -> Any:
        """Read a stream until it fails."""
        taken = 0
        try:
            async for _ in peer.stream(method):
                taken += 1
        except Exception as error:
            return [taken, f"{type(error).__name__}: {error}"]
        return taken
