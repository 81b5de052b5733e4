"""Holds a plant in which somebody writes without end to staying answerable, small, and honest about what is left out."""

import json
import time

import psutil
import pytest

from ignrun.control.client import Client
from tests.stories.plant import until

MIB = 2**20
PLANT = """\
apply: {soak: 0s}
modules:
  torrent: {command: [sh, -c, "yes a-line-of-some-forty-characters-or-so-here | head -c SIZE; exec sleep 600"]}
  loud: {entry: "loud:Loud", config: {size: SIZE}}
  calm: {entry: "loud:Calm"}
"""
LOUD = """\
import asyncio
from ignrun import Module


class Loud(Module):
    async def run(self):
        for number in range(self.config["size"] // 1000):
            self.log.info("x" * 1000)
            if number % 50 == 0:
                await asyncio.sleep(0)
        self.log.warning("done")
        await asyncio.Event().wait()


class Calm(Module):
    async def run(self):
        while True:
            self.log.info("still here")
            await asyncio.sleep(0.2)
"""


@pytest.mark.story
@pytest.mark.parametrize("size", [10_000_000, pytest.param(100_000_000, marks=pytest.mark.torture)])
def test_who_writes_without_end_holds_nobody_up(plant, size) -> None:
    plant.write(PLANT.replace("SIZE", str(size)))
    plant.write(LOUD, "loud.py")
    plant.ignrun("apply", "-d", str(plant.manifest))
    facts = plant.status()["plant"]
    client, runner = Client(facts["socket"]), psutil.Process(facts["pid"])
    before, most, slowest = runner.memory_info().rss, 0, 0.0
    deadline = time.monotonic() + (3 if size < 50_000_000 else 30)
    while time.monotonic() < deadline:
        began = time.monotonic()
        client.status()
        slowest = max(slowest, time.monotonic() - began)
        most = max(most, runner.memory_info().rss)
        time.sleep(0.05)
    until(lambda: "left out" in plant.ignrun("logs", *plant.aim(), "torrent", "--grep", "left out", code=None).out, 30)
    written = sum(file.stat().st_size for file in (plant.folder / ".ignrun").rglob("*.log*"))
    print(  # noqa: T201 - a figure
        f"{size} bytes: memory +{(most - before) / MIB:.1f} MiB, slowest status {1000 * slowest:.0f} ms, logs {written / MIB:.1f} MiB"
    )
    assert most - before < 64 * MIB
    assert slowest < 2.0  # beside everything else that runs on the machine
    assert written < 3 * 60 * MIB
    calm = [
        json.loads(one)
        for one in plant.ignrun("logs", *plant.aim(), "calm", "-o", "json", "--lines", "9").out.splitlines()
    ]
    assert {one["text"] for one in calm} == {"still here"}
