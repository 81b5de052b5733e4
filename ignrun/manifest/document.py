"""Owns Document, a plain tree beside the places of its keys and values, whether written in one text or woven from several."""

import functools
import os.path
from typing import Any

import msgspec

from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span


class Graft(msgspec.Struct, frozen=True):
    """Where a piece of a woven tree was written: at `path` of source number `source`; `inner` has the parts written elsewhere, by key."""

    source: int
    path: Path
    inner: dict[str | int, "Graft"] = {}

    def below(self, key: str | int) -> "Graft":
        """Give where the part under `key` was written."""
        return self.inner.get(key) or Graft(self.source, (*self.path, key))


class Document(msgspec.Struct, frozen=True, dict=True):
    """One YAML document: `tree` of dicts, lists and scalars, and `places`, one packed `array('Q')` in pre-order.

    Each mapping entry contributes its key then its value, each list its items; an entry is `line << 40 | column << 20 | length`
    with line and column from 1 (length capped). The map from path to place is built only when first asked for.
    A woven document (includes, overlays, `extends`, `for_each`) has `sources` and a `graft` instead of places: every path leads
    to the source that wrote it.
    """

    file: str
    digest: str
    tree: Any
    places: bytes
    lines: tuple[str, ...] = ()
    damaged_places: frozenset[int] = frozenset()
    sources: tuple["Document", ...] = ()
    graft: Graft | None = None

    def origin(self, path: Path) -> tuple["Document", Path]:
        """Give the document of one text that wrote what stands at `path`, and the path there."""
        graft = self.graft
        if graft is None:
            return self, path
        for number, key in enumerate(path):
            inner = graft.inner.get(key)
            if inner is None:
                return self.sources[graft.source], (*graft.path, *path[number:])
            graft = inner
        return self.sources[graft.source], graft.path

    def folder_of(self, path: Path) -> str:
        """Name the folder of the file that wrote what stands at `path`: what its paths are relative to."""
        return os.path.dirname(self.origin(path)[0].file)  # noqa: PTH120 - once a module: five times as fast

    def value_span(self, path: Path) -> Span:
        """Give the place of the value at `path`, or of its nearest ancestor that exists."""
        return self._span(path, key=False)

    def key_span(self, path: Path) -> Span:
        """Give the place of the key that leads to `path`, or of its nearest ancestor that exists."""
        return self._span(path, key=True)

    def damaged(self, path: Path) -> bool:
        """Tell whether the value at `path` lacks something that was refused as text: what it misses is no mistake of its own."""
        if self.graft is not None:
            document, path = self.origin(path)
            return document.damaged(path)
        return self._index.get(path) in self.damaged_places

    def line(self, number: int) -> str:
        """Give the text of a line, counted from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def line_at(self, span: Span) -> str:
        """Give the line of a place that this document, or one of its sources, has; empty where it has none."""
        source = next((one for one in self.sources if one.file == span.file), self)
        return source.line(span.line) if source.file == span.file else ""

    def _span(self, path: Path, *, key: bool) -> Span:
        if self.graft is not None:
            document, path = self.origin(path)
            return document.key_span(path) if key else document.value_span(path)
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
