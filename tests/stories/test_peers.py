"""Tells how modules in different processes talk: many providers, a provider that dies or is stopped, streams that resume."""

import os
import signal

import pytest

from tests.stories.plant import Plant, new_plant, settled

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = """
import asyncio, os
from ignrun import Module, Unavailable, provides

class Source(Module):
    @provides
    async def ident(self):
        return [self.config["name"], os.getpid()]

    @provides
    async def ticks(self):
        number = 0
        while True:
            yield [os.getpid(), number]
            number += 1
            await asyncio.sleep(0.01)

class Asks(Module):
    async def startup(self):
        self.export(pids=[], names=[(await peer.call("ident"))[0] for peer in self.dependency("source")])

    async def run(self):
        await asyncio.gather(self.follow(), self.call())

    async def follow(self):
        pids = []
        async for pid, _ in self.dependency("source")[0].stream("ticks", buffer=8, overflow=self.config["overflow"]):
            if pid not in pids:
                pids.append(pid)
                self.export(pids=pids)

    async def call(self):
        refused = 0
        while True:
            try:
                await self.dependency("source")[0].call("ident", timeout=1)
            except Unavailable as gone:
                refused += 1
                self.log.warning("refused: %s", gone)
                self.export(refused=refused)
            await asyncio.sleep(0.01)
"""


@pytest.fixture
def running(tmp_path):
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "peers_code.py")
        plant.write(
            "modules:\n"
            "  one: {entry: peers_code:Source, isolation: process, config: {name: one}}\n"
            "  two: {entry: peers_code:Source, isolation: process, config: {name: two}}\n"
            "  waits: {entry: peers_code:Asks, config: {overflow: block}, requires: {source: [one, two]}}\n"
            "  drops: {entry: peers_code:Asks, config: {overflow: drop_oldest}, requires: {source: [one, two]}}\n"
        )
        plant.ignrun("apply", "-d")
        yield plant


def followed(plant: Plant, count: int) -> dict:
    return plant.wait_for(
        lambda seen: all(len(seen[f"{one}@gateway"]["exports"].get("pids", ())) >= count for one in ("waits", "drops"))
    )


def test_a_slot_for_many_gives_every_provider_in_order(running: Plant) -> None:
    assert running.instances()["waits@gateway"]["exports"]["names"] == ["one", "two"]


def test_streams_of_both_policies_follow_a_provider_that_was_killed_and_say_so(running: Plant) -> None:
    before = followed(running, 1)
    os.kill(before["one@gateway"]["pid"], signal.SIGKILL)
    after = followed(running, 2)
    assert settled(after)
    for name in ("waits", "drops"):
        address = f"{name}@gateway"
        assert after[address]["exports"]["pids"][1] == after["one@gateway"]["pid"]
        assert after[address]["since"] == before[address]["since"]
        logged = running.ignrun("logs", *running.aim(), name).out
        assert "stream `ticks` of `one@gateway` interrupted" in logged
        assert "stream `ticks` of `one@gateway` resumed" in logged
