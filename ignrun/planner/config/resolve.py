"""Turns raw values with references in them into trees: plain where everything is known, pending where an apply has to say it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ignrun.planner.config.ledger import Ledger
from ignrun.planner.config.model import Folders, Reference
from ignrun.planner.config.references import Malformed, Ref, parts_of
from ignrun.planner.config.spots import Spot
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import ExportNamed, Literal, Part, Path, Pending, SecretNamed, Tree, typed
from ignrun.terms.names import Address


class Refusal(msgspec.Struct, frozen=True):
    """Why a reference leads nowhere."""

    code: str
    summary: str
    hint: str = ""


class Known(msgspec.Struct, frozen=True):
    """A part whose value is known now."""

    value: Any


class Unknown(msgspec.Struct, frozen=True):
    """A part that has no value yet, or none at all; what is missing has been noted."""

    written: str


Piece = Known | Unknown | tuple[Part, ...]


class Scene(msgspec.Struct, frozen=True):
    """What the references of one instance can see; `config` is None while the config itself is being resolved.

    `provider_of(name, key)` leads from `NAME` or `NAME@scope` and the name of an export to the address of the provider.
    """

    variables: Mapping[str, Any]
    folders: Folders
    provider_of: Callable[[str, str], Address | Refusal]
    config: Tree | None = None


class Resolver:
    """Resolves the values of one instance; `references` gathers the exports that they use."""

    def __init__(self, scene: Scene, ledger: Ledger) -> None:
        """Look around in `scene`, ask `ledger` for environment and secrets."""
        self._scene = scene
        self._ledger = ledger
        self._pending: list[Pending] = []
        self.references: list[Reference] = []

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
            return self._scalar(raw, path, spot_of(path), kind_of(path))
        return self._literal(raw, path, spot_of, kind_of(path))

    def _literal(self, raw: Any, path: Path, spot_of: Callable[[Path], Spot], kind: str) -> Any:
        """Turn written durations and sizes into numbers, and what argv and env hold into text; leave the rest as it is."""
        if kind == "text":
            return typed(raw, "string")
        if kind not in {"duration", "size"} or not isinstance(raw, str):
            return raw
        return self._typed(raw, raw, kind, path, spot_of(path))

    def _scalar(self, text: str, path: Path, spot: Spot, kind: str) -> Any:
        kind = "string" if kind == "text" else kind
        parts = parts_of(text)
        if isinstance(parts, Malformed):
            self._ledger.diagnostics.append(spot.mistake("IGN308", parts.summary, hint=parts.hint))
            return self._later(path, (Literal(text),), kind)
        pieces = [Known(part) if isinstance(part, str) else self._piece(part, spot) for part in parts]
        if len(pieces) == 1 and isinstance(pieces[0], Known):
            return self._typed(pieces[0].value, text, kind, path, spot)
        if all(isinstance(piece, Known) for piece in pieces):
            return self._typed("".join(_text(piece) for piece in pieces), text, kind, path, spot)
        return self._later(path, tuple(part for piece in pieces for part in _parts(piece)), kind)

    def _typed(self, value: Any, written: str, kind: str, path: Path, spot: Spot) -> Any:
        try:
            return _within_bounds(typed(value, kind))
        except ValueError:
            summary = f"`{written}` is no {kind}" if written == value else f"`{written}` gives no {kind}"
            self._ledger.diagnostics.append(spot.mistake("IGN220", summary, hint=_EXAMPLES.get(kind, "")))
            return self._later(path, (Literal(written),), kind)

    def _later(self, path: Path, parts: tuple[Part, ...], kind: str) -> None:
        self._pending.append(Pending(path, parts, kind))

    def _piece(self, ref: Ref, spot: Spot) -> Piece:
        match ref.kind:
            case "env":
                return self._variable(ref, spot)
            case "secret":
                self._ledger.secret(ref.name, spot)
                return (SecretNamed(ref.name),)
            case "var":
                return self._looked_up(ref, self._scene.variables, spot, "IGN317", "no variable")
            case "dir":
                folders = msgspec.structs.asdict(self._scene.folders)
                return self._looked_up(ref, folders, spot, "IGN308", "no folder")
            case "config":
                return self._configured(ref, spot)
            case "module":
                return self._exported(ref, spot)

    def _refuse(self, ref: Ref, spot: Spot, refusal: Refusal) -> Unknown:
        self._ledger.diagnostics.append(spot.mistake(refusal.code, refusal.summary, hint=refusal.hint))
        return Unknown(ref.written)

    def _looked_up(self, ref: Ref, values: Mapping[str, Any], spot: Spot, code: str, what: str) -> Piece:
        if ref.name in values:
            return Known(values[ref.name])
        hint = did_you_mean(ref.name, values) or _listed(values)
        return self._refuse(ref, spot, Refusal(code, f"there is {what} `{ref.name}`", hint))

    def _variable(self, ref: Ref, spot: Spot) -> Piece:
        value = self._ledger.variable(ref.name)
        if value is None or (value == "" and ref.default is not None):
            if ref.default is not None:
                return Known(ref.default)
            self._ledger.unset(ref.name, spot, ref.message)
            return Unknown(ref.written)
        return Known(value)

    def _configured(self, ref: Ref, spot: Spot) -> Piece:
        config = self._scene.config
        if config is None:
            hint = "`${config:}` is for command, env, ready and exports"
            return self._refuse(
                ref, spot, Refusal("IGN308", f"`{ref.written}` cannot stand in the config itself", hint)
            )
        at, way = config.plain, ()  # type: tuple[Any, Path]
        for name in ref.name.split("."):
            key: str | int = int(name) if isinstance(at, list) and name.isdecimal() else name
            if not _has(at, key):
                hint = did_you_mean(name, at) if isinstance(at, dict) else ""
                return self._refuse(ref, spot, Refusal("IGN308", f"the config has no `{ref.name}`", hint))
            at, way = at[key], (*way, key)
        pending = [one for one in config.pending if one.path[: len(way)] == way]
        if not pending:
            return Known(at)
        if pending[0].path != way:
            return self._refuse(
                ref, spot, Refusal("IGN308", f"`{ref.name}` is no single value", "name one of the values in it")
            )
        return pending[0].parts

    def _exported(self, ref: Ref, spot: Spot) -> Piece:
        name, dot, key = ref.name.partition(".exports.")
        if not dot or not name or not key or "." in key:
            hint = "write `${module:NAME.exports.KEY}`"
            return self._refuse(ref, spot, Refusal("IGN308", f"`{ref.written}` names no export", hint))
        provider = self._scene.provider_of(name, key)
        if isinstance(provider, Refusal):
            return self._refuse(ref, spot, provider)
        self.references.append(Reference(provider, key, spot.span or _NOWHERE))
        return (ExportNamed(provider, key),)


_NOWHERE = Spot(None).mistake("", "").span
_EXAMPLES = {
    "duration": "write it like `500ms`, `2s` or `1h30m`",
    "size": "write it like `64MiB`",
    "boolean": "write `true` or `false`",
}


def _within_bounds(value: Any) -> Any:
    """Refuse numbers that no document could hold either: whole ones beyond 64 bits, and what is not finite."""
    if isinstance(value, int | float) and not -(2**63) <= value < 2**64:
        raise ValueError(value)
    return value


def _has(at: Any, key: str | int) -> bool:
    if isinstance(at, dict):
        return key in at
    return isinstance(at, list) and isinstance(key, int) and key < len(at)


def _text(piece: Piece) -> str:
    return str(typed(piece.value, "string")) if isinstance(piece, Known) else ""


def _parts(piece: Piece) -> tuple[Part, ...]:
    match piece:
        case Known():
            return (Literal(_text(piece)),)
        case Unknown(written):
            return (Literal(written),)
        case _:
            return piece


def _listed(values: Mapping[str, Any]) -> str:
    return f"there is {', '.join(f'`{name}`' for name in values)}" if values else ""
