"""Turns the wish that a runner ends into its end, and waits for it."""

import time
from typing import Final

from ignrun.cli.plant import Plant
from ignrun.runtime.journal.lock import is_held
from ignrun.terms.failure import Failure, WaitTimedOut

_PAUSE: Final = 0.02


def end_runner(plant: Plant, socket: str, *, by: str = "", timeout: float = 300.0) -> None:
    """Ask a runner to take its plant down and return when it has ended; raises WaitTimedOut, and the runner goes on ending."""
    from ignrun.control.client import Client

    deadline = time.monotonic() + timeout
    try:
        Client(socket).down(by)
    except Failure:
        if is_held(plant.folder.lock):
            raise
    while is_held(plant.folder.lock):
        if time.monotonic() > deadline:
            raise WaitTimedOut(f"the runner did not end within {timeout:g} s", "`ignrun status` shows who still stops")
        time.sleep(_PAUSE)
