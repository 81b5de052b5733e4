"""Turns a config schema, or the marks of a `Config` class, into what a change of each value asks of a running module."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal, get_args

from ignrun.planner.catalog.model import Chosen
from ignrun.planner.config.model import Measure, Update
from ignrun.terms.leaves import Path

How = Literal["reconfigure", "restart", "never"]
Followed = Callable[[Any], dict[str, Any]]

ANY: Final = "*"
_WORDS: Final[tuple[How, ...]] = get_args(How)
_STRICTER: Final = {how: rank for rank, how in enumerate(_WORDS)}
_SAME_PLACE: Final = ("allOf", "anyOf", "oneOf")


def updates_of(raw: dict[str, Any], followed: Followed) -> tuple[Update, ...]:
    """List every `x-ignrun-update` of a schema by the path of its value; `followed` gives the target of a `$ref`."""
    said = ((path, node.get("x-ignrun-update")) for path, node in _walked(raw, (), followed, ()))
    return tuple(dict.fromkeys(Update(path, how) for path, how in said if how in _WORDS))


def measures_of(raw: dict[str, Any], followed: Followed) -> tuple[Measure, ...]:
    """List the values of a schema that are durations or sizes."""
    said = ((path, node.get("x-ignrun-type")) for path, node in _walked(raw, (), followed, ()))
    return tuple(dict.fromkeys(Measure(path, kind) for path, kind in said if kind in {"duration", "size"}))


def measure_at(measures: Iterable[Measure], path: Path) -> str:
    """Say whether the value at `path` is a `duration` or a `size`; empty where it is neither."""
    keys = tuple(map(str, path))
    return next((one.kind for one in measures if len(one.path) == len(keys) and _leads(one.path, keys)), "")


def _walked(
    node: Any, path: tuple[str, ...], followed: Followed, way: tuple[int, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    whole = followed(node)
    if not whole or id(whole) in way:
        return  # a block that holds itself says below what it says above
    yield path, whole | node
    way = (*way, id(whole))
    for key, inner in _below(whole):
        yield from _walked(inner, (*path, key), followed, way)
    for word in _SAME_PLACE:
        for inner in whole.get(word, ()) if isinstance(whole.get(word), list) else ():
            yield from _walked(inner, path, followed, way)


def _below(node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for word in ("properties", "patternProperties"):
        named = node.get(word)
        for name, inner in named.items() if isinstance(named, dict) else ():
            yield (name if word == "properties" else ANY), inner
    yield from ((ANY, node[word]) for word in ("items", "additionalProperties") if isinstance(node.get(word), dict))


def updates_of_class(chosen: Chosen) -> tuple[Update, ...]:
    """List what the source of a `Config` class says of its fields, where no schema was generated for it."""
    marks = chosen.code.updates if chosen.code else ()
    return tuple(Update((name,), how) for name, word in marks for how in _WORDS if how == word)


def asked_by(updates: Iterable[Update], path: Path) -> How:
    """Say what a change of the value at `path` asks for.

    The nearest word above decides, `reconfigure` without any; where a whole block changed, the strictest of those in it, too.
    """
    keys = tuple(map(str, path))
    length = -1
    nearest: How = "reconfigure"
    inside: list[How] = []
    for one in updates:
        if not _leads(one.path, keys):
            continue
        if len(one.path) > len(keys):
            inside.append(one.how)
        elif len(one.path) > length or (len(one.path) == length and _STRICTER[one.how] > _STRICTER[nearest]):
            length, nearest = len(one.path), one.how
    return max((nearest, *inside), key=lambda how: _STRICTER[how])


def _leads(pattern: tuple[str, ...], keys: tuple[str, ...]) -> bool:
    return all(part in (ANY, key) for part, key in zip(pattern, keys, strict=False))
