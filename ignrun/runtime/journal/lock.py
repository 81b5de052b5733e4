"""Owns the kernel lock of a plant: one runner at a time, freed by its death however it dies."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from ignrun.terms.failure import LockHeld, StateFolderFailure

_TRIES: Final = 10
_PAUSE: Final = 0.02  # who only looks (`is_held`) holds the lock for microseconds


class PlantLock:
    """An exclusive lock on a file, held until `release` or the end of the process.

    A child that is forked without exec shares it: such a child has to close `descriptor`, or be forked before.
    """

    def __init__(self, descriptor: int) -> None:
        """Take over a descriptor that holds the lock."""
        self.descriptor = descriptor

    def release(self) -> None:
        """Let others have it; the file stays."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        """Hold it for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release it at the end of the block."""
        self.release()


def hold_lock(path: Path, *, pause: Callable[[float], None] = time.sleep) -> PlantLock:
    """Take the lock at `path` and write this process's id into it; raises LockHeld with the owner, or StateFolderFailure."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateFolderFailure(path.parent, f"`{path.name}` cannot be opened ({error.strerror})") from error
    for _ in range(_TRIES):
        if _try_lock(descriptor, fcntl.LOCK_EX):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return PlantLock(descriptor)
        pause(_PAUSE)
    owner = _owner(descriptor)
    os.close(descriptor)
    hint = "`ignrun status` shows that runner, `ignrun down` ends it"
    raise LockHeld(f"the state folder `{path.parent}`", owner, hint)


def is_held(path: Path) -> bool:
    """Tell whether somebody alive holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(descriptor: int) -> str:
    pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return f"process {pid}" if pid.isdigit() else "another process"
