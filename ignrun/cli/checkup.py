"""Turns what the system says of itself into the findings of `ignrun doctor`; each check is a function of its own."""

import os
import platform
import resource
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ignrun.cli.plant import Plant
from ignrun.render.doctor import Finding
from ignrun.terms.failure import Failure

_OLDEST: Final = (3, 11)
_NEWEST_KNOWN: Final = (3, 14)
_FEW_FILES: Final = 1024
_FEW_WATCHES: Final = 8192
_FEW_INSTANCES: Final = 128
_LITTLE_SPACE: Final = 200 * 2**20
_SKEW: Final = 2.0
_BORN: Final = datetime(2025, 1, 1, tzinfo=UTC)
_FAR: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "vboxsf", "afs"})
"""File systems over which locks and SQLite's write-ahead log cannot be relied on."""


def findings(plant: Plant | None, folder: Path, environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Check everything: the machine, and the state folder of `plant` or else `folder`; never raises."""
    home = plant.folder.path if plant and plant.folder.path.is_dir() else folder
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("interpreter", _interpreter),
        ("system", _system),
        ("open files", _open_files),
        ("inotify", _inotify),
        ("file system", lambda: _file_system(home)),
        ("free space", lambda: _free_space(home)),
        ("clock", lambda: _clock(home)),
        ("run-time folder", lambda: _run_time(environment)),
    ]
    if plant:
        checks += [
            ("state folder", lambda: _state_folder(plant)),
            ("runner", lambda: _runner(plant)),
            ("stale processes", lambda: _stale(plant)),
        ]
    return tuple(_checked(name, check) for name, check in checks)


def _checked(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Failure as failure:
        return Finding(name, "bad", failure.summary, failure.hint)
    except OSError as error:
        return Finding(name, "bad", f"cannot be checked: {error.strerror or error}")


# --- the machine ------------------------------------------------------------------------------------------------------


def _interpreter() -> Finding:
    version = sys.version_info[:2]
    text = f"Python {platform.python_version()} ({platform.python_implementation()}), {sys.executable}"
    if version < _OLDEST:
        return Finding("interpreter", "bad", text, "ignrun needs Python 3.11 or newer")
    if version > _NEWEST_KNOWN or platform.python_implementation() != "CPython":
        return Finding("interpreter", "warning", text, "ignrun is tested with CPython 3.11 to 3.14")
    return Finding("interpreter", "ok", text)


def _system() -> Finding:
    text = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.platform != "linux":
        return Finding(
            "system", "warning", text, "made for Linux; processes that escape their parent are not found here"
        )
    if not hasattr(os, "pidfd_open"):
        return Finding("system", "warning", text, "without pidfd a number that is used again may be mistaken")
    return Finding("system", "ok", text)


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{soft} allowed"
    if 0 <= soft < _FEW_FILES:
        return Finding(
            "open files",
            "warning",
            text,
            f"a large plant needs more: `ulimit -n {min(hard, 65536) if hard > 0 else 65536}`",
        )
    return Finding("open files", "ok", text)


def _inotify() -> Finding:
    folder = Path("/proc/sys/fs/inotify")
    if not folder.is_dir():
        return Finding("inotify", "ok", "not used on this system")
    watches = int((folder / "max_user_watches").read_text())
    instances = int((folder / "max_user_instances").read_text())
    text = f"{watches} watches, {instances} instances for each user"
    if watches < _FEW_WATCHES or instances < _FEW_INSTANCES:
        hint = f"`sysctl fs.inotify.max_user_watches=65536 fs.inotify.max_user_instances={_FEW_INSTANCES}`; until then files are looked at in turns"
        return Finding("inotify", "warning", text, hint)
    return Finding("inotify", "ok", text)


def _clock(home: Path) -> Finding:
    """Compare the clock with the year of this program and with the clock of the file system."""
    now = datetime.now(UTC)
    text = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < _BORN:
        return Finding("clock", "bad", text, "set the clock: certificates, logs and schedules rely on it")
    before = time.time()
    with tempfile.TemporaryFile(dir=home) as probe:
        skew = os.fstat(probe.fileno()).st_mtime - before
    if abs(skew) > _SKEW:
        return Finding(
            "clock",
            "warning",
            f"{text}; the file system's is {skew:+.1f} s off",
            "let both take the time from one source",
        )
    return Finding("clock", "ok", text)


def _run_time(environment: Mapping[str, str]) -> Finding:
    """Bind a socket where runners are found by others."""
    from ignrun.runtime.journal.registry import LONGEST_SOCKET, run_time_folder

    folder = run_time_folder(environment)
    path = folder / f"doctor-{os.getpid()}"
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        return Finding(
            "run-time folder", "bad", f"`{folder}` is too long for a socket", "set XDG_RUNTIME_DIR to a shorter path"
        )
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
        finally:
            path.unlink(missing_ok=True)
    return Finding("run-time folder", "ok", f"`{folder}`, sockets can be bound")


# --- where the plant lies ---------------------------------------------------------------------------------------------


def _file_system(home: Path) -> Finding:
    """Write, lock and force to disk, as the journal does."""
    import fcntl

    kind = _kind_of(home)
    text = f"`{home}`" + (f" on {kind}" if kind else "")
    with tempfile.TemporaryFile(dir=home) as probe:
        probe.write(b"x")
        probe.flush()
        os.fsync(probe.fileno())
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if kind in _FAR:
        return Finding(
            "file system",
            "warning",
            text,
            "locks and the journal want a local disk: `--state-dir` names another folder",
        )
    return Finding("file system", "ok", f"{text}, can be written, locked and forced to disk")


def _kind_of(home: Path) -> str:
    """Give the kind of the file system that a folder lies on, empty where the system does not say."""
    with suppress(OSError):
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        above = [(mount[1], mount[2]) for mount in mounts if home.is_relative_to(mount[1].replace("\\040", " "))]
        return max(above, key=lambda one: len(one[0]))[1] if above else ""
    return ""


def _free_space(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    text = f"{free / 2**30:.1f} GiB free for `{home}`"
    if free < _LITTLE_SPACE:
        return Finding("free space", "warning", text, "a full disk refuses changes; free some")
    return Finding("free space", "ok", text)


def _state_folder(plant: Plant) -> Finding:
    """Look whether the folder, and what is secret in it, belongs to this user alone."""
    path = plant.folder.path
    if not path.is_dir():
        return Finding("state folder", "ok", f"`{path}` is made by the first apply")
    found = path.lstat()
    if found.st_uid != os.geteuid():
        return Finding(
            "state folder",
            "bad",
            f"`{path}` belongs to another user",
            "run as that user, or name one with `--state-dir`",
        )
    secret = [file for file in (path, plant.folder.key, path / "token", plant.folder.journal) if file.exists()]
    open_to_others = [file for file in secret if stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_to_others:
        names = ", ".join(f"`{file}`" for file in open_to_others)
        return Finding("state folder", "bad", f"others may look into {names}", f"`chmod -R go= {path}`")
    return Finding("state folder", "ok", f"`{path}`, for its owner only")


def _runner(plant: Plant) -> Finding:
    """Ask the runner whether its loop turns; of one that is gone say what it left."""
    from ignrun.control.client import Client
    from ignrun.runtime.journal.lock import is_held
    from ignrun.runtime.journal.registry import last_runner

    record = plant.runner
    if record:
        reason = Client(record.socket, 2.0).ready()
        text = f"pid {record.pid} answers at `{record.socket}`"
        return Finding(
            "runner",
            "warning" if reason else "ok",
            f"{text}: {reason}" if reason else text,
            "`ignrun status` says more",
        )
    if is_held(plant.folder.lock):
        return Finding("runner", "warning", "one is beginning or ending", "look again in a moment")
    last = last_runner(plant.folder)
    return Finding("runner", "ok", f"none is alive; the last was pid {last.pid}" if last else "none has run here yet")


def _stale(plant: Plant) -> Finding:
    from ignrun.cli.absence import left_of

    count = 0 if plant.runner else left_of(str(plant.folder.path))
    if count:
        return Finding(
            "stale processes", "warning", f"{count} of a runner that is gone", "the next `ignrun apply` ends them"
        )
    return Finding("stale processes", "ok", "none of a runner that is gone")
