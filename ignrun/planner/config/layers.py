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

    def _forget(self, path: Path) -> None:
        for known in [one for one in self.marks if one[: len(path)] == path]:
            del self.marks[known]


def with_defaults(base: Merged, defaults: list[tuple[Path, Any, Spot]]) -> Merged:
    """Set what no layer says; `defaults` names each container before what stands in it."""
    tree = _copied(base.tree)
    marks = dict(base.marks)
    for path, value, spot in defaults:
        at = _container(tree, path)
        if at is None or path in base.removed:
            continue
        if path[-1] in at:  # an explicit `null`, which removes the default, too
            del at[path[-1]]
            del marks[path]
        else:
            at[path[-1]] = _marked(value, path, len(path), Layer("default", {}, spot), marks)
    return Merged(tree, marks, base.removed)


def _container(tree: Any, path: Path) -> Any:
    """Find what the last key of a path stands in; None where a default of its own has been removed."""
    for key in path[:-1]:
        if isinstance(tree, dict) and key not in tree:
            return None
        tree = tree[key]
    return tree


def _marked(value: Any, path: Path, skipped: int, layer: Layer, marks: dict[Path, Mark]) -> Any:
    """Copy a value and mark every node in it; the first `skipped` keys of a path are not below the layer's own place."""
    marks[path] = Mark(layer.name, layer.spot.below(*path[skipped:]))
    if isinstance(value, dict):
        return {key: _marked(inner, (*path, key), skipped, layer, marks) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner, (*path, number), skipped, layer, marks) for number, inner in enumerate(value)]
    return value


def _copied(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return list(map(_copied, node)) if isinstance(node, list) else node
