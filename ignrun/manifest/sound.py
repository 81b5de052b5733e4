"""Turns a tree with mistakes in it into its sound part, so that later stages can name mistakes of their own."""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from ignrun.manifest.free import without_free_keys
from ignrun.manifest.judge import loosely_shaped
from ignrun.terms.leaves import Path
from ignrun.terms.names import MODULE_NAME

T = TypeVar("T")
_ROUNDS: Final = 4  # what is taken out may have been required by what stood around it


def sound_part(tree: Any, name: str, shape: type[T], wrong: Iterable[Path]) -> tuple[Any, T | None]:
    """Take out what is wrong until the rest has its shape; None when nothing is left. A module keeps at least its name.

    Gives the rest as a tree, and as its shape.
    """
    from ignrun.manifest.explain import wrong_paths

    for _ in range(_ROUNDS):
        tree = without(tree, wrong)
        text = loosely_shaped(without_free_keys(tree), shape)
        if text is not None:
            return tree, text
        wrong = wrong_paths(tree, name)
        if not wrong:
            break
    return tree, None


def without(tree: Any, paths: Iterable[Path]) -> Any:
    """Copy a tree without what stands at `paths`; a well-named module becomes an empty block instead."""
    wrong: dict[Any, Any] = {}
    for path in paths:
        at = wrong
        for key in path:
            at = at.setdefault(key, {})
        at[_HERE] = True
    return None if _HERE in wrong else _kept(tree, wrong, ())


_HERE: Final = object()


def _kept(node: Any, wrong: dict[Any, Any], path: Path) -> Any:
    if isinstance(node, dict):
        kept = ((key, _member(value, wrong.get(key), (*path, key))) for key, value in node.items())
        return {key: value for key, value in kept if value is not _HERE}
    if isinstance(node, list):
        items = (_member(value, wrong.get(number), (*path, number)) for number, value in enumerate(node))
        return [value for value in items if value is not _HERE]
    return node


def _member(value: Any, wrong: dict[Any, Any] | None, path: Path) -> Any:
    if wrong is None:
        return value
    if _HERE not in wrong:
        return _kept(value, wrong, path)
    stands_for_its_name = len(path) == 2 and path[0] == "modules" and MODULE_NAME.match(str(path[1]))  # noqa: PLR2004
    return {} if stands_for_its_name else _HERE
