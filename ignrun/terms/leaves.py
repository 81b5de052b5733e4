"""Owns the leaves of a resolved value that are not plain yet: secrets and exports, and how they are filled in."""

from collections.abc import Callable
from typing import Any

import msgspec

from ignrun.terms.duration import parse_duration, parse_size

Path = tuple[str | int, ...]
"""Where a leaf stands in a tree of dicts and lists: `("servers", 0, "port")`."""


class SecretNamed(msgspec.Struct, frozen=True, tag="secret"):
    """A secret, by the name that its provider is asked for."""

    name: str


class ExportNamed(msgspec.Struct, frozen=True, tag="export"):
    """One exported value of a running module's gateway or same-scope instance, named by its address."""

    provider: str
    key: str


class Literal(msgspec.Struct, frozen=True, tag="text"):
    """A piece of plain text between other parts."""

    text: str


Part = Literal | SecretNamed | ExportNamed


class Pending(msgspec.Struct, frozen=True):
    """A leaf known only at apply: the parts whose texts, joined, are its value.

    `kind` is the type the schema asks of it: `any` (a single export keeps its own type), `string`, `integer`,
    `number`, `boolean`, `duration` or `size`. A leaf with a `SecretNamed` among its parts is tainted.
    """

    path: Path
    parts: tuple[Part, ...]
    kind: str = "any"

    @property
    def tainted(self) -> bool:
        """Tell whether the value will hold a secret."""
        return any(isinstance(part, SecretNamed) for part in self.parts)

    @property
    def providers(self) -> tuple[str, ...]:
        """Addresses of the instances whose exports it needs."""
        return tuple(part.provider for part in self.parts if isinstance(part, ExportNamed))


class Tree(msgspec.Struct, frozen=True):
    """A resolved value of dicts, lists and scalars, with `None` standing at the path of each pending leaf."""

    plain: Any
    pending: tuple[Pending, ...] = ()


def filled(tree: Tree, leaf: Callable[[Pending], Any]) -> Any:
    """Return a copy of the plain tree with every pending leaf replaced by `leaf(pending)`; the tree itself is left alone."""
    if not tree.pending:
        return tree.plain
    copy = _copied(tree.plain)
    for pending in tree.pending:
        if not pending.path:
            copy = leaf(pending)
            continue
        *way, last = pending.path
        at = copy
        for key in way:
            at = at[key]
        at[last] = leaf(pending)
    return copy


def _copied(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copied(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_copied(value) for value in node]
    return node


def joined(pending: Pending, value_of: Callable[[Part], Any]) -> Any:
    """Put the parts of a pending leaf together: a single part keeps its own type, several become one text; raises ValueError.

    The outcome then has the type that `pending.kind` asks for: durations are float seconds, sizes int bytes.
    """
    values = [value_of(part) for part in pending.parts]
    value = values[0] if len(values) == 1 else "".join(_as_text(one) for one in values)
    return typed(value, pending.kind)


def typed(value: Any, kind: str) -> Any:
    """Turn a value into the type that a schema asks for, as `Pending.kind` names it; raises ValueError where it cannot."""
    if kind == "any" or not isinstance(value, str):
        return _as_text(value) if kind == "string" else value
    if kind == "boolean":
        return _TRUTH[value] if value in _TRUTH else _refuse(value, kind)
    maker = _MAKERS.get(kind)
    return maker(value) if maker else value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _refuse(value: str, kind: str) -> Any:
    message = f"`{value}` is not of type {kind}"
    raise ValueError(message)


_TRUTH = {"true": True, "false": False}
_MAKERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "duration": parse_duration,
    "size": parse_size,
}
