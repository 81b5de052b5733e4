"""Turns raw values with references in them into trees: plain where everything is known, pending where an apply has to say it."""

from collections.abc import Callable
from typing import Any

from ignrun.planner.config.ledger import Ledger
from ignrun.planner.config.lookups import Known, Lookup, Scene, joined_pieces, parts_in
from ignrun.planner.config.model import Reference
from ignrun.planner.config.spots import Spot
from ignrun.terms.leaves import Literal, Part, Path, Pending, Tree, typed


class Resolver:
    """Resolves the values of one instance; `references` gathers the exports that they use."""

    def __init__(self, scene: Scene, ledger: Ledger) -> None:
        """Look around in `scene`, ask `ledger` for environment, secrets and files."""
        self._lookup = Lookup(scene, ledger)
        self._ledger = ledger
        self._pending: list[Pending] = []

    @property
    def references(self) -> list[Reference]:
        """The exports that were asked for so far."""
        return self._lookup.references

    def tree(self, raw: Any, spot_of: Callable[[Path], Spot], kind_of: Callable[[Path], str]) -> Tree:
        """Resolve every scalar of a raw value; `kind_of` names the type that a path is to have."""
        self._pending = []
        plain = self._walk(raw, (), spot_of, kind_of)
        return Tree(plain, tuple(self._pending))

    def _walk(self, raw: Any, path: Path, spot_of: Callable[[Path], Spot], kind_of: Callable[[Path], str]) -> Any:
        if isinstance(raw, dict):
            return {key: self._walk(value, (*path, key), spot_of, kind_of) for key, value in raw.items()}
        if isinstance(raw, list | tuple):
            return [self._walk(value, (*path, number), spot_of, kind_of) for number, value in enumerate(raw)]
        if isinstance(raw, str) and "${" in raw:
            return self._scalar(raw, path, spot_of(path), kind_of)
        return self._literal(raw, path, spot_of, kind_of(path))

    def _literal(self, raw: Any, path: Path, spot_of: Callable[[Path], Spot], kind: str) -> Any:
        """Turn written durations and sizes into numbers, and what argv and env hold into text; leave the rest as it is."""
        if kind == "text":
            return typed(raw, "string")
        if kind not in {"duration", "size"} or not isinstance(raw, str):
            return raw
        return self._typed(raw, raw, kind, path, spot_of(path))

    def _scalar(self, text: str, path: Path, spot: Spot, kind_of: Callable[[Path], str]) -> Any:
        piece = joined_pieces(self._lookup.pieces(text, spot))
        if isinstance(piece, Known):
            return self._known(piece.value, text, path, spot, kind_of)
        return self._later(path, parts_in(piece), _kind(kind_of(path)))

    def _known(self, value: Any, text: str, path: Path, spot: Spot, kind_of: Callable[[Path], str]) -> Any:
        """Give what one scalar stands for its type; an object or a list that a variable holds is typed leaf by leaf."""
        if isinstance(value, dict):
            return {key: self._known(one, text, (*path, key), spot, kind_of) for key, one in value.items()}
        if isinstance(value, list):
            return [self._known(one, text, (*path, number), spot, kind_of) for number, one in enumerate(value)]
        return self._typed(value, text, _kind(kind_of(path)), path, spot)

    def _typed(self, value: Any, written: str, kind: str, path: Path, spot: Spot) -> Any:
        try:
            return _within_bounds(typed(_trimmed(value, kind), kind))
        except ValueError:
            summary = f"`{written}` is no {kind}" if written == value else f"`{written}` gives no {kind}"
            self._ledger.diagnostics.append(spot.mistake("IGN220", summary, hint=_EXAMPLES.get(kind, "")))
            return self._later(path, (Literal(written),), kind)

    def _later(self, path: Path, parts: tuple[Part, ...], kind: str) -> None:
        self._pending.append(Pending(path, parts, kind))


_EXAMPLES = {
    "duration": "write it like `500ms`, `2s` or `1h30m`",
    "size": "write it like `64MiB`",
    "boolean": "write `true` or `false`",
}


def _kind(kind: str) -> str:
    return "string" if kind == "text" else kind


def _trimmed(value: Any, kind: str) -> Any:
    """Take the end of the line from what a file or a variable says, unless text is asked for."""
    return value if kind in {"any", "string"} or not isinstance(value, str) else value.rstrip("\r\n")


def _within_bounds(value: Any) -> Any:
    """Refuse numbers that no document could hold either: whole ones beyond 64 bits, and what is not finite."""
    if isinstance(value, int | float) and not -(2**63) <= value < 2**64:
        raise ValueError(value)
    return value
