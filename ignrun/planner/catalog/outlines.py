"""Keeps what files of code say of themselves by the digest of their bytes, so that unchanged code is not parsed again."""

import ast
import sys
from typing import Final

import msgspec

from ignrun import __version__
from ignrun.manifest.cache import ParseCache, keep, kept
from ignrun.planner.catalog.imports import Imports, imports_of
from ignrun.planner.catalog.source import Outline, outline_of

NAME: Final = "outlines"
"""The file in the cache that holds those of the latest reading which kept any."""

FORMAT: Final = f"1 {__version__} {sys.version_info[0]}.{sys.version_info[1]}"
"""What is Python depends on the release that reads it."""


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What the bytes of one file of code say: its names and classes, and what it imports."""

    outline: Outline
    imports: Imports


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    format: str
    said: dict[str, Said]


class Outlines:
    """What is said by all files of code of one reading, by digest (hex)."""

    def __init__(self, cache: ParseCache | None = None) -> None:
        """Go by what `cache` has, by nothing where there is none."""
        self._cache = cache
        self._known: dict[str, Said] | None = None
        self._asked: dict[str, Said] = {}

    def of(self, digest: str, content: bytes) -> Said:
        """Say it of the bytes with this digest; raises SyntaxError, ValueError or RecursionError for what is no Python."""
        said = self._read().get(digest)
        if said is None:
            tree = ast.parse(content)
            said = Said(outline_of(tree), imports_of(tree, content))
        self._asked[digest] = said
        return said

    def keep(self) -> None:
        """Keep what was asked for in this reading, and nothing else, for later ones."""
        if self._cache and self._asked.keys() != self._read().keys():
            keep(self._cache, NAME, _Kept(FORMAT, self._asked))

    def _read(self) -> dict[str, Said]:
        if self._known is None:
            found = kept(self._cache, NAME, _Kept) if self._cache else None
            self._known = found.said if found and found.format == FORMAT else {}
        return self._known
