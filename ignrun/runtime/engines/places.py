"""Owns the run-time folder of one plant: config files of commands, notify sockets and host sockets, gone with the runner."""

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def plant_token(state_dir: Path) -> str:
    """Give the marker that all processes of a plant carry: always the same for one state folder."""
    return hashlib.sha256(os.fsencode(state_dir.absolute())).hexdigest()[:16]


def make_run_folder(run_time: Path, token: str) -> Path:
    """Make the plant's folder in the user's run-time folder, empty and only for its owner; raises OSError.

    The caller holds the plant's lock: whatever lies there was left by a dead runner.
    """
    folder = run_time / token
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(1, f"`{folder}` is not a folder of this user")
    folder.chmod(0o700)
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
    return folder


def remove_run_folder(folder: Path) -> None:
    """Remove the plant's folder with all that is in it; what resists stays."""
    shutil.rmtree(folder, ignore_errors=True)
