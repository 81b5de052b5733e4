"""Owns the control groups of a plant: one for each command and one for the hosts, made beside the loop, which they would keep."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from ignrun.protocol.groups import is_empty, is_in_group, kill_group, plant_group

_PATIENCE: Final = 2.0
HOSTS: Final = "hosts"


class Groups:
    """The groups of a plant, by name; where no group can be made nothing happens and nobody is found in one."""

    def __init__(self, token: str) -> None:
        """Find the place; what a dead runner left in it is killed. Blocks while it dies."""
        self.folder = None if is_in_group(token) else plant_group(token)  # whoever is in it would kill himself
        self._scribe: ThreadPoolExecutor | None = None
        if self.folder:
            _clear(self.folder)
            self.folder = _made(self.folder)
        if self.folder:
            self._scribe = ThreadPoolExecutor(1, "groups")

    def __bool__(self) -> bool:
        """Whether groups can be made here."""
        return self.folder is not None

    def join(self, name: str, pid: int) -> None:
        """Have a process that has just been started in a group of that name, soon."""
        if self._scribe and self.folder:
            self._scribe.submit(_join, self.folder / name, pid)

    def members(self, name: str) -> tuple[int, ...]:
        """Name who is in a group; nobody in one that there is not."""
        if self.folder is None:
            return ()
        try:
            with open(self.folder / name / "cgroup.procs", "rb", buffering=0) as members:  # noqa: PTH123 - not a file of anybody's
                return tuple(int(pid) for pid in members.read().split())
        except OSError:
            return ()

    def kill(self, name: str) -> None:
        """Kill everybody in a group."""
        if self.folder:
            kill_group(self.folder / name)

    def remove(self, name: str) -> None:
        """Take an empty group away, soon."""
        if self._scribe and self.folder:
            self._scribe.submit(_remove, self.folder / name)

    def close(self) -> None:
        """Kill who is left, and take the plant's group away."""
        if self._scribe and self.folder:
            self._scribe.shutdown()
            _clear(self.folder)
        self.folder = self._scribe = None


def _made(folder: Path) -> Path | None:
    try:
        folder.mkdir()
    except OSError:
        return None
    if (folder / "cgroup.kill").exists():
        return folder
    _remove(folder)  # a kernel before 5.14
    return None


def _join(folder: Path, pid: int) -> None:
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        with (folder / "cgroup.procs").open("w") as members:
            members.write(str(pid))


def _remove(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _clear(folder: Path) -> None:
    if not folder.is_dir():
        return
    deadline = time.monotonic() + _PATIENCE
    while not is_empty(folder) and time.monotonic() < deadline:
        kill_group(folder)
        time.sleep(0.002)
    for below, _, _ in os.walk(folder, topdown=False):
        _remove(Path(below))
