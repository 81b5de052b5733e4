"""Turns the layers of a config, weakest first, into one tree that remembers where each value was written."""

from typing import Any

import msgspec

from ignrun.planner.config.spots import Spot
from ignrun.terms.leaves import Path


class Layer(msgspec.Struct, frozen=True):
    """Values of one layer by its name (`definition`, `config`, `environment`, `set`, ...), and the place of the whole."""

    name: str
    values: dict[str, Any]
    spot: Spot


class Mark(msgspec.Struct, frozen=True):
    """Which layer a value came from, and its place."""

    layer: str
    spot: Spot


class Merged(msgspec.Struct, frozen=True):
    """The raw tree, the mark of every node in it, and the paths that a `null` removed."""

    tree: dict[str, Any]
    marks: dict[Path, Mark]
    removed: frozenset[Path]

    def spot(self, path: Path) -> Spot:
        """Give the place of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks[path].spot


def merged(layers: tuple[Layer, ...], root: Spot) -> Merged:
    """Merge layers, weakest first: objects by key, lists whole; a `null` removes what a weaker layer set."""
    merge = _Merge(root)
    for layer in layers:
        merge.over(merge.tree, layer.values, (), layer)
    return Merged(merge.tree, merge.marks, frozenset(merge.removed))


class _Merge:
    """One merge under way."""

    def __init__(self, root: Spot) -> None:
        self.tree: dict[str, Any] = {}
        self.marks: dict[Path, Mark] = {(): Mark("", root)}
        self.removed: set[Path] = set()

    def over(self, into: dict[str, Any], values: dict[str, Any], path: Path, layer: Layer) -> None:
        for key, value in values.items():
            here = (*path, key)
            old = into.get(key)
            if isinstance(value, dict) and isinstance(old, dict):
                self.marks[here] = Mark(layer.name, layer.spot.below(*here))
                self.over(old, value, here, layer)
            elif value is None and key in into:
                self._forget(here)
                del into[key]
                self.removed.add(here)
            else:
                if key in into:
                    self._forget(here)
                self.removed.discard(here)
                into[key] = _marked(value, here, 0, layer, self.marks)

    def _copied(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return list(map(_copied, node)) if isinstance(node, list) else node
