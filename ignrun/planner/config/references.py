"""Turns a scalar with `${...}` in it into its parts: text and references, each reference by its kind and name."""

import re
from typing import Final, Literal, get_args

import msgspec

from ignrun.terms.hints import did_you_mean

Kind = Literal["var", "each", "env", "secret", "file", "dir", "config", "module"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_ENV: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<sign>[-?])(?P<rest>.*))?\Z", re.DOTALL)


class Ref(msgspec.Struct, frozen=True):
    """One reference; `written` is its own text, `default` and `message` follow `:-` and `:?` in `${env:}`."""

    kind: Kind
    name: str
    written: str
    default: str | None = None
    message: str | None = None


class Malformed(msgspec.Struct, frozen=True):
    """Why a scalar is not what it seems to be."""

    summary: str
    hint: str


def parts_of(text: str) -> tuple[str | Ref, ...] | Malformed:
    """Split a scalar into literal texts and references; `$${` is a literal `${`, a `$` alone means nothing."""
    parts: list[str | Ref] = []
    literal, at = "", 0
    while (start := text.find("${", at)) >= 0:
        if start > at and text[start - 1] == "$":
            literal, at = literal + text[at : start - 1] + "${", start + 2
            continue
        end = text.find("}", start)
        if end < 0:
            return Malformed(f"`{text[start:]}` lacks its closing brace", "write `$${` for a literal `${`")
        ref = _reference(text[start + 2 : end], text[start : end + 1])
        if isinstance(ref, Malformed):
            return ref
        literal, at = literal + text[at:start], end + 1
        parts += [literal, ref] if literal else [ref]
        literal = ""
    literal += text[at:]
    return (*parts, literal) if literal or not parts else tuple(parts)


def _reference(inside: str, written: str) -> Ref | Malformed:
    word, _, name = inside.partition(":")
    kind = next((one for one in KINDS if one == word), None)
    if kind is None or not name:
        hint = did_you_mean(word, KINDS) or "write `$${` for a literal `${`"
        return Malformed(f"`{written}` is not a reference", hint)
    if kind != "env":
        return Ref(kind, name, written)
    found = _ENV.match(name)
    if found is None:
        return Malformed(f"`{written}` names no environment variable", "write `${env:NAME}` or `${env:NAME:-default}`")
    rest = found["rest"]
    return Ref(
        "env", found["name"], written, rest if found["sign"] == "-" else None, rest if found["sign"] == "?" else None
    )
