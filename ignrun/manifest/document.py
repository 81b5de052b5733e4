"""Owns Document, a plain tree beside the packed places of its keys and values."""

import functools
from typing import Any

import msgspec

from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span


class Document(msgspec.Struct, frozen=True, dict=True):
    """One YAML document: `tree` of dicts, lists and scalars, and `places`, one packed `array('Q')` in pre-order.

    Each mapping entry contributes its key then its value, each list its items; an entry is `line << 40 | column << 20 | length`
    with line and column from 1 (length capped). The map from path to place is built only when first asked for.
    """

    file: str
    digest: str
    tree: Any
    places: bytes
    lines: tuple[str, ...] = ()
    damaged_places: frozenset[int] = frozenset()

    def value_span(self, path: Path) -> Span:
        """Give the place of the value at `path`, or of its nearest ancestor that exists."""
        return self._span(path, key=False)

    def key_span(self, path: Path) -> Span:
        """Give the place of the key that leads to `path`, or of its nearest ancestor that exists."""
        return self._span(path, key=True)

    def damaged(self, path: Path) -> bool:
        """Tell whether the value at `path` lacks something that was refused as text: what it misses is no mistake of its own."""
        return self._index.get(path) in self.damaged_places

    def line(self, number: int) -> str:
        """Give the text of a line, counted from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _span(self, path: Path, *, key: bool) -> Span:
        index = self._index
        while path and path not in index:
            path = path[:-1]
        at = index.get(path)
        if at is None:
            return Span.of_file(self.file, self.digest)
        packed = self._packed[at - 1 if key and path and isinstance(path[-1], str) else at]
        line, column, length = packed >> 40, packed >> 20 & 0xFFFFF, packed & 0xFFFFF
        return Span(self.file, line, column, column + length, self.digest)

    @functools.cached_property
    def _packed(self) -> memoryview:
        return memoryview(self.places).cast("Q")

    @functools.cached_property
    def _index(self) -> dict[Path, int]:
        """Map the path of each value to the number of its place; that of its key stands just before."""
        if not self.places:
            return {}
        index: dict[Path, int] = {(): 0}
        at = 0

        def walk(node: dict[str, Any] | list[Any], path: Path) -> None:
            nonlocal at
            step = 2 if isinstance(node, dict) else 1
            for name, value in node.items() if isinstance(node, dict) else enumerate(node):
                at += step
                own = (*path, name)
                index[own] = at
                if value and type(value) in _CONTAINERS:
                    walk(value, own)

        if type(self.tree) in _CONTAINERS:
            walk(self.tree, ())
        return index


_CONTAINERS = frozenset({dict, list})
