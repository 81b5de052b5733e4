"""Reload after reload: descriptors, threads, children and memory of runner and host stay as they are, and the object stays the same."""

from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from ignrun.control.client import Client
from ignrun.control.wire import ApplyOptions, ApplyRequest
from tests.stories.plant import Plant, new_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(1200)]

CODE = """
import os, threading
from ignrun import Module, provides

class Part(Module):
    async def reconfigure(self, change):
        self.export(level=change.new["level"], object=id(self))
        {leak}

class Other(Module):
    pass
"""
LEAK = "self.kept = [*getattr(self, 'kept', ()), os.open('/dev/null', os.O_RDONLY)]"
SETTLED = 20
"""Reloads after which everything that is made once has been made."""
GROWTH = 6 * 2**20
"""Bytes by which memory may differ; the journal's page cache and Python's arenas breathe."""


@dataclass(frozen=True)
class Look:
    """What two processes hold."""

    descriptors: int
    threads: int
    children: int
    memory: int


def look(plant: Plant) -> dict[str, Look]:
    status = plant.status()
    host = next(one["pid"] for one in status["instances"] if one["address"] == "part@gateway")
    return {"runner": _look(status["plant"]["pid"]), "host": _look(host)}


def _look(pid: int) -> Look:
    process = psutil.Process(pid)
    return Look(process.num_fds(), process.num_threads(), len(process.children()), process.memory_info().rss)


def manifest(level: int) -> str:
    return f"modules:\n  part: {{entry: parts:Part, config: {{level: {level}}}}}\n  other: {{entry: parts:Other}}\n"


def reloads(plant: Plant, client: Client, first: int, count: int) -> None:
    for level in range(first, first + count):
        plant.write(manifest(level))
        request = ApplyRequest(str(plant.manifest), str(plant.folder), options=ApplyOptions(soak=0.0))
        assert client.apply(request).result == "committed"


def grown(folder: Path, count: int, leak: str = "") -> list[str]:
    """Reload so often, and name everything that has grown meanwhile."""
    with new_plant(folder) as plant:
        plant.write(CODE.replace("{leak}", leak), "parts.py")
        plant.write(manifest(0))
        plant.ignrun("apply", "-d", "--soak", "0s")
        client = Client(plant.status()["plant"]["socket"])
        reloads(plant, client, 1, SETTLED)
        before, one = look(plant), plant.instances()["part@gateway"]
        reloads(plant, client, SETTLED + 1, count)
        after, same = look(plant), plant.instances()["part@gateway"]
    assert (one["pid"], one["exports"]["object"]) == (same["pid"], same["exports"]["object"])
    assert same["exports"]["level"] == SETTLED + count
    found = []
    for who, was in before.items():
        now = after[who]
        found += [
            f"{who}: {what} {getattr(was, what)} -> {getattr(now, what)}"
            for what, slack in (("descriptors", 2), ("threads", 2), ("children", 0), ("memory", GROWTH))
            if getattr(now, what) - getattr(was, what) > slack
        ]
    return found


def test_a_leak_is_caught(tmp_path) -> None:
    assert [one.split()[1] for one in grown(tmp_path, 20, LEAK)] == ["descriptors"]


def test_a_hundred_reloads_leave_everything_as_it_was(tmp_path) -> None:
    assert grown(tmp_path, 100) == []


@pytest.mark.torture
def test_a_thousand_reloads_leave_everything_as_it_was(tmp_path) -> None:
    assert grown(tmp_path, 1000) == []
