"""Turns a resolved config tree into what `self.config` is: the author's `Config`, or a read-only mapping."""

import dataclasses
import difflib
import pathlib
import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from ignrun.sdk.marks import Written
from ignrun.terms.duration import parse_duration, parse_size
from ignrun.terms.secret import Secret

_LISTS: Final = frozenset({list, tuple, set, frozenset, Sequence, AbstractSet})
_MAPPINGS: Final = frozenset({dict, Mapping})
_SECRET_AS_TEXT: Final = ("got `Secret`", "got `Secret` (a value from `${secret:..}` is declared as `ignrun.Secret`)")
"""What msgspec says, and what it means for who wrote the class."""


class ConfigRefused(ValueError):  # noqa: N818 - says what happened to the config
    """The config does not fit the class that is to receive it; the text names the path and what was expected."""


def convert(values: Any, kind: type | None) -> Any:
    """Turn plain values into `kind` (a dataclass or Struct); without one into a read-only mapping. Raises ConfigRefused."""
    if kind is None:
        return frozen(values)
    _refuse_unknown(values, kind, "")
    try:
        return msgspec.convert(_written(values, kind, "$"), kind, dec_hook=_special)
    except msgspec.ValidationError as error:
        raise ConfigRefused(str(error).replace(*_SECRET_AS_TEXT)) from error
    except NameError as error:
        message = f"the annotations of `{kind.__qualname__}` cannot be read: {error}"
        raise ConfigRefused(message) from error


def frozen(node: Any) -> Any:
    """Copy a tree into one that nobody can change: dicts become read-only mappings, lists tuples."""
    if isinstance(node, Mapping):
        return types.MappingProxyType({key: frozen(value) for key, value in node.items()})
    if isinstance(node, list | tuple):
        return tuple(frozen(value) for value in node)
    return node


def with_secrets(node: Any, paths: frozenset[tuple[str | int, ...]], at: tuple[str | int, ...] = ()) -> Any:
    """Copy a tree with the texts at `paths` wrapped as Secret."""
    if at in paths and node is not None:
        return node if isinstance(node, Secret) else Secret(str(node))
    if isinstance(node, Mapping):
        return {key: with_secrets(value, paths, (*at, key)) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [with_secrets(value, paths, (*at, index)) for index, value in enumerate(node)]
    return node


def _refuse_unknown(values: Any, kind: type, path: str) -> None:
    if not isinstance(values, Mapping):
        message = f"a mapping is expected, not `{type(values).__name__}`"
        raise ConfigRefused(message)
    known = _field_names(kind)
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean `{close[0]}`?" if close else f"; `{kind.__qualname__}` has {', '.join(known)}"
            message = f"unknown key `{key}`{hint}" + (f" - at `{path}`" if path else "")
            raise ConfigRefused(message)


def _field_names(kind: type) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind) if field.init]
    if issubclass(kind, msgspec.Struct):
        return [field.encode_name for field in msgspec.structs.fields(kind)]
    message = f"`{kind.__qualname__}` is neither a dataclass nor a msgspec Struct"
    raise ConfigRefused(message)


def _written(value: Any, hint: Any, path: str) -> Any:
    """Turn durations and sizes that are still written (`2s`, `64MiB`) into numbers, wherever the hints say so."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        inner, *marks = typing.get_args(hint)
        kinds = [mark.kind for mark in marks if isinstance(mark, Written)]
        return _number(value, kinds[0], path) if kinds else _written(value, inner, path)
    if origin in {typing.Union, types.UnionType}:
        return _written_choice(value, typing.get_args(hint), path)
    if isinstance(value, Mapping):
        return _written_mapping(value, hint, path)
    if isinstance(value, list | tuple) and origin in _LISTS and typing.get_args(hint):
        inner = typing.get_args(hint)[0]
        return [_written(one, inner, f"{path}[{index}]") for index, one in enumerate(value)]
    return value


def _written_choice(value: Any, choices: tuple[Any, ...], path: str) -> Any:
    """Do so for one of several types; which of several classes is meant, only msgspec can tell."""
    if isinstance(value, Mapping) and sum(map(_is_block, choices)) > 1:
        return value
    for choice in choices:
        value = _written(value, choice, path)
    return value


def _written_mapping(value: Mapping[str, Any], hint: Any, path: str) -> Any:
    if typing.get_origin(hint) in _MAPPINGS and len(typing.get_args(hint)) > 1:
        inner = typing.get_args(hint)[1]
        return {key: _written(one, inner, f"{path}.{key}") for key, one in value.items()}
    if _is_block(hint):
        if path != "$":
            _refuse_unknown(value, hint, path)
        hints = typing.get_type_hints(hint, include_extras=True)
        return {key: _written(one, hints.get(key), f"{path}.{key}") for key, one in value.items()}
    return value


def _is_block(hint: Any) -> bool:
    return isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct))


def _number(value: Any, kind: str, path: str) -> Any:
    maker = {"duration": parse_duration, "size": parse_size}.get(kind)
    if maker is None or not isinstance(value, str):
        return value
    try:
        return maker(value)
    except ValueError as error:
        message = f"{error} - at `{path}`"
        raise ConfigRefused(message) from error


def _special(kind: type, value: Any) -> Any:
    """Make the types that msgspec does not know."""
    if kind is Secret:
        return value if isinstance(value, Secret) else Secret(str(value))
    if issubclass(pathlib.Path, kind):
        return pathlib.Path(value)
    message = f"Expected `{kind.__name__}`, got `{type(value).__name__}`"
    raise msgspec.ValidationError(message)
