"""Owns the storms that a watcher has to weather: many writes, many readers, and a module that writes into what is watched."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rooms.watch.harness import Watched

WRITER = """
import sys
for line in sys.stdin:
    with open(sys.argv[1], "w") as file:
        file.write(line * 20)
"""


async def of_writes(tmp_path: Path, writes: int, seconds: float) -> None:
    """Write often: what is applied are whole texts, few of them, the last of all within two seconds of the end."""
    file = tmp_path / "plant.yaml"
    file.write_text("value 0")
    async with Watched(file) as watched:

        def storm() -> None:
            for number in range(1, writes + 1):
                if number % 2:
                    file.write_text(f"value {number}")
                else:
                    beside = file.with_name(".plant.tmp")
                    beside.write_text(f"value {number}")
                    beside.replace(file)
                time.sleep(max(0.0, began + seconds * number / writes - time.monotonic()))

        began = time.monotonic()
        await asyncio.to_thread(storm)
        await watched.until(lambda: watched.applied and watched.applied[-1][str(file)] == f"value {writes}", 2)
        assert len(watched.applied) <= 2 + seconds / 0.5
        assert watched.watcher.status().state == "watching"


async def of_readers(tmp_path: Path, reads: int) -> None:
    """Read often: nobody is applied, and the files are not looked at for it."""
    file = tmp_path / "plant.yaml"
    file.write_text("value 0")
    async with Watched(file) as watched:

        def storm() -> None:
            for _ in range(reads):
                file.read_text()

        await asyncio.to_thread(storm)
        assert watched.applied == []
        assert watched.watcher.status().last_event is None


@contextmanager
def module_that_writes(file: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that writes each line it is given, many times over, into the file."""
    line = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, text=True, bufsize=1) as process:
        try:
            yield process
        finally:
            process.kill()


async def of_a_loop(tmp_path: Path) -> None:
    """Let a process of the plant write upon every outcome: it is suspended and named, while an edit of another file goes through."""
    file, other = tmp_path / "limits.env", tmp_path / "plant.yaml"
    file.write_text("0")
    other.write_text("value 0")
    with module_that_writes(file) as process:

        def write() -> None:
            assert process.stdin
            process.stdin.write(f"count {len(watched.applied)}\n")

        watched = Watched(file, other, writers=lambda: {process.pid: "historian@gateway"})
        watched.on_apply = write
        async with watched:
            file.write_text("1")
            await watched.until(lambda: watched.watcher.status().state == "suspended", 20)
            [held] = watched.watcher.status().holds
            assert held.startswith(f"suspended: historian@gateway writes into `{file}`, which is watched")
            count = len(watched.applied)
            await watched.quiet(1)
            assert len(watched.applied) == count
            watched.on_apply = lambda: None
            other.write_text("value 1")
            await watched.until(lambda: watched.applied[-1][str(other)] == "value 1", 2)
