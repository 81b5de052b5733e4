"""Owns the run-time folder of one plant: config files of commands, notify sockets and host sockets, gone with the runner."""

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_GUESTS: Final = ("/run", "/dev/shm")  # noqa: S108 - memory; what is made there is checked to be this user's


def plant_token(state_dir: Path) -> str:
    """Give the marker that all processes of a plant carry: always the same for one state folder."""
    return hashlib.sha256(os.fsencode(state_dir.absolute())).hexdigest()[:16]


def make_run_folder(run_time: Path, token: str) -> Path:
    """Make the plant's folder in the user's run-time folder, empty and only for its owner; raises OSError.

    The caller holds the plant's lock: whatever lies there was left by a dead runner.
    """
    remove_guest_folder(token)
    return _make_empty(run_time / token, 0o700)


def make_guest_folder(token: str) -> Path:
    """Make the plant's folder for files of commands that run as somebody else: everybody may pass, only root can list it; raises OSError."""
    return _make_empty(guest_folder(token), 0o711)


def remove_guest_folder(token: str) -> None:
    """Remove what a dead runner left there."""
    folder = guest_folder(token)
    with suppress(OSError):
        if folder.lstat().st_uid == os.geteuid():
            remove_run_folder(folder)


def guest_folder(token: str) -> Path:
    """Give the place of the plant's folder for files of commands that run as somebody else."""
    below = next((path for path in _GUESTS if os.access(path, os.W_OK)), tempfile.gettempdir())
    return Path(below, f"ignrun-{token}")


def _make_empty(folder: Path, mode: int) -> Path:
    with suppress(FileExistsError):
        folder.mkdir(mode=mode)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(1, f"`{folder}` is not a folder of this user")
    folder.chmod(mode)
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
    return folder


def remove_run_folder(folder: Path) -> None:
    """Remove the plant's folder with all that is in it; what resists stays."""
    shutil.rmtree(folder, ignore_errors=True)
