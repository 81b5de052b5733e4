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

    def value_span(self, path: Path) -> Span:
        """Give the place of the value at `path`, or of its nearest ancestor that exists."""
        return self._span(path, 1)

    def key_span(self, path: Path) -> Span:
        """Give the place of the key that leads to `path`, or of its nearest ancestor that exists."""
        return self._span(path, 0)

    def line(self, number: int) -> str:
        """Give the text of a line, counted from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _span(self, path: Path, which: int) -> Span:
        index = self._index
        while path and path not in index:
            path = path[:-1]
        packed = index.get(path, (1 << 40 | 1 << 20, 1 << 40 | 1 << 20))[which]
        line, column, length = packed >> 40, packed >> 20 & 0xFFFFF, packed & 0xFFFFF
        return Span(self.file, line, column, column + length, self.digest)

    @functools.cached_property
    def _index(self) -> dict[Path, tuple[int, int]]:
        packed = memoryview(self.places).cast("Q")
        index: dict[Path, tuple[int, int]] = {}
        at = 0

        def walk(node: Any, path: Path, key: int | None) -> None:  # noqa: ANN401 - a tree of any JSON value
            nonlocal at
            own = packed[at]
            at += 1
            index[path] = (own if key is None else key, own)
            if isinstance(node, dict):
                for name, value in node.items():
                    name_at = packed[at]
                    at += 1
                    walk(value, (*path, name), name_at)
            elif isinstance(node, list):
                for number, value in enumerate(node):
                    walk(value, (*path, number), None)

        if packed:
            walk(self.tree, (), None)
        return index
