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
    tree: dict[str, Any] = {}
    marks: dict[Path, Mark] = {(): Mark("", root)}
    removed: set[Path] = set()
    for layer in layers:
        _merge(tree, layer.values, (), layer, marks, removed)
    return Merged(tree, marks, frozenset(removed))


def with_defaults(base: Merged, defaults: list[tuple[Path, Any, Spot]]) -> Merged:
    """Set what no layer says; `defaults` names each container before what stands in it."""
    tree = _copied(base.tree)
    marks, removed = dict(base.marks), set(base.removed)
    for path, value, spot in defaults:
        at = tree
        for key in path[:-1]:
            at = at[key]
        if path in removed:
            continue
        if path[-1] in at and at[path[-1]] is None:
            del at[path[-1]]
        else:
            layer = Layer("default", {}, spot)
            at[path[-1]] = _marked(value, path, len(path), layer, marks)
    return Merged(tree, marks, frozenset(removed))


def _merge(
    into: dict[str, Any], values: dict[str, Any], path: Path, layer: Layer, marks: dict[Path, Mark], removed: set[Path]
) -> None:
    for key, value in values.items():
        here = (*path, key)
        old = into.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            marks[here] = Mark(layer.name, layer.spot.below(*here))
            _merge(old, value, here, layer, marks, removed)
            continue
        if key in into:
            _forget(here, marks)
        if value is None and key in into:
            del into[key]
            removed.add(here)
            continue
        removed.discard(here)
        into[key] = _marked(value, here, 0, layer, marks)


def _marked(value: Any, path: Path, skipped: int, layer: Layer, marks: dict[Path, Mark]) -> Any:
    """Copy a value and mark every node in it; the first `skipped` keys of a path are not below the layer's own place."""
    marks[path] = Mark(layer.name, layer.spot.below(*path[skipped:]))
    if isinstance(value, dict):
        return {key: _marked(inner, (*path, key), skipped, layer, marks) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner, (*path, number), skipped, layer, marks) for number, inner in enumerate(value)]
    return value


def _forget(path: Path, marks: dict[Path, Mark]) -> None:
    for known in [one for one in marks if one[: len(path)] == path]:
        del marks[known]


def _copied(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    return list(map(_copied, node)) if isinstance(node, list) else node
