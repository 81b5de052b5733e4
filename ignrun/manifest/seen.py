"""Owns Seen, what one reading saw of the disk: the files that it opened or missed, and the folders in which it looked for more."""

import glob
import os
from contextvars import ContextVar
from typing import Final

import msgspec

UNREAD: Final = "?"
"""Stands for the digest of a file that a reading depends on without telling its content."""

FOLDERS: Final = "*/"
"""The pattern of a listing that takes the folders directly in a folder, hidden ones and those that tools make aside."""

_MADE_BY_TOOLS: Final = frozenset({"__pycache__", "node_modules", "venv", "env", "build", "dist", "site-packages"})


class Listing(msgspec.Struct, frozen=True):
    """One look into a folder: what matched the pattern in it, sorted; `names` are relative to the folder."""

    folder: str
    pattern: str
    names: tuple[str, ...]


class Seen(msgspec.Struct, frozen=True):
    """The disk as one reading saw it; paths are absolute, as they were asked for.

    `files` gives the SHA-256 (hex) of the bytes of each, empty where there was no such file or it could not be read; `code` the same
    of the files of code, as far as the reading came to them.
    """

    files: dict[str, str] = {}
    listings: tuple[Listing, ...] = ()
    code: dict[str, str] = {}


class Notes:
    """Collects what a reading sees, the first look at each place."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._files: dict[str, str] = {}
        self._listings: dict[tuple[str, str], Listing] = {}

    def file(self, path: str, digest: str) -> None:
        """Note a file; a digest stands over the mere fact that it was looked for."""
        if self._files.get(path, "") in {"", UNREAD}:
            self._files[path] = digest

    def listing(self, found: Listing) -> None:
        """Note what was found in a folder."""
        self._listings.setdefault((found.folder, found.pattern), found)

    def seen(self, but: str) -> Seen:
        """Give all that was seen outside of the folder `but`, which is written by the runner itself."""
        own = but.rstrip(os.sep) + os.sep
        files = {path: digest for path, digest in self._files.items() if not path.startswith(own)}
        return Seen(files, tuple(one for one in self._listings.values() if not one.folder.startswith(own)))


_IN_USE: ContextVar[Notes | None] = ContextVar("notes of a reading", default=None)


def take_notes() -> Notes:
    """Have everything that is read from here on noted; each reading takes its own."""
    notes = Notes()
    _IN_USE.set(notes)
    return notes


def saw(path: str, digest: str = UNREAD) -> None:
    """Note that a file was read, with the digest (hex) of its bytes; empty for one that was missed."""
    if notes := _IN_USE.get():
        notes.file(path, digest)


def matches(folder: str, pattern: str) -> tuple[str, ...]:
    """Look into a folder and note what was found: names relative to it, sorted; nothing where the folder cannot be read."""
    found = found_in(folder, pattern)
    if notes := _IN_USE.get():
        notes.listing(Listing(folder, pattern, found))
    return found


def found_in(folder: str, pattern: str) -> tuple[str, ...]:
    """Give what matches a pattern in a folder, as `glob` has it, or FOLDERS."""
    if pattern == FOLDERS:
        return _folders_in(folder)
    return tuple(sorted(glob.iglob(pattern, root_dir=folder, recursive=True)))  # noqa: PTH207 - pathlib has no `root_dir`


def _folders_in(folder: str) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(one.name for one in entries if _is_telling(one)))
    except OSError:
        return ()


def _is_telling(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name not in _MADE_BY_TOOLS and entry.is_dir()
