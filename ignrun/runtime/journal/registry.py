"""Owns what runners say of themselves to the rest of the machine: `runner.json`, the run-time folder and who lives in it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from ignrun.runtime.journal.durable import durable_replace
from ignrun.runtime.journal.folder import StateFolder, make_private
from ignrun.runtime.journal.lock import is_held
from ignrun.terms.failure import StateFolderFailure

LONGEST_SOCKET: Final = 100
"""Bytes of a socket's path that every system takes (Linux has room for 107, macOS for 103)."""


class RunnerRecord(msgspec.Struct, frozen=True):
    """A runner: whose plant it runs, its process and where it is reached; paths are absolute, `started` is aware UTC."""

    plant: str
    pid: int
    manifest: str
    state_dir: str
    socket: str
    version: str
    started: datetime


_RECORD: Final = msgspec.json.Decoder(RunnerRecord)


def run_time_folder(environment: Mapping[str, str]) -> Path:
    """Give this user's folder for what ends with the machine, made if need be; raises StateFolderFailure.

    `$XDG_RUNTIME_DIR/ignrun`, else `ignrun-<uid>` in the system's folder for temporary files.
    """
    given = environment.get("XDG_RUNTIME_DIR", "")
    path = Path(given, "ignrun") if given and Path(given).is_dir() else _in_temporary()
    try:
        make_private(path)
    except OSError as error:
        raise StateFolderFailure(
            path, error.strerror or str(error), "set XDG_RUNTIME_DIR to a folder of your own"
        ) from error
    return path


def _in_temporary() -> Path:
    import tempfile

    return Path(tempfile.gettempdir(), f"ignrun-{os.geteuid()}")


def socket_path(folder: StateFolder, run_time: Path) -> Path:
    """Say where the control socket of a plant lies: in its state folder, or in the run-time folder when that is too long."""
    path = folder.path / "control.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    return run_time / f"{_mark(str(folder.path))}.sock"


def _mark(state_dir: str) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]


def _entry(record: RunnerRecord, run_time: Path) -> Path:
    return run_time / "runners" / f"{_mark(record.state_dir)}.json"


def register(record: RunnerRecord, run_time: Path) -> None:
    """Write `runner.json` into the state folder and into the registry of this user's runners; raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(record)) + b"\n"
    make_private(run_time / "runners")
    durable_replace(StateFolder(Path(record.state_dir)).runner, text)
    durable_replace(_entry(record, run_time), text)


def unregister(record: RunnerRecord, run_time: Path) -> None:
    """Take the runner out of the registry; `runner.json` stays and says which runner was the last."""
    with suppress(OSError):
        _entry(record, run_time).unlink()


def live_runners(run_time: Path) -> tuple[RunnerRecord, ...]:
    """Name this user's runners that live (they hold their lock), by plant; what the dead left behind is removed."""
    return tuple(sorted(_living(run_time), key=lambda record: (record.plant, record.state_dir)))


def _living(run_time: Path) -> Iterator[RunnerRecord]:
    for path in (run_time / "runners").glob("*.json"):
        record = _read(path)
        if record and is_held(StateFolder(Path(record.state_dir)).lock):
            yield record
        else:
            with suppress(OSError):
                path.unlink()


def live_runner(folder: StateFolder) -> RunnerRecord | None:
    """Give the runner of this state folder if it lives; None also while it is still beginning. Where its own word is damaged, the registry's counts."""
    if not is_held(folder.lock):
        return None
    return _read(folder.runner) or _registered(folder)


def _registered(folder: StateFolder) -> RunnerRecord | None:
    """Give what the registry says of a runner, unless its process is gone: then another one is beginning in its place."""
    try:
        found = _read(run_time_folder(os.environ) / "runners" / f"{_mark(str(folder.path))}.json")
    except StateFolderFailure:
        return None
    return found if found and _is_there(found.pid) else None


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def last_runner(folder: StateFolder) -> RunnerRecord | None:
    """Give the last runner of this state folder, alive or not."""
    return _read(folder.runner)


def _read(path: Path) -> RunnerRecord | None:
    try:
        return _RECORD.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
