"""Tells what hostile modules cost: their own process, and nothing of anybody else's."""

import time

import pytest

from tests.stories.plant import Plant, identity, new_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

CODE = """
import asyncio, ctypes, os, sys, threading, time
from ignrun import Module

class Good(Module):
    pass

class Blocks(Module):
    async def run(self): time.sleep(1000)

class Leaks(Module):
    async def startup(self):
        for _ in range(100): threading.Thread(target=time.sleep, args=(1000,)).start()

class Swallows(Module):
    async def run(self):
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                pass

class Prints(Module):
    async def run(self):
        for _ in range(1000):
            sys.stdout.write(("x" * 1023 + "\\n") * 100)
            await asyncio.sleep(0)
        await asyncio.sleep(1000)

class Allocates(Module):
    async def run(self):
        self.kept = [bytearray(2**20) for _ in range(200)]
        await asyncio.sleep(1000)

class Segfaults(Module):
    async def run(self): ctypes.string_at(0)

class Exits(Module):
    async def run(self): os._exit(3)
"""
HOSTILE = ("Blocks", "Leaks", "Swallows", "Prints", "Allocates", "Segfaults", "Exits")


def untouched(plant: Plant, names: list[str], before: dict, *, rounds: int = 20) -> float:
    """Look at the plant again and again; the named ones must stay as they are. Gives the slowest answer in seconds."""
    slowest = 0.0
    for _ in range(rounds):
        began = time.monotonic()
        now = plant.instances()
        slowest = max(slowest, time.monotonic() - began)
        assert all(identity(now[name]) == identity(before[name]) for name in names)
    return slowest


def manifest(hostile: tuple[str, ...], isolation: str) -> str:
    ends = "gate: none, lifecycle: {stop_timeout: 500ms}"
    rows = [f"  bad-{one.lower()}: {{entry: plant_code:{one}, isolation: {isolation}, {ends}}}\n" for one in hostile]
    return f"modules:\n  apart: {{entry: plant_code:Good, isolation: process}}\n  idle: {{command: [sleep, '1000']}}\n{''.join(rows)}"


def test_seven_hostile_modules_in_processes_of_their_own_touch_nobody_and_leave_nothing(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        plant.write(manifest((), "process"))
        plant.ignrun("apply", "-d")
        before = plant.instances()
        plant.write(manifest(HOSTILE, "process"))
        plant.ignrun("apply", code=None)
        slowest = untouched(plant, ["apart@gateway", "idle@gateway"], before)
        assert slowest < 5.0
        assert plant.instances()["bad-exits@gateway"]["statistics"]["error_count"] > 0
        plant.ignrun("down")
        plant.nothing_left()


@pytest.mark.torture
@pytest.mark.parametrize("one", HOSTILE)
def test_a_hostile_module_in_a_shared_process_touches_nobody_outside_it_and_leaves_nothing(tmp_path, one) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        plant.write(manifest((), "shared") + "  mate: {entry: plant_code:Good, gate: none}\n")
        plant.ignrun("apply", "-d")
        before = plant.instances()
        plant.write(manifest((one,), "shared") + "  mate: {entry: plant_code:Good, gate: none}\n")
        plant.ignrun("apply", code=None)
        untouched(plant, ["apart@gateway", "idle@gateway"], before)
        plant.ignrun("down")
        plant.nothing_left()
