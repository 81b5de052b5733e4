"""Turns what a shape alone cannot say of `alerts:` into diagnostics: modules that are there, bounds that fit, actions that can be done."""

import re
import shutil
import warnings
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from ignrun.manifest.document import Document
from ignrun.manifest.model import Alert, Manifest
from ignrun.manifest.places import at_value
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.duration import parse_duration, parse_size
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import Path
from ignrun.terms.names import ModuleScope

_SCOPES: Final = tuple(scope.word for scope in ModuleScope)
_REFERENCE: Final = "${"


def alert_checks(document: Document, manifest: Manifest) -> Iterator[Diagnostic]:
    """Give every mistake in the alerts of a sound manifest."""
    for alert in manifest.alerts:
        way: Path = ("alerts", alert.name, "when")
        yield from _modules(document, manifest, alert, way)
        yield from _condition(document, alert.when, way)
        for number, action in enumerate(alert.then):
            if not isinstance(action, str):
                yield from _action(document, manifest, action, ("alerts", alert.name, "then", number))


def _modules(document: Document, manifest: Manifest, alert: Alert, way: Path) -> Iterator[Diagnostic]:
    """A name or a pattern means at least one module of the manifest; those of other modes are in its overlays."""
    written = alert.when.get("modules", ())
    names = [(written, (*way, "modules"))] if isinstance(written, str) else _numbered(written, (*way, "modules"))
    known = [*manifest.modules, *(f"{name}@{scope}" for name in manifest.modules for scope in _SCOPES)]
    for name, place in names:
        if manifest.modules and not any(fnmatchcase(one, name) for one in known):
            what = "no module is called like" if set(name) & set("*?[") else "there is no module"
            hint = did_you_mean(name, manifest.modules)
            yield at_value(document, place, "IGN301", f"{what} `{name}`", hint=hint)


def _numbered(names: list[str], way: Path) -> list[tuple[str, Path]]:
    return [(name, (*way, number)) for number, name in enumerate(names)]


def _condition(document: Document, when: dict[str, Any], way: Path) -> Iterator[Diagnostic]:
    if "log" in when:
        yield from _pattern(document, (*way, "log"), when["log"])
    for key in ("rate", "restarts"):
        block = when.get(key)
        if isinstance(block, dict) and _is_zero(block.get("within")):
            yield at_value(document, (*way, key, "within"), "IGN208", "`within` must be longer than 0")
    for key in ("above", "below"):
        if key in when and (problem := _misfit(when.get("sample"), when[key])):
            yield at_value(document, (*way, key), "IGN206", problem)


def _misfit(sample: Any, bound: Any) -> str:
    """Say why a bound is none of this figure."""
    if sample != "memory":
        return "" if not isinstance(bound, str) else f"a bound of `{sample}` is a plain number, not a size"
    try:
        parse_size(bound if isinstance(bound, str) else 0)
    except ValueError as error:
        return str(error)
    return ""


def _is_zero(within: Any) -> bool:
    try:
        return parse_duration(within) == 0
    except (ValueError, TypeError):
        return False


def _pattern(document: Document, place: Path, pattern: str) -> Iterator[Diagnostic]:
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        yield at_value(document, place, "IGN206", f"`log` is not a regular expression: {error}")


def _action(document: Document, manifest: Manifest, action: dict[str, Any], way: Path) -> Iterator[Diagnostic]:
    if "webhook" in action:
        url, place = action["webhook"], (*way, "webhook")
        if _REFERENCE in url:
            yield at_value(document, place, "IGN206", "references do not reach into `alerts`", hint="write the URL out")
        elif not url.startswith(("http://", "https://")):
            yield at_value(document, place, "IGN206", f"`{url}` is no http or https address")
    elif "call" in action:
        yield from _called(document, manifest, action["call"], (*way, "call"))
    elif words := [str(word) for word in action.get("exec", ())]:
        place = (*way, "exec", 0)
        if any(_REFERENCE in word for word in words):
            yield at_value(
                document, place, "IGN206", "references do not reach into `alerts`", hint="write the words out"
            )
        elif not _is_program(words[0], manifest.folder):
            yield at_value(document, place, "IGN307", f"there is no program `{words[0]}`")


def _called(document: Document, manifest: Manifest, call: dict[str, Any], way: Path) -> Iterator[Diagnostic]:
    """Find the module that is called: a Python module, by its name or its address."""
    name = str(call.get("module", ""))
    module = manifest.modules.get(name.partition("@")[0])
    if module is None:
        hint = did_you_mean(name, manifest.modules)
        yield at_value(document, (*way, "module"), "IGN301", f"there is no module `{name}`", hint=hint)
    elif module.command is not None:
        hint = "call a Python module, or write `exec`"
        yield at_value(document, (*way, "module"), "IGN206", f"`{name}` is a command: it has no methods", hint=hint)


def _is_program(word: str, folder: str) -> bool:
    if "/" in word and not word.startswith("/"):
        word = f"{folder}/{word}"
    return shutil.which(word) is not None
