"""Turns bytes into a file that is there whole, or not at all, after a power cut."""

import os
from contextlib import suppress
from pathlib import Path


def durable_replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` at `path`, replacing what is there; raises OSError and leaves no temporary file.

    A temporary file in the same folder is written and fsynced, renamed, and the folder fsynced: after a power cut
    the old content or the new one is there, and the new one once this has returned. After an error the old
    content is there, unless the very last step failed: then the new one is seen and its durability unknown.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        write_synced(temporary, data, mode)
        temporary.rename(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_synced(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not be there yet and fsync it; its entry in the folder is not synced; raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - the mode is given by os.open
        os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of those who died while they replaced a file of this folder; only its owner may call this."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames, creations and removals in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the content of a file durable that others have written; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
