"""Turns two configs into the paths at which they differ, as an apply would name them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ignrun.terms.leaves import Path

_ABSENT: Any = object()


def changed_paths(was: Any, now: Any, at: Path = ()) -> Iterator[Path]:
    """Give the path of each value that differs; a list differs as a whole."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in sorted({*was, *now}):
            yield from changed_paths(was.get(key, _ABSENT), now.get(key, _ABSENT), (*at, key))
    elif was is not now and was != now:
        yield at


def with_value(config: Any, path: str, value: Any) -> dict[str, Any]:
    """Copy a config with another value at a dotted path."""
    key, _, rest = path.partition(".")
    at = dict(config) if isinstance(config, Mapping) else {}
    return {**at, key: with_value(at.get(key), rest, value) if rest else value}
