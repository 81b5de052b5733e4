"""Puts the tree of a manifest and those that it includes side by side: mappings by key, lists one after the other, nothing twice."""

from typing import Final

from ignrun.manifest.document import Document, Graft
from ignrun.manifest.places import at_key
from ignrun.manifest.weave import Branch
from ignrun.terms.diagnostics import Diagnostic, Note
from ignrun.terms.leaves import Path

_OF_ONE_FILE: Final = frozenset({"apiVersion", "kind", "metadata", "include"})
_NAMED: Final = {"modules": "module", "vars": "variable", "secrets": "secret", "alerts": "alert"}


class Uniting:
    """Adds one included manifest after the other; `diagnostics` tells of everything that two files say."""

    def __init__(self, sources: tuple[Document, ...]) -> None:
        """Take places from the documents behind the branches."""
        self._sources = sources
        self.diagnostics: list[Diagnostic] = []

    def united(self, first: Branch, second: Branch, path: Path = ()) -> Branch:
        """Give both; what both say is told, and that of the first file stays."""
        changes: dict[str, Branch | None] = {}
        for key in second.value:
            part = second.child(key)
            if not path and key in _OF_ONE_FILE:
                continue
            if key not in first.value:
                changes[key] = part
            else:
                changes[key] = self._both(first.child(key), part, (*path, key))
        return first.changed(changes)

    def _both(self, first: Branch, second: Branch, path: Path) -> Branch:
        free = str(path[-1]).startswith("x-")
        named = free if len(path) == 1 else path[0] in _NAMED
        if not named and isinstance(first.value, dict) and isinstance(second.value, dict):
            return self.united(first, second, path)
        if not named and isinstance(first.value, list) and isinstance(second.value, list):
            return _joined(first, second)
        if not free or (isinstance(first.value, dict) and isinstance(second.value, dict)):
            self.diagnostics.append(self._twice(first, second, path))
        return first

    def _twice(self, first: Branch, second: Branch, path: Path) -> Diagnostic:
        what = _NAMED.get(str(path[0]), "") if len(path) > 1 else ""
        shown = f"the {what} `{path[-1]}`" if what else f"`{'.'.join(map(str, path))}`"
        before, here = self._sources[first.graft.source], self._sources[second.graft.source]
        note = Note("the other one is here", before.key_span(first.graft.path))
        hint = "remove one of them, or change it in an overlay"
        return at_key(here, second.graft.path, "IGN132", f"{shown} stands in two files", hint=hint, notes=(note,))


def _joined(first: Branch, second: Branch) -> Branch:
    offset = len(first.value)
    inner = {**first.graft.inner}
    inner.update({offset + number: second.graft.below(number) for number in range(len(second.value))})
    return Branch([*first.value, *second.value], Graft(first.graft.source, first.graft.path, inner))
