"""Owns the state folder of a plant: where it is, what lies where in it, and how it is made."""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ignrun.runtime.journal.durable import durable_replace
from ignrun.terms.failure import StateFolderFailure

PARENT: Final = ".ignrun"
"""Folder beside a manifest that holds the state folders of its plants."""

_KEY_BYTES: Final = 32


class StateFolder(msgspec.Struct, frozen=True):
    """The paths inside one plant's state folder; `path` is absolute."""

    path: Path

    @property
    def journal(self) -> Path:
        """The store."""
        return self.path / "journal.sqlite"

    @property
    def lock(self) -> Path:
        """The file that the runner holds a kernel lock on."""
        return self.path / "lock"

    @property
    def runner(self) -> Path:
        """What the last runner said of itself (`RunnerRecord`)."""
        return self.path / "runner.json"

    @property
    def key(self) -> Path:
        """The random key of secrets' fingerprints."""
        return self.path / "fingerprint.key"

    @property
    def logs(self) -> Path:
        """Log files of the modules and of the runner."""
        return self.path / "logs"

    @property
    def config(self) -> Path:
        """Run-time overlays of the modules' configs."""
        return self.path / "config"

    @property
    def code(self) -> Path:
        """The code that generations were committed with (`CodeStore`)."""
        return self.path / "code"

    @property
    def data(self) -> Path:
        """What instances keep, a folder each."""
        return self.path / "data"

    @property
    def temp(self) -> Path:
        """What instances may lose, a folder each."""
        return self.path / "temp"


def state_folder_of(manifest: Path, plant: str, environment: Mapping[str, str], given: str = "") -> StateFolder:
    """Say which folder a plant uses: `--state-dir`, IGNRUN_STATE_DIR, systemd's STATE_DIRECTORY, or beside the manifest."""
    systemd = environment.get("STATE_DIRECTORY", "").split(":")[0]
    chosen = given or environment.get("IGNRUN_STATE_DIR", "") or systemd
    return StateFolder(Path(chosen).absolute() if chosen else manifest.absolute().parent / PARENT / plant)


def make_state_folder(folder: StateFolder) -> None:
    """Make the folder, only for its owner, with a `.gitignore`; does nothing where it is; raises StateFolderFailure."""
    outermost = folder.path.parent if folder.path.parent.name == PARENT else folder.path
    try:
        outermost.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (folder.path, folder.logs, folder.config, folder.data, folder.temp):
            make_private(path)
        ignored = outermost / ".gitignore"
        if not ignored.exists():
            durable_replace(ignored, b"*\n", 0o644)
    except OSError as error:
        raise StateFolderFailure(folder.path, error.strerror or str(error), _hint(error)) from error


def make_private(path: Path) -> None:
    """Make a folder that only its owner may enter; raises OSError, also when it belongs to somebody else."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(20, f"`{path}` is not a folder")
    if found.st_uid != os.geteuid():
        raise PermissionError(1, f"`{path}` belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)


def check_folder(path: Path) -> None:
    """Let a folder pass that is missing or may be looked into; raises StateFolderFailure for any other."""
    try:
        with os.scandir(path):
            pass
        path.joinpath("lock").lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateFolderFailure(path, error.strerror or str(error), _hint(error)) from error


def _hint(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "name a folder of your own with `--state-dir`"
    return "free some space or name another folder with `--state-dir`"


def fingerprint_key(folder: StateFolder) -> bytes:
    """Give the plant's own random key, made at first use; raises StateFolderFailure."""
    try:
        found = folder.key.read_bytes() if folder.key.exists() else b""
        if len(found) == _KEY_BYTES:
            return found
        made = os.urandom(_KEY_BYTES)
        durable_replace(folder.key, made)
    except OSError as error:
        raise StateFolderFailure(folder.path, error.strerror or str(error), _hint(error)) from error
    return made
