"""Turns the layers of one config into stacks: of each value what every layer says, and of run-time values what they hide."""

from collections.abc import Iterator
from typing import Any

from ignrun.planner.config.layers import Layer, Merged, merged
from ignrun.planner.config.model import Held, Origin, Shadow, Stack, Stamp
from ignrun.planner.config.run_time import LAYER, stamp_of
from ignrun.planner.config.schema import ConfigSchema
from ignrun.planner.config.spots import Spot
from ignrun.terms.leaves import Path, typed
from ignrun.terms.secret import MASK

WRITTEN = frozenset({"definition", "config", "overlay"})
"""Layers that stand in files which people edit."""

_ABSENT: Any = object()


def stacks_of(
    layers: tuple[Layer, ...], schema: ConfigSchema | None, schema_spot: Spot, stamps: dict[str, Stamp]
) -> tuple[Stack, ...]:
    """List the values of a config, those in effect first, then those taken away; defaults of its schema are the weakest layer."""
    paths = dict.fromkeys(_leaves(merged(layers, schema_spot).tree, ()))
    for path in (one for layer in layers for one in _leaves(layer.values, ())):
        if not any(_inside(path, other) or _inside(other, path) for other in paths):
            paths.setdefault(path)
    defaults = _defaults(schema, paths, schema_spot)
    return tuple(_stack(path, layers, defaults, schema, stamps) for path in dict.fromkeys((*paths, *defaults)))


def _inside(inner: Path, outer: Path) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _leaves(values: Any, path: Path) -> Iterator[Path]:
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _leaves(value, (*path, key))
    elif path:
        yield path


def _defaults(schema: ConfigSchema | None, paths: dict[Path, None], spot: Spot) -> dict[Path, Held]:
    """Find the defaults of these values, and of all that no layer names."""
    if schema is None:
        return {}
    bare: dict[str, Any] = {}
    for *way, last in paths:
        at: Any = bare
        for key in way:
            at = at.setdefault(key, {}) if isinstance(at, dict) else {}
        if isinstance(at, dict):
            at.setdefault(last, None)
    return {
        path: Held("default", value, spot.below(*way).span)
        for path, value, way in schema.defaults(bare)
        if not isinstance(value, dict) or not value
    }


def _stack(
    path: Path,
    layers: tuple[Layer, ...],
    defaults: dict[Path, Held],
    schema: ConfigSchema | None,
    stamps: dict[str, Stamp],
) -> Stack:
    secret = schema is not None and schema.is_secret(path)
    held = [defaults[path]] if path in defaults else []
    for layer in layers:
        value, at = _said(layer.values, path)
        if value is not _ABSENT:
            stamp = stamp_of(path, stamps) if layer.name == LAYER else None
            held.append(Held(layer.name, _masked(value) if secret else value, layer.spot.below(*at).span, stamp))
    return Stack(path, tuple(held), secret)


def _said(values: Any, path: Path) -> tuple[Any, Path]:
    """Give what a layer says at `path`, or `null` where it says something else in its stead further up; and where it says so."""
    for number, key in enumerate(path):
        if not isinstance(values, dict):
            return (None, path[:number]) if number else (_ABSENT, ())
        if key not in values:
            return _ABSENT, ()
        values = values[key]
    return values, path


def _masked(value: Any) -> Any:
    """Hide what should be a reference to a secret and is its text."""
    return value if value is None or (isinstance(value, str) and "${" in value) else MASK


# --- origins ----------------------------------------------------------------------------------------------------------


def origins_of(
    base: Merged, below: Merged | None, schema: ConfigSchema | None, stamps: dict[str, Stamp]
) -> tuple[Origin, ...]:
    """List where each scalar, and each list or object with nothing in it, came from; `below` is what lies below the run-time layer."""
    inner = {path[:-1] for path in base.marks if path}
    return tuple(
        Origin(
            path,
            mark.layer,
            mark.spot.span,
            _shadow(path, below, schema, stamps) if below and mark.layer == LAYER else None,
        )
        for path, mark in base.marks.items()
        if path and path not in inner
    )


def _shadow(path: Path, below: Merged, schema: ConfigSchema | None, stamps: dict[str, Stamp]) -> Shadow | None:
    mark = below.marks.get(path)
    if mark is None or mark.layer not in WRITTEN:
        return None
    value, _ = _said(below.tree, path)
    if isinstance(value, dict | list) or value is _ABSENT:
        return None
    stamp = stamp_of(path, stamps) or Stamp()
    if schema is not None and schema.is_secret(path):
        return Shadow(_masked(value), mark.spot.span, stamp, typed=False)
    if isinstance(value, str) and "${" in value:
        return Shadow(value, mark.spot.span, stamp, typed=False)
    try:
        return Shadow(typed(value, schema.kind(path) if schema else "any"), mark.spot.span, stamp)
    except ValueError:
        return Shadow(value, mark.spot.span, stamp)
