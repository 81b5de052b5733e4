"""Turns the wish that a runner ends into its end, and waits for it."""

import os
import time
from pathlib import Path
from typing import Final

from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.lock import is_held
from ignrun.runtime.journal.registry import RunnerRecord
from ignrun.terms.failure import Failure, WaitTimedOut

_PAUSE: Final = 0.02


def end_runner(record: RunnerRecord, *, by: str = "", timeout: float = 300.0) -> None:
    """Ask a runner to take its plant down and return when its process is gone; raises WaitTimedOut, and it goes on ending."""
    from ignrun.control.client import Client

    lock, deadline = StateFolder(Path(record.state_dir)).lock, time.monotonic() + timeout
    try:
        Client(record.socket).down(by)
    except Failure:
        if is_held(lock):
            raise
    while is_held(lock) or not _is_gone(record.pid):
        if time.monotonic() > deadline:
            raise WaitTimedOut(f"the runner did not end within {timeout:g} s", "`ignrun status` shows who still stops")
        time.sleep(_PAUSE)


def _is_gone(pid: int) -> bool:
    """Tell whether a runner's process has ended; one that this command started itself is reaped."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
