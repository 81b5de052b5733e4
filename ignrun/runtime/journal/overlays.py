"""Owns the run-time overlay of a module's config, `config/<module>.json`, and its numbered backups."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.runtime.journal.durable import durable_replace, sync_folder
from ignrun.runtime.journal.folder import make_private
from ignrun.terms.failure import LockHeld, StateFolderFailure

KEPT: Final = 20
"""How many backups of one module are kept."""

PATIENCE: Final = 10.0
"""Seconds to wait for somebody else who is changing run-time values of the same plant."""

_DIGITS: Final = 6
_PAUSE: Final = 0.02


class Backup(msgspec.Struct, frozen=True):
    """What an overlay was before its `number`th change."""

    number: int
    path: Path


class Overlays:
    """The overlays of one plant, in the folder `config` of its state folder; module names are those of manifests."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when the first overlay is written."""
        self._folder = folder
        self._kept: dict[str, tuple[str, ...]] = {}

    def path(self, module: str) -> Path:
        """Say where a module's overlay lies."""
        return self._folder / f"{module}.json"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from changing overlays for as long as the block runs, so that no change is lost; raises LockHeld."""
        if not self._folder.is_dir():
            yield
            return
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StateFolderFailure(self._folder.parent, error.strerror or str(error)) from error
        try:
            _take(descriptor)
            yield
        finally:
            os.close(descriptor)

    def read(self, module: str) -> dict[str, Any]:
        """Give a module's overlay, empty where there is none; raises StateFolderFailure when it is damaged."""
        try:
            text = self.path(module).read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StateFolderFailure(self._folder.parent, f"`{self.path(module)}`: {error.strerror}") from error
        return self._decoded(self.path(module), text)

    def write(self, module: str, values: dict[str, Any]) -> None:
        """Replace a module's overlay, keeping the old one as a backup; raises StateFolderFailure and leaves no half of it."""
        old = self.read(module)
        if old == values:
            return
        backup: Path | None = None
        try:
            make_private(self._folder)
            make_private(self._backups)
            backup = self._next_backup(module)
            durable_replace(backup, _encoded(old))
            durable_replace(self.path(module), _encoded(values))
        except OSError as error:
            if backup and self._sound(module) == old:
                with suppress(OSError):
                    backup.unlink()
            raise StateFolderFailure(self._folder.parent, error.strerror or str(error)) from error
        self._forget_the_oldest(module)

    def backups(self, module: str) -> tuple[Backup, ...]:
        """Name a module's backups, the oldest first."""
        found = [
            Backup(int(number), path)
            for path in self._backups.glob(f"{module}.*.json")
            if (number := path.name.removeprefix(f"{module}.").removesuffix(".json")).isdigit()
        ]
        return tuple(sorted(found, key=lambda backup: backup.number))

    def kept(self) -> dict[str, tuple[str, ...]]:
        """Name the backups of every module that has any, as the last `look` found them, the oldest first; never looks at the disk."""
        return self._kept

    def look(self) -> None:
        """See which backups there are, where the disk says so; may wait for it."""
        found: dict[str, list[str]] = {}
        with suppress(OSError):
            for path in self._backups.glob("*.json"):
                module, _, number = path.name.removesuffix(".json").rpartition(".")
                if module and number.isdigit():
                    found.setdefault(module, []).append(path.name)
        self._kept = {module: tuple(sorted(names)) for module, names in found.items()}

    def previous(self, module: str) -> dict[str, Any] | None:
        """Give the overlay that `rollback` would go back to, None where there is none."""
        now = self._sound(module)
        for backup in reversed(self.backups(module)):
            values = self._in_backup(backup)
            if values != now:
                return values
        return None

    def rollback(self, module: str) -> dict[str, Any] | None:
        """Go back one change and give the overlay that is in effect then, None where there is nothing to go back to.

        Twice goes back twice; a damaged overlay can be left this way. Raises StateFolderFailure and then changes nothing.
        """
        now = self._sound(module)
        for backup in reversed(self.backups(module)):
            values = self._in_backup(backup)
            try:
                if values != now:
                    durable_replace(self.path(module), _encoded(values))
                backup.path.unlink()
                sync_folder(self._backups)
            except OSError as error:
                raise StateFolderFailure(self._folder.parent, error.strerror or str(error)) from error
            if values != now:  # else a write or a rollback was cut short: this backup is what is in effect
                return values
        return None

    def _in_backup(self, backup: Backup) -> dict[str, Any]:
        try:
            return self._decoded(backup.path, backup.path.read_bytes())
        except OSError as error:
            raise StateFolderFailure(self._folder.parent, f"`{backup.path}`: {error.strerror}") from error

    def _sound(self, module: str) -> dict[str, Any] | None:
        try:
            return self.read(module)
        except StateFolderFailure:
            return None

    @property
    def _backups(self) -> Path:
        return self._folder / "backups"

    def _next_backup(self, module: str) -> Path:
        kept = self.backups(module)
        number = kept[-1].number + 1 if kept else 1
        return self._backups / f"{module}.{number:0{_DIGITS}d}.json"

    def _forget_the_oldest(self, module: str) -> None:
        for backup in self.backups(module)[:-KEPT]:
            backup.path.unlink(missing_ok=True)

    def _decoded(self, path: Path, text: bytes) -> dict[str, Any]:
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            hint = f"`ignrun config rollback {path.name.partition('.')[0]}` goes back to the values before; they are in `{self._backups}`"
            raise StateFolderFailure(self._folder.parent, f"`{path}` is damaged ({error})", hint) from error


def stamped(stamps: dict[str, Any], path: tuple[str, ...], by: str, *, is_set: bool) -> dict[str, Any]:
    """Give the stamps of an overlay after a change at `path`: who set what is there now, and when."""
    name = ".".join(path)
    left = {path: one for path, one in stamps.items() if name and path != name and not path.startswith(f"{name}.")}
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**left, name: {"by": by, "at": at}} if is_set else left


def _take(descriptor: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LockHeld("the run-time config of this plant", "another command", "try again") from None
            time.sleep(_PAUSE)
        else:
            return


def _encoded(values: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(values)) + b"\n"
