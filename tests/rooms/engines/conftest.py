"""Owns what the engines' tests run on: both engines with everything they say, and a wait with a deadline."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from ignrun.protocol import kin
from ignrun.runtime.engines.command import CommandEngine
from ignrun.runtime.engines.fork import HostEngine
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.engines.places import make_run_folder, plant_token

ROOT = Path(__file__).resolve().parents[3]
STUB = "tests.rooms.engines.stub_host:main"


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Return once the condition holds; it is looked at every few milliseconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        await asyncio.sleep(0.005)


def of_plant(token: str) -> dict[int, str]:
    """Name every living process with the plant's marker."""
    return {pid: one.marker for pid, one in kin.process_table().items() if one.marker.startswith(f"{token}/")}


class Bench:
    """Both engines, what they said (`heard`), and what was written (`lines`)."""

    def __init__(
        self, folder: Path, python: str = sys.executable, serve: str = STUB, env: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.token = plant_token(folder)
        self.heard: list = []
        self.lines: list = []
        self._short = tempfile.TemporaryDirectory(prefix="ign-")  # a socket's path has 107 bytes at most
        self.run_dir = make_run_folder(Path(self._short.name), self.token)
        self.hosts = HostEngine(
            python=python,
            run_dir=self.run_dir,
            token=self.token,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)} if env is None else env,
            hear=self.heard.append,
            on_lines=self._on_lines,
            mask=self._mask,
            serve=serve,
        )
        self.hosts.start()
        self.commands = CommandEngine(
            python=python,
            run_dir=self.run_dir,
            token=self.token,
            guard=self.hosts,
            hear=self.heard.append,
            on_lines=self._on_lines,
            mask=self._mask,
        )

    def _on_lines(self, source, lines) -> None:
        self.lines += [(source, line) for line in lines]

    @staticmethod
    def _mask(text: str) -> str:
        return text.replace("password", "********")

    def said(self, kind: type) -> list:
        return [message for message in self.heard if isinstance(message, kind)]

    def texts(self, source: str) -> list[str]:
        return [line.text for name, line in self.lines if name == source]

    async def hears(self, kind: type, count: int = 1, seconds: float = 15.0):
        """Wait until this many messages of the kind were heard, and give the last of them."""
        await until(lambda: len(self.said(kind)) >= count, seconds)
        return self.said(kind)[count - 1]

    def spawn(self, *argv: str, address: str = "web@gateway", epoch: int = 1, **more) -> None:
        more.setdefault("cwd", str(self.folder))
        self.commands.spawn(CommandLaunch(address, epoch, argv, **more))  # type: ignore[arg-type]

    async def close(self) -> None:
        await self.commands.close()
        await self.hosts.close()
        self._short.cleanup()


@pytest.fixture
async def bench(tmp_path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    await made.close()
    assert of_plant(made.token) == {}


@pytest.fixture
def runner_of(tmp_path) -> Iterator[Callable]:
    from tests.rooms.engines.test_guardian import SmallRunner

    made: list[SmallRunner] = []

    def make(**more) -> SmallRunner:
        made.append(SmallRunner(tmp_path, **more))
        return made[-1]

    yield make
    for one in made:
        one.end()
