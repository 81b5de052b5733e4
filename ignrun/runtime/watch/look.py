"""Turns the disk into a picture of the input set: reads what may have changed, in a thread of its own."""

import hashlib
import os
import stat
import time
from collections.abc import Iterable
from typing import Final

import msgspec

from ignrun.manifest.files import MAX_BYTES
from ignrun.manifest.seen import Seen, found_in
from ignrun.runtime.watch.model import Picture, Scan
from ignrun.runtime.watch.picture import digest_of_names, picture_of
from ignrun.runtime.watch.places import Pattern

RACY: Final = 50_000_000
"""Nanoseconds within which a file can change without its signature's telling."""

_COARSE: Final = 2_500_000_000
"""The same where the file system keeps whole seconds."""

_SECOND: Final = 1_000_000_000

Signature = tuple[int, int, int, int, int]


class _Known(msgspec.Struct, frozen=True):
    """A file as it was read: by its signature (device, inode, size, mtime, ctime), and whether that can be trusted."""

    signature: Signature
    digest: str
    sure: bool


class Digester:
    """Looks at the input set; remembers what it has read by stat signature. Lives in one thread."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._known: dict[str, _Known] = {}
        self.read = 0

    def look(self, files: Iterable[str], patterns: Iterable[Pattern], trigger: str, scan: Scan) -> Picture:
        """Give the picture as it is now; reads hinted files, those whose signature has changed, and all in a whole look."""
        picture = {file: self._digest(file, scan, timed=file == trigger) for file in files}
        for pattern in patterns:
            picture[pattern.place] = digest_of_names(found_in(pattern.folder, pattern.pattern))
        self._known = {path: known for path, known in self._known.items() if path in picture}
        return picture

    def size_of(self, path: str) -> int:
        """Give the bytes of a file as it was read last."""
        known = self._known.get(path)
        return known.signature[2] if known else 0

    def _digest(self, path: str, scan: Scan, *, timed: bool) -> str:
        known = self._known.get(path)
        if (
            known
            and known.sure
            and not scan.whole
            and path not in scan.hinted
            and _signature_at(path) == known.signature
        ):
            return known.digest
        self.read += 1
        read = _read(path, timed=timed)
        if read is None:
            self._known.pop(path, None)
            return ""
        self._known[path] = read
        return read.digest


def is_as_seen(seen: Seen) -> bool:
    """Tell whether the disk is now as a reading saw it, code included; never where the reading depends on more than it has told."""
    was = picture_of(seen, code=True)
    patterns = tuple(Pattern(one.folder, one.pattern) for one in seen.listings)
    files = was.keys() - {pattern.place for pattern in patterns}
    return bool(files) and Digester().look(files, patterns, "", Scan(whole=True)) == was


def _signature_at(path: str) -> Signature | None:
    try:
        return _signature(os.stat(path))  # noqa: PTH116 - called for every file
    except (OSError, ValueError):
        return None


def _signature(status: os.stat_result) -> Signature:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: str, *, timed: bool) -> _Known | None:
    """Read a file as the reader does, up to its limit; None for what is missing or no regular file. Waits for no pipe.

    `timed` lets the time of the last change count as content: to touch such a file is to change it.
    """
    began = time.time_ns()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    digest = hashlib.sha256(data).hexdigest()
    return _Known(
        _signature(status), f"{digest} {status.st_mtime_ns}" if timed else digest, sure=_is_sure(status, began)
    )


def _is_sure(status: os.stat_result, began: int) -> bool:
    """Tell whether a later change would show in the signature: not for what has changed just now."""
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    return began - changed > (RACY if changed % _SECOND else _COARSE)
