"""Owns a place of its own for each test: a working folder, a run-time folder, and a way to call the command line."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ignrun.cli.main import run as run_cli
from ignrun.runtime.journal.folder import StateFolder, make_state_folder
from ignrun.runtime.journal.lock import PlantLock, hold_lock
from ignrun.runtime.journal.registry import RunnerRecord, register


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch) -> Path:
    """Let a test work in an empty folder that nobody else's plant lies above."""
    work, run_time = tmp_path / "work", tmp_path / "run"
    work.mkdir()
    run_time.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run_time))
    return work


class Ended(msgspec.Struct, frozen=True):
    """How a command ended: its code and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture
def ignrun(capfd):
    """Call the command line as the shell does, in this process."""

    def call(*arguments: str) -> Ended:
        capfd.readouterr()
        code = run_cli(arguments)
        out, err = capfd.readouterr()
        return Ended(int(code), out, err)

    return call


@pytest.fixture
def plant_lying(place):
    """Make the state folder of a plant as a runner that ended leaves it."""

    def make(name: str, folder: Path | None = None, pid: int = 4242) -> RunnerRecord:
        Path(os.environ["XDG_RUNTIME_DIR"], "ignrun").mkdir(mode=0o700, exist_ok=True)
        beside = folder or place
        state = StateFolder(beside / ".ignrun" / name)
        make_state_folder(state)
        record = RunnerRecord(
            plant=name,
            pid=pid,
            manifest=str(beside / f"{name}.yaml"),
            state_dir=str(state.path),
            socket=str(state.path / "control.sock"),
            version="0.1.0",
            started=datetime.now(UTC),
        )
        register(record, Path(os.environ["XDG_RUNTIME_DIR"], "ignrun"))
        return record

    return make


@pytest.fixture
def plant_running_with_lock(plant_lying, request):
    """Make a plant whose runner seems to live, and give the lock that says so."""

    def make(name: str, folder: Path | None = None) -> tuple[RunnerRecord, PlantLock]:
        record: RunnerRecord = plant_lying(name, folder, pid=2**22 + 7)  # no system gives that number
        lock = hold_lock(StateFolder(Path(record.state_dir)).lock)
        request.addfinalizer(lock.release)
        return record, lock

    return make


@pytest.fixture
def plant_running(plant_running_with_lock):
    """Make a plant whose runner seems to live."""
    return lambda name, folder=None: plant_running_with_lock(name, folder)[0]
