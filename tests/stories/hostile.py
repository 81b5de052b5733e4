"""Owns the hostile modules, what each may cost, and the ordeal that a plant is put through with them."""

import subprocess
import time
from dataclasses import dataclass

from tests.stories.plant import Plant, identity, until

CODE = """
import asyncio, ctypes, os, re, signal, subprocess, sys, threading, time
from ignrun import Module

class Good(Module):
    pass

class BlocksInRun(Module):
    async def run(self): time.sleep(1000)

class BlocksInStartup(Module):
    async def startup(self): time.sleep(1000)

class BlocksInShutdown(Module):
    async def shutdown(self): time.sleep(1000)

class HoldsTheInterpreter(Module):
    async def startup(self): re.match(r"(a+)+$", "a" * 60 + "b")

class LeaksThreads(Module):
    async def startup(self):
        for _ in range(100): threading.Thread(target=time.sleep, args=(1000,)).start()

class LeaksTasks(Module):
    async def startup(self):
        self.tasks = [asyncio.create_task(self.cling()) for _ in range(100)]
    async def cling(self):
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                pass

class SwallowsInRun(LeaksTasks):
    async def startup(self): pass
    async def run(self): await self.cling()

class NeverShutsDown(LeaksTasks):
    async def startup(self): pass
    async def shutdown(self): await self.cling()

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

class KillsItself(Module):
    async def startup(self): os.kill(os.getpid(), signal.SIGKILL)

class ClosesItsDescriptors(Module):
    async def run(self):
        os.closerange(3, 1000)
        await asyncio.sleep(1000)

class LeavesChildren(Module):
    async def startup(self):
        for _ in range(20): subprocess.Popen(["sleep", "1000"], start_new_session=True)
    async def run(self): os._exit(4)
"""


@dataclass(frozen=True)
class Kind:
    """One hostile module: what its class is called, and what becomes of it."""

    entry: str
    fails: bool = False
    """It is found out and counted as failed."""
    ends: bool = False
    """Its process ends or is replaced, so that those who shared it come back without it."""

    @property
    def module(self) -> str:
        return "bad-" + "".join(f"-{one.lower()}" if one.isupper() else one for one in self.entry).strip("-")

    @property
    def address(self) -> str:
        return f"{self.module}@gateway"


KINDS = (
    Kind("BlocksInRun"),
    Kind("BlocksInStartup", fails=True, ends=True),
    Kind("BlocksInShutdown"),
    Kind("HoldsTheInterpreter", fails=True, ends=True),
    Kind("LeaksThreads"),
    Kind("LeaksTasks"),
    Kind("SwallowsInRun"),
    Kind("NeverShutsDown"),
    Kind("Prints"),
    Kind("Allocates"),
    Kind("Segfaults", fails=True, ends=True),
    Kind("Exits", fails=True, ends=True),
    Kind("KillsItself", fails=True, ends=True),
    Kind(
        "ClosesItsDescriptors", fails=True
    ),  # its process ends in nobody's step: who did it is not known, the others share its fate
    Kind("LeavesChildren", fails=True, ends=True),
)
UNTOUCHED = ("apart@gateway", "idle@gateway")
MATE = "mate@gateway"
SLOWEST = 5.0

_LIMITS = "gate: none, lifecycle: {start_timeout: 300ms, initialize_timeout: 300ms, stop_timeout: 500ms}"


def manifest(kinds: tuple[Kind, ...], isolation: str, *, mate: bool = False) -> str:
    rows = [
        f"  {one.module}: {{entry: hostile_code:{one.entry}, isolation: {isolation}, {_LIMITS}}}\n" for one in kinds
    ]
    fellow = "  mate: {entry: hostile_code:Good, gate: none}\n" if mate else ""
    apart = "  apart: {entry: hostile_code:Good, isolation: process}\n  idle: {command: [sleep, '1000']}\n"
    return f"modules:\n{apart}{fellow}{''.join(rows)}"


def ordeal(plant: Plant, kinds: tuple[Kind, ...], isolation: str, patience: float = 25.0) -> list[str]:
    """Let hostile modules into a plant that runs, watch what they do, take it down; gives every promise that was broken."""
    mate = isolation == "shared"
    plant.write(CODE, "hostile_code.py")
    plant.write(manifest((), isolation))
    plant.ignrun("apply", "-d")
    before = plant.instances()
    plant.write(manifest(kinds, isolation, mate=mate))
    plant.ignrun("apply", code=None)
    broken = [*_watched(plant, kinds, before, patience, mate=mate)]
    if broken:
        return broken
    try:
        plant.ignrun("down", code=None)
        plant.nothing_left()
    except (subprocess.TimeoutExpired, AssertionError) as left:
        return [f"something is left: {left}"]
    return []


def _watched(plant: Plant, kinds: tuple[Kind, ...], before: dict, patience: float, *, mate: bool) -> list[str]:
    """Look at the plant until everybody has done their worst and is found out."""
    broken: set[str] = set()
    missing: list[str] = []

    def over() -> bool:
        began = time.monotonic()
        now = plant.instances()
        if time.monotonic() - began > SLOWEST:
            broken.add(f"an answer took longer than {SLOWEST} s")
        broken.update(f"{name} was touched" for name in UNTOUCHED if identity(now[name]) != identity(before[name]))
        missing[:] = [f"{one.address} is not found out" for one in kinds if one.fails and not _failed(now[one.address])]
        ended = mate and all(one.ends for one in kinds)
        missing.extend(["its neighbour does not run again"] if ended and now[MATE]["state"] != "running" else [])
        return not missing

    try:
        until(over, patience)
        for _ in range(5):  # and it stays so
            over()
    except AssertionError:
        pass
    return sorted({*broken, *missing})


def _failed(instance: dict) -> bool:
    return bool(instance["statistics"]["error_count"])
