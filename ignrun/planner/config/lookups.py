"""Turns one reference into what it stands for: a value, parts that an apply fills in, or nothing and a diagnostic."""

import os.path
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from ignrun.planner.config.ledger import Ledger
from ignrun.planner.config.model import Folders, Reference
from ignrun.planner.config.references import Malformed, Ref, parts_of
from ignrun.planner.config.spots import Spot
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import ExportNamed, Literal, Part, Path, SecretNamed, Tree, typed
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

    `variables` and `each` (key and value of an element of `for_each`) may hold references themselves. `folder` is the manifest's, `roots` what
    files must lie below. `provider_of(name, key)` leads from `NAME` or `NAME@scope` and the name of an export to the address of the provider.
    """

    variables: Mapping[str, Any]
    folders: Folders
    provider_of: Callable[[str, str], Address | Refusal]
    folder: str = ""
    roots: tuple[str, ...] = ()
    each: tuple[str, Any] | None = None
    config: Tree | None = None


class Lookup:
    """Looks references of one instance up; `references` gathers the exports that they use."""

    def __init__(self, scene: Scene, ledger: Ledger) -> None:
        """Look around in `scene`, ask `ledger` for environment, secrets and files."""
        self._scene = scene
        self._ledger = ledger
        self._open: list[str] = []
        self.references: list[Reference] = []

    def pieces(self, text: str, spot: Spot) -> list[Piece]:
        """Look up everything that stands in a scalar; one that is malformed is noted and stands for itself."""
        parts = parts_of(text)
        if isinstance(parts, Malformed):
            self._ledger.diagnostics.append(spot.mistake("IGN308", parts.summary, hint=parts.hint))
            return [Unknown(text)]
        return [Known(part) if isinstance(part, str) else self._piece(part, spot) for part in parts]

    def _piece(self, ref: Ref, spot: Spot) -> Piece:
        match ref.kind:
            case "env":
                return self._variable(ref, spot)
            case "secret":
                self._ledger.secret(ref.name, spot)
                return (SecretNamed(ref.name),)
            case "var":
                return self._looked_up(ref, self._scene.variables, spot, "IGN317", "no variable")
            case "each":
                return self._element(ref, spot)
            case "file":
                return self._file(ref, spot)
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

    def _variable(self, ref: Ref, spot: Spot) -> Piece:
        value = self._ledger.variable(ref.name)
        if value is None or (value == "" and ref.default is not None):
            if ref.default is not None:
                return Known(ref.default)
            self._ledger.unset(ref.name, spot, ref.message)
            return Unknown(ref.written)
        return Known(value)

    def _file(self, ref: Ref, spot: Spot) -> Piece:
        span = spot.span
        own = os.path.dirname(span.file) if span and spot.document else self._scene.folder  # noqa: PTH120 - text in, text out
        path = os.path.normpath(os.path.join(spot.folder or own, ref.name))  # noqa: PTH118 - so is this
        text = self._ledger.text_of(path, self._roots_of(spot.folder or own), spot)
        return Unknown(ref.written) if text is None else Known(text)

    def _roots_of(self, folder: str) -> tuple[str, ...]:
        """Give what a file must lie below: the manifest's roots, or for a definition from elsewhere its own folder."""
        roots = self._scene.roots
        inside = any(folder == root or folder.startswith(root.rstrip("/") + "/") for root in roots)
        return roots if inside else (folder,)

    # --- values that may hold references themselves -------------------------------------------------------------------

    def _looked_up(self, ref: Ref, values: Mapping[str, Any], spot: Spot, code: str, what: str) -> Piece:
        if ref.name in values:
            return self._within(ref, values[ref.name], spot) if ref.kind == "var" else Known(values[ref.name])
        hint = did_you_mean(ref.name, values) or _listed(values)
        return self._refuse(ref, spot, Refusal(code, f"there is {what} `{ref.name}`", hint))

    def _element(self, ref: Ref, spot: Spot) -> Piece:
        each = self._scene.each
        if each is None:
            hint = "`${each:}` is for modules with `for_each`"
            return self._refuse(ref, spot, Refusal("IGN308", f"`{ref.written}` stands for no element here", hint))
        word, *way = ref.name.split(".")
        if word == "key" and not way:
            return Known(each[0])
        found = _followed(each[1], tuple(way)) if word == "value" else _NOTHING
        if found is _NOTHING:
            hint = _keys_hint(each[1]) if word == "value" else "write `${each:key}` or `${each:value}`"
            return self._refuse(ref, spot, Refusal("IGN308", f"the element has no `{ref.name}`", hint))
        return self._within(ref, found, spot)

    def _within(self, ref: Ref, value: Any, spot: Spot) -> Piece:
        """Resolve what a variable or an element holds; never what came from outside of the manifest."""
        if isinstance(value, dict | list):
            return self._container(ref, value, spot)
        if not isinstance(value, str) or "${" not in value:
            return Known(value)
        with self._opened(ref.written) as first:
            if not first:
                hint = "remove one of these references"
                return self._refuse(ref, spot, Refusal("IGN308", f"`{ref.written}` leads back to itself", hint))
            return joined_pieces(self.pieces(value, spot))

    def _container(self, ref: Ref, value: Any, spot: Spot) -> Piece:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        inner = {key: self._within(ref, one, spot) for key, one in items}
        if not all(isinstance(one, Known) for one in inner.values()):
            summary = f"`{ref.written}` holds a value that is known only at apply"
            return self._refuse(ref, spot, Refusal("IGN308", summary, "refer to that value where it is used"))
        known = {key: one.value for key, one in inner.items() if isinstance(one, Known)}
        return Known(known if isinstance(value, dict) else list(known.values()))

    @contextmanager
    def _opened(self, written: str) -> Iterator[bool]:
        """Note that a reference is being followed; gives False where it is already."""
        first = written not in self._open
        self._open.append(written)
        try:
            yield first
        finally:
            self._open.pop()

    # --- the instance's own config, and what others export -------------------------------------------------------------

    def _configured(self, ref: Ref, spot: Spot) -> Piece:
        config = self._scene.config
        if config is None:
            hint = "`${config:}` is for command, env, ready and exports"
            return self._refuse(
                ref, spot, Refusal("IGN308", f"`{ref.written}` cannot stand in the config itself", hint)
            )
        at: Any = config.plain
        way: Path = ()
        for name in ref.name.split("."):
            key = _key_in(at, name)
            if key is None:
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
_NOTHING: Any = object()


def joined_pieces(pieces: list[Piece]) -> Piece:
    """Put pieces together: one keeps its own type, several known ones become one text, all others wait for an apply."""
    if len(pieces) == 1:
        return pieces[0]
    if all(isinstance(piece, Known) for piece in pieces):
        return Known("".join(_text(piece) for piece in pieces))
    return tuple(part for piece in pieces for part in parts_in(piece))


def parts_in(piece: Piece) -> tuple[Part, ...]:
    """Give the parts of a leaf that a piece becomes; what is unknown stands as it was written."""
    match piece:
        case Known():
            return (Literal(_text(piece)),)
        case Unknown(written):
            return (Literal(written),)
        case _:
            return piece


def _text(piece: Piece) -> str:
    return str(typed(piece.value, "string")) if isinstance(piece, Known) else ""


def _key_in(at: Any, name: str) -> str | int | None:
    if isinstance(at, dict):
        return name if name in at else None
    number = int(name) if isinstance(at, list) and name.isdecimal() else None
    return number if number is not None and number < len(at) else None


def _followed(value: Any, way: tuple[str, ...]) -> Any:
    for name in way:
        key = _key_in(value, name)
        if key is None:
            return _NOTHING
        value = value[key]
    return value


def _keys_hint(value: Any) -> str:
    return _listed(value) if isinstance(value, dict) else "its value is no object"


def _listed(values: Mapping[str, Any]) -> str:
    return f"there is {', '.join(f'`{name}`' for name in values)}" if values else ""
