"""Owns what a runner stands on before its loop turns: the state folder, its lock, the reader, all made while there is one thread."""

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from ignrun import __version__
from ignrun.planner.reader import ResidentReader
from ignrun.render.status_report import RunnerFacts
from ignrun.runner.detach import Launch
from ignrun.runtime.engines.places import plant_token
from ignrun.runtime.engines.sweep import sweep
from ignrun.runtime.journal.folder import StateFolder, fingerprint_key, make_state_folder
from ignrun.runtime.journal.lock import PlantLock, hold_lock
from ignrun.runtime.journal.registry import RunnerRecord, run_time_folder, socket_path


class Ground(msgspec.Struct, frozen=True):
    """The places and possessions of one runner; `run_time` is this user's folder for what ends with the machine."""

    launch: Launch
    folder: StateFolder
    run_time: Path
    socket: Path
    reader: ResidentReader
    lock: PlantLock
    key: bytes

    def facts(self, started: datetime) -> RunnerFacts:
        """Say of the runner what only it knows."""
        return RunnerFacts(
            name=self.launch.plant,
            socket=str(self.socket),
            pid=os.getpid(),
            version=__version__,
            started=started,
            manifest=self.launch.manifest,
            state_dir=str(self.folder.path),
        )

    def record(self, started: datetime) -> RunnerRecord:
        """Say of the runner what the rest of the machine may know."""
        return RunnerRecord(
            plant=self.launch.plant,
            pid=os.getpid(),
            manifest=self.launch.manifest,
            state_dir=str(self.folder.path),
            socket=str(self.socket),
            version=__version__,
            started=started,
        )


@contextlib.contextmanager
def taken_ground(launch: Launch) -> Iterator[Ground]:
    """Make and lock the state folder of a plant for as long as the block runs; raises StateFolderFailure or LockHeld.

    What a runner that was killed left behind is ended before anything new is started. The reader is forked first, so that it does not inherit the lock.
    """
    folder = StateFolder(Path(launch.state_dir))
    make_state_folder(folder)
    run_time = run_time_folder(os.environ)
    reader = ResidentReader()
    reader.start()
    try:
        with hold_lock(folder.lock) as lock:
            sweep(plant_token(folder.path))
            key = fingerprint_key(folder)
            yield Ground(launch, folder, run_time, socket_path(folder, run_time), reader, lock, key)
    finally:
        reader.close()
