"""Turns a tree that breaks its JSON Schema into diagnostics in our own words, all of them, each at the guilty key."""

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from jsonschema import Draft202012Validator, ValidationError, validators
from referencing import Registry

from ignrun.manifest.document import Document
from ignrun.manifest.places import at_key, at_value
from ignrun.manifest.shape import BODIES
from ignrun.manifest.shipped import schema
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import Path
from ignrun.terms.names import ModuleScope

RESERVED: Final = frozenset({"placement", "schedule", "replicas"})
_TYPES: Final = {
    "object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number", "number": "a number",
    "boolean": "`true` or `false`", "null": "nothing",
}  # fmt: skip
_FOLLOWING: Final = frozenset({"IGN202", "IGN203", "IGN205", "IGN206", "IGN207"})
_LONGEST: Final = 60
_FEW: Final = 8  # keys that a hint can list
Broken = Any
"""An error of jsonschema; its stubs allow every attribute to be unset."""


class Complaint(msgspec.Struct, frozen=True):
    """One mistake of shape: `path` leads to what is wrong with the tree, `lacks` names a missing key, or several of which one will do.

    `diagnostic` is None for what follows from a mistake in the text, which has a diagnostic already.
    """

    path: Path
    diagnostic: Diagnostic | None
    lacks: tuple[str, ...] = ()


def explain(document: Document, name: str) -> tuple[Complaint, ...]:
    """Give every mistake that the shipped schema `name` finds in a document, none when it is valid."""
    complaints = tuple(_all(document, _validator(name).iter_errors(document.tree)))
    misspelt = {
        (one.path[:-1], one.diagnostic.hint) for one in complaints if one.diagnostic and one.diagnostic.code == "IGN204"
    }
    return tuple(
        Complaint(one.path, None) if _misspelt(one, misspelt) or _follows(document, one) else one for one in complaints
    )


def _misspelt(one: Complaint, misspelt: set[tuple[Path, str]]) -> bool:
    """Tell whether what is lacking is there under another spelling, which has a diagnostic already."""
    return any((one.path, _did_you_mean(key)) in misspelt for key in one.lacks)


def _follows(document: Document, one: Complaint) -> bool:
    """Tell whether a key is lacking, or a value unfit, only because its text was refused."""
    return one.diagnostic is not None and one.diagnostic.code in _FOLLOWING and document.damaged(one.path)


def wrong_paths(tree: Any, name: str) -> tuple[Path, ...]:
    """Give the paths at which a tree breaks a shipped schema."""
    document = Document("", "", tree, b"")
    return tuple(one.path for one in explain(document, name))


@functools.cache
def _validator(name: str) -> Any:
    """Make a validator that fetches nothing, lets `$` mean the very end, and takes `3.0` for no whole number."""
    types = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    strict = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"pattern": _pattern}, type_checker=types
    )
    return strict(schema(name), registry=Registry())


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), value):
        yield ValidationError("pattern")


# --- one error of the validator -> our words --------------------------------------------------------------------------


def _all(document: Document, errors: Iterable[Broken], above: Path = ()) -> Iterator[Complaint]:
    for error in errors:
        path = (*above, *error.path)
        yield from _one(document, error, path)


def _one(document: Document, error: Broken, path: Path) -> Iterator[Complaint]:
    match error.validator:
        case "additionalProperties" | "unevaluatedProperties":
            yield from _unknown(document, error, path)
        case "required":
            yield from _missing(document, error, path)
        case "anyOf":
            yield from _alternatives(document, error, path)
        case "oneOf":
            if isinstance(error.instance, dict):  # else its type is the mistake
                yield _not_one_of(document, error, path)
        case "dependentRequired":
            yield from _dependents(document, error, path)
        case "type":
            yield _wrong_type(document, error, path, _listed(error.validator_value))
        case "pattern":
            yield _malformed(document, error, path)
        case "enum" | "const":
            yield _not_allowed(document, error, path)
        case _:
            yield _out_of_bounds(document, error, path)


def _unknown(document: Document, error: Broken, path: Path) -> Iterator[Complaint]:
    known = [*error.schema.get("properties", {})]
    free = [re.compile(pattern) for pattern in error.schema.get("patternProperties", {})]
    for key in error.instance:
        if key in known or any(pattern.search(key) for pattern in free):
            continue
        yield Complaint((*path, key), _unknown_key(document, path, key, known))


def _unknown_key(document: Document, path: Path, key: str, known: list[str]) -> Diagnostic:
    here = (*path, key)
    if path == ("modules",):
        return _bad_name(document, here, key)
    if key in RESERVED and _in_module(path):
        return at_key(document, here, "IGN292", f"`{key}` is reserved for a later version")
    hint = did_you_mean(key, known)
    if not hint and len(known) <= _FEW:
        hint = f"{_place(path)} takes {_words(known)}"
    return at_key(document, here, "IGN204", f"unknown key `{_short(key)}` in {_place(path)}", hint=hint)


def _missing(document: Document, error: Broken, path: Path) -> Iterator[Complaint]:
    # the validator makes one error of each missing key and names it in its sentence only
    for key in error.validator_value:
        if key not in error.instance and error.message.startswith(f"'{key}'"):
            hint = f"add `{key}:`"
            yield Complaint(path, at_key(document, path, "IGN203", f"{_place(path)} lacks `{key}`", hint=hint), (key,))


def _alternatives(document: Document, error: Broken, path: Path) -> Iterator[Complaint]:
    """Go on with the alternative that has the type of what is written; complain of its type when there is none."""
    branches: dict[Any, list[Broken]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    typed = [one for one in branches.values() if not any(inner.validator == "type" and not inner.path for inner in one)]
    if typed:
        best = min(typed, key=len)
        yield from _all(document, best, path)
        return
    misfits = [inner for one in branches.values() for inner in one if inner.validator == "type" and not inner.path]
    wanted = [word for inner in misfits for word in _listed(inner.validator_value)]
    yield _wrong_type(document, error, path, wanted)


def _not_one_of(document: Document, error: Broken, path: Path) -> Complaint:
    keys = [one["required"][0] for one in error.validator_value if "required" in one]
    open_to_others = len(keys) < len(error.validator_value)
    present = [key for key in error.instance if key in keys or (open_to_others and not key.startswith("x-"))]
    if not present:
        hint = "add " + _words(list(BODIES) if _in_module(path) else keys, "or")
        none = at_key(document, path, "IGN207", f"{_place(path)} has none of {_words(keys)}", hint=hint)
        return Complaint(path, none, tuple(keys))
    summary = f"{_place(path)} has {_words(present)}; it takes exactly one of {_words(keys)}"
    wrong = (*path, present[1])
    return Complaint(
        path if not _in_module(path) else wrong, at_key(document, wrong, "IGN207", summary, hint="keep one")
    )


def _dependents(document: Document, error: Broken, path: Path) -> Iterator[Complaint]:
    for key, needed in error.validator_value.items():
        if key not in error.instance or needed[0] in error.instance or not error.message.endswith(f"of '{key}'"):
            continue
        if _in_module(path) and not any(body in error.instance for body in BODIES):
            continue  # that one is missing is the mistake
        thing = "a module" if _in_module(path) else "a block"
        owner = "a command" if needed[0] == "command" else f"{thing} with `{needed[0]}`"
        here = (*path, key)
        yield Complaint(here, at_key(document, here, "IGN212", f"only {owner} takes `{key}`", hint=f"remove `{key}`"))


def _wrong_type(document: Document, error: Broken, path: Path, wanted: list[str]) -> Complaint:
    value = error.instance
    words = " or ".join(dict.fromkeys(_TYPES.get(word, word) for word in wanted))
    if not path:
        return Complaint(path, at_value(document, path, "IGN202", f"the document must be {words}, not {_kind(value)}"))
    summary = f"{_named(path)} takes {words}, not {_kind(value)}"
    return Complaint(path, at_key(document, path, "IGN202", summary, hint=_type_hint(document, path, value, wanted)))


def _type_hint(document: Document, path: Path, value: Any, wanted: list[str]) -> str:
    if value is None:
        return "write something behind it, or remove the key"
    if "string" in wanted and not isinstance(value, dict | list):
        span = document.value_span(path)
        written = document.line_at(span)[span.column - 1 : span.end - 1]
        return f'write it in quotes: `"{written}"`' if written else "write it in quotes"
    if isinstance(value, str) and "${" in value:
        return "references are not resolved here"
    if "array" in wanted and "string" not in wanted:
        return "write a list: `[...]`"
    return "write it without quotes" if isinstance(value, str) and _looks_typed(value) else ""


def _malformed(document: Document, error: Broken, path: Path) -> Complaint:
    form = error.schema.get("title", "of that form")
    code = "IGN209" if form.startswith("a name") else "IGN206"
    shown = _short(error.instance)
    if "propertyNames" in error.absolute_schema_path:
        here = (*path, error.instance)
        return Complaint(here, at_key(document, here, code, f"`{shown}` is not {form}"))
    hint = "references are not resolved here" if "${" in error.instance else _near_scope(error.instance, form)
    return Complaint(path, at_value(document, path, code, f"`{shown}` is not {form}", hint=hint))


def _near_scope(text: str, form: str) -> str:
    """Ask for the scope that may be meant where `NAME@scope` names none."""
    return did_you_mean(text.partition("@")[2], [scope.word for scope in ModuleScope]) if "@" in form else ""


def _bad_name(document: Document, path: Path, key: str) -> Diagnostic:
    fixed = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")[:63]
    hint = _did_you_mean(fixed) if fixed[:1].isalpha() else "begin with a lower-case letter"
    return at_key(document, path, "IGN209", f"`{_short(key)}` is not a name for a module", hint=hint)


def _not_allowed(document: Document, error: Broken, path: Path) -> Complaint:
    allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
    value = error.instance
    code = "IGN201" if path in {("apiVersion",), ("kind",)} else "IGN205"
    hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
    summary = f"{_named(path)} takes {_words(allowed, 'or')}, not {_value(value)}"
    return Complaint(path, at_value(document, path, code, summary, hint=hint))


_BOUNDS: Final = {
    "minimum": "must be at least {}", "exclusiveMinimum": "must be more than {}", "maximum": "must be at most {}",
    "minLength": "must not be empty", "minItems": "must have at least {} item",
}  # fmt: skip


def _out_of_bounds(document: Document, error: Broken, path: Path) -> Complaint:
    rule = str(error.validator)
    if rule == "uniqueItems":
        return Complaint(
            path, at_key(document, path, "IGN211", f"{_named(path)} names an item twice", hint="remove one")
        )
    if rule in _BOUNDS:
        summary = f"{_named(path)} {_BOUNDS[rule].format(error.validator_value)}"
        return Complaint(path, at_value(document, path, "IGN208", summary))
    return Complaint(path, at_key(document, path, "IGN210", f"{_named(path)} breaks the rule `{rule}` of its schema"))


# --- words ------------------------------------------------------------------------------------------------------------


def _did_you_mean(word: str) -> str:
    return f"did you mean `{word}`?"


def _in_module(path: Path) -> bool:
    return len(path) == 2 and path[0] == "modules"  # noqa: PLR2004 - the key and the name


def _place(path: Path) -> str:
    """Name a block: `the document`, `module `plc``, ``health` of module `plc``, `an item of `env_files``."""
    if path and isinstance(path[-1], int):
        return f"an item of {_place(path[:-1])}"
    module = f"module `{_short(str(path[1]))}`" if path[:1] == ("modules",) and len(path) > 1 else ""
    inner = ".".join(str(key) for key in (path[2:] if module else path))
    if module:
        return f"`{inner}` of {module}" if inner else module
    return f"`{inner}`" if inner else "the document"


def _named(path: Path) -> str:
    return f"`{_short(str(path[-1]))}`" if isinstance(path[-1], str) else _place(path)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return "text"
        case _:
            return f"the number {value}"


def _value(value: Any) -> str:
    return f"`{_short(value)}`" if isinstance(value, str) else _kind(value)


def _words(keys: Iterable[Any], last: str = "and") -> str:
    quoted = [f"`{key}`" for key in keys]
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


def _listed(word_or_words: Any) -> list[str]:
    return [word_or_words] if isinstance(word_or_words, str) else list(word_or_words)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _looks_typed(text: str) -> bool:
    return text in {"true", "false"} or text.lstrip("-").isdigit()
