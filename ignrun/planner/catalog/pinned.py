"""Finds out which installed distribution, in which version, an import leads to, by reading its metadata."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ignrun.planner.catalog.locate import installed_folders

_INFO: Final = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-py.*)?\.(dist|egg)-info\Z")


class Installed:
    """Remembers, for one reading, what is installed where."""

    def __init__(self) -> None:
        """Begin with nothing looked up."""
        self._folders: dict[str, tuple[str, ...]] = {}
        self._infos: dict[str, list[Path]] = {}
        self._provided: dict[str, dict[str, str]] = {}

    def folders(self, top: str) -> tuple[str, ...]:
        """Name the folders from which the first part of an import is found here."""
        if top not in self._folders:
            self._folders[top] = installed_folders(top)
        return self._folders[top]

    def package_of(self, top: str) -> str:
        """Give `name==version` of what the first part of an import leads to; empty where no distribution has it."""
        return next((pin for folder in self.folders(top) if (pin := self._package_in(folder, top))), "")

    def _package_in(self, folder: str, top: str) -> str:
        if folder not in self._infos:
            self._infos[folder] = _infos(folder)
        named = [one for one in self._infos[folder] if _name(one).lower() == top.lower()]
        if named:
            return _pin(named[0])
        if folder not in self._provided:  # it takes reading the metadata of all
            self._provided[folder] = {name: _pin(info) for info in self._infos[folder] for name in _tops(info)}
        return self._provided[folder].get(top, "")


def _infos(folder: str) -> list[Path]:
    try:
        return sorted(one for one in Path(folder).iterdir() if _INFO.match(one.name))
    except OSError:
        return []


def _name(info: Path) -> str:
    match = _INFO.match(info.name)
    return match["name"] if match else ""


def _pin(info: Path) -> str:
    match = _INFO.match(info.name)
    return f"{match['name'].replace('_', '-').lower()}=={match['version']}" if match else ""


def _tops(info: Path) -> Iterator[str]:
    """Give the names that a distribution lets be imported."""
    yield from _text(info / "top_level.txt").split()
    for line in _text(info / "RECORD").splitlines():
        top, inside, _ = line.partition(",")[0].partition("/")
        name = top if inside else top.removesuffix(".py")
        if name.isidentifier():
            yield name


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
