"""Turns the paths of an input set into the folders to watch, symbolic links followed, and into what an event there means."""

import os
import stat
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from typing import Final

import msgspec

from ignrun.manifest.seen import FOLDERS, found_in
from ignrun.runtime.watch.picture import place_of

MOST: Final = 2_000
"""Folders below a pattern that are watched; what lies further is found by looking."""

_MOST_LINKS: Final = 40
_WILD: Final = frozenset("*?[")


class Pattern(msgspec.Struct, frozen=True):
    """Where a listing looks for more: a folder, and a pattern in it."""

    folder: str
    pattern: str

    @property
    def place(self) -> str:
        """The path that stands for the listing in a picture."""
        return place_of(self.folder, self.pattern)


class Trail(msgspec.Struct, frozen=True):
    """The way to a file: the real paths at which a change gives it another content, and the folders in which they lie."""

    points: tuple[str, ...]
    folders: tuple[str, ...]


class Interest(msgspec.Struct, frozen=True):
    """What an event means: by the real path of what it is about, and by folder for patterns; both lead to paths of the picture."""

    points: dict[str, tuple[str, ...]] = {}
    patterns: dict[str, tuple[tuple[str, str], ...]] = {}

    def meant(self, folder: str, name: str, *, is_folder: bool) -> tuple[str, ...]:
        """Name the paths of the input set that an event about `name` in a watched folder may concern."""
        direct = self.points.get(os.path.join(folder, name), ())  # noqa: PTH118 - called for every event
        wanted = self.patterns.get(folder, ())
        return direct + tuple(place for last, place in wanted if (is_folder or fnmatch(name, last)))


class Ground(msgspec.Struct, frozen=True):
    """The folders to watch, each with its identity (device, inode), and what events in them mean."""

    folders: dict[str, tuple[int, int]]
    interest: Interest


def ground_of(files: Iterable[str], patterns: Iterable[Pattern]) -> Ground:
    """Find out what is to be watched for these files (absolute paths) and patterns, as the disk is now."""
    folders: dict[str, tuple[int, int]] = {}
    points: dict[str, list[str]] = {}
    wanted: dict[str, list[tuple[str, str]]] = {}
    known: dict[str, _Folder] = {}
    for file in files:
        trail = _through_folder(file, known)
        for point in trail.points:
            points.setdefault(point, []).append(file)
        folders |= dict.fromkeys(trail.folders, (0, 0))
    for pattern in patterns:
        last = "" if pattern.pattern == FOLDERS else os.path.basename(pattern.pattern)  # noqa: PTH119
        for folder in _searched(pattern):
            trail = trail_of(folder)
            for point in trail.points:
                points.setdefault(point, []).append(pattern.place)
            folders |= dict.fromkeys(trail.folders, (0, 0))
            real = os.path.realpath(folder)
            wanted.setdefault(real, []).append((last, pattern.place))
            folders[real] = (0, 0)
    meaning = Interest({k: tuple(v) for k, v in points.items()}, {k: tuple(v) for k, v in wanted.items()})
    return Ground(_with_identity(folders), meaning)


def trail_of(path: str) -> Trail:
    """Follow an absolute path link by link; it ends at the file, or at the first part that is not there."""
    here, rest = "/", _parts(path)
    points: list[str] = []
    folders: list[str] = []
    links = 0
    while rest:
        part = rest.pop(0)
        if part == "..":
            here = os.path.dirname(here)  # noqa: PTH120 - `here` is real, so this is its parent
            continue
        step = os.path.join(here, part)  # noqa: PTH118 - called for every part of every path
        target = _target(step)
        if target is None and rest:
            here = step
            continue
        points.append(step)
        folders.append(here)
        links += 1
        if not target or links > _MOST_LINKS:
            break
        here, rest = ("/" if target.startswith("/") else here), _parts(target) + rest
    return Trail(tuple(points), tuple(folders))


class _Folder(msgspec.Struct, frozen=True):
    """A folder that files lie in: its real path (empty where it is not there), and the way to it."""

    real: str
    way: Trail


def _through_folder(file: str, known: dict[str, _Folder]) -> Trail:
    """Follow a path whose folder may have been followed before: most files share theirs."""
    folder, name = os.path.split(file)
    if folder not in known:
        known[folder] = _followed(folder)
    found = known[folder]
    if not found.real:
        return found.way
    step = os.path.join(found.real, name)  # noqa: PTH118 - called for every file
    if _target(step):
        end = trail_of(step)
        return Trail((*found.way.points, *end.points), (*found.way.folders, *end.folders))
    return Trail((*found.way.points, step), (*found.way.folders, found.real))


def _followed(folder: str) -> _Folder:
    """Follow the way to a folder: of one that is there only its links matter, of another where it could appear."""
    real, way = os.path.realpath(folder), trail_of(folder)
    if not os.path.isdir(real):  # noqa: PTH112 - a text is at hand
        return _Folder("", way)
    links = tuple(point for point in way.points if os.path.islink(point))  # noqa: PTH114 - the same
    return _Folder(real, Trail(links, tuple(os.path.dirname(point) for point in links)))  # noqa: PTH120 - the same


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _target(path: str) -> str | None:
    """Say where a link leads; None for what is none, empty for what is not there."""
    try:
        return os.readlink(path)  # noqa: PTH115 - called for every part of every path
    except FileNotFoundError:
        return ""
    except OSError:
        return None


def _searched(pattern: Pattern) -> Iterator[str]:
    """Name the folders in which something that matches could appear."""
    if pattern.pattern == FOLDERS:
        yield pattern.folder
        return
    steps = pattern.pattern.split("/")
    fixed = next((number for number, step in enumerate(steps) if not _WILD.isdisjoint(step)), len(steps) - 1)
    first = os.path.normpath(os.path.join(pattern.folder, *steps[:fixed]))  # noqa: PTH118 - `..` is taken out
    yield first
    depth = MOST if "**" in steps else len(steps) - 1 - fixed
    for number, folder in enumerate(_below(first, depth)):
        if number == MOST:
            return
        yield folder


def _below(folder: str, depth: int) -> Iterator[str]:
    for name in found_in(folder, FOLDERS) if depth > 0 else ():
        inner = os.path.join(folder, name)  # noqa: PTH118 - a text is wanted
        yield inner
        yield from _below(inner, depth - 1)


def _with_identity(folders: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Look each folder's identity up; one that has gone meanwhile is left out."""
    found: dict[str, tuple[int, int]] = {}
    for folder in folders:
        try:
            status = os.stat(folder)  # noqa: PTH116 - a text is at hand
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            found[folder] = (status.st_dev, status.st_ino)
    return found
