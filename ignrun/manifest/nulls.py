"""Owns what a null says in a block that is laid over another one: it removes a key that there is, and stands for nothing else."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import inspect


def without_nulls(node: Any) -> Any:
    """Copy a tree of mappings without what is null in them."""
    if not isinstance(node, dict):
        return node
    return {key: without_nulls(value) for key, value in node.items() if value is not None}


def removes_only_known(tree: Any, shape: Any) -> bool:
    """Tell whether every key that is null in `tree` is one that a block of this type may have."""
    return not _has_nulls(tree) or _is_known(tree, _type_of(shape))


def _has_nulls(node: Any) -> bool:
    return isinstance(node, dict) and any(value is None or _has_nulls(value) for value in node.values())


@cache
def _type_of(shape: Any) -> inspect.Type:
    return inspect.type_info(shape)


def _is_known(node: Any, kind: inspect.Type) -> bool:
    """Walk a tree along its type; where one of several types may be meant, one has to know all the keys."""
    if not isinstance(node, dict):
        return True
    mappings = [one for one in _members(kind) if isinstance(one, inspect.StructType | inspect.DictType)]
    return not mappings or any(_fits(node, one) for one in mappings)


def _members(kind: inspect.Type) -> Iterator[inspect.Type]:
    match kind:
        case inspect.UnionType(types=types):
            for one in types:
                yield from _members(one)
        case inspect.Metadata(type=inner):
            yield from _members(inner)
        case _:
            yield kind


def _fits(node: dict[str, Any], kind: inspect.StructType | inspect.DictType) -> bool:
    match kind:
        case inspect.DictType(value_type=inner):
            return all(_is_known(value, inner) for value in node.values())
        case inspect.StructType(fields=fields):
            known = {field.encode_name: field.type for field in fields}
            return all(key in known and _is_known(value, known[key]) for key, value in node.items())
