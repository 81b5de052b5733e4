"""Turns two configs into the paths at which they differ."""

from collections.abc import Iterator
from typing import Any

from ignrun.terms.leaves import Path, Tree


def paths_between(old: Tree, new: Tree) -> tuple[Path, ...]:
    """List where two trees differ, dicts key by key, lists as a whole; a leaf known only later counts by what it is made of."""
    before = {one.path: one for one in old.pending}
    after = {one.path: one for one in new.pending}
    leaves = [path for path in (*after, *before) if before.get(path) != after.get(path)]
    return tuple(dict.fromkeys((*_between(old.plain, new.plain, ()), *leaves)))


def _between(old: Any, new: Any, path: Path) -> Iterator[Path]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*new, *old)):
            if key in old and key in new:
                yield from _between(old[key], new[key], (*path, key))
            else:
                yield (*path, key)
    elif old != new or type(old) is not type(new):
        yield path
