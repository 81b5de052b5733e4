"""Turns the wish that a runner ends into its end, and waits for it."""

import time
from pathlib import Path

from ignrun.protocol import kin
from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.lock import is_held
from ignrun.runtime.journal.registry import RunnerRecord
from ignrun.terms.failure import Failure, WaitTimedOut


def end_runner(record: RunnerRecord, *, by: str = "", timeout: float = 300.0) -> None:
    """Ask a runner to take its plant down and return when its process has ended; raises WaitTimedOut, and it goes on ending."""
    from ignrun.control.client import Client

    process = kin.identity_of(record.pid)
    try:
        Client(record.socket).down(by)
    except Failure:
        if is_held(StateFolder(Path(record.state_dir)).lock):
            raise
    deadline = time.monotonic() + timeout
    if process:
        kin.await_any([process], timeout)
    if time.monotonic() >= deadline:
        raise WaitTimedOut(f"the runner did not end within {timeout:g} s", "`ignrun status` shows who still stops")
