"""Owns what a runner stands on before its loop turns: the state folder, its lock, the reader, all made while there is one thread."""

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from ignrun import __version__
from ignrun.control.peer import Loopback, bind_loopback
from ignrun.control.token import access_token, listening_at
from ignrun.control.wire import ApplyRequest
from ignrun.manifest.inputs import Inputs
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
    loopback: Loopback | None = None

    def inputs(self, request: ApplyRequest, *, for_apply: bool) -> Inputs:
        """Turn what somebody asks for into what the reader is given: his words, and what is the plant's own."""
        return Inputs(
            manifest=request.manifest,
            state_dir=str(self.folder.path),
            root=request.root,
            python=request.python,
            modes=request.modes,
            vars=request.vars,
            sets=request.sets,
            scopes=request.scopes,
            environment=request.environment,
            strict_env=request.strict_env,
            locked=request.locked,
            allowed=request.allowed,
            planning=request.planning,
            for_apply=for_apply,
            fingerprint_key=self.key,
        )

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
            listen=self.loopback.listening.url if self.loopback else "",
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
    """Make and lock the state folder of a plant for as long as the block runs; raises StateFolderFailure, LockHeld or Failure.

    What a runner that was killed left behind is ended before anything new is started. The reader is forked first, so that it does not inherit the lock.
    """
    folder = StateFolder(Path(launch.state_dir))
    make_state_folder(folder)
    run_time = run_time_folder(os.environ)
    reader = ResidentReader()
    reader.start()
    try:
        with hold_lock(folder.lock) as lock, _loopback(launch, folder) as loopback:
            sweep(plant_token(folder.path))
            key = fingerprint_key(folder)
            yield Ground(launch, folder, run_time, socket_path(folder, run_time), reader, lock, key, loopback)
    finally:
        reader.close()


@contextlib.contextmanager
def _loopback(launch: Launch, folder: StateFolder) -> Iterator[Loopback | None]:
    """Listen on loopback where that is wanted: before anything is started, so that a port that is taken stops nothing."""
    if not launch.listen:
        yield None
        return
    bound = bind_loopback(listening_at(launch.listen), access_token(folder.path))
    try:
        yield bound
    finally:
        bound.socket.close()
