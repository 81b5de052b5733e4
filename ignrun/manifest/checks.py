"""Turns what a shape alone cannot say of a sound manifest into diagnostics: lengths of time, patterns, slots bound twice."""

import re
import signal
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, Final

from ignrun.manifest.alert_checks import alert_checks
from ignrun.manifest.document import Document
from ignrun.manifest.endpoints import mistake_in
from ignrun.manifest.model import Manifest, ModuleSpec, Moved, Need
from ignrun.manifest.places import at_key, at_span, at_value
from ignrun.terms.diagnostics import Diagnostic, Note
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import Path

_POSITIVE: Final = ("initialize_timeout", "start_timeout", "reconfigure_timeout", "stop_timeout", "interval", "timeout", "deadline", "half_life", "park", "park_max", "backoff_max", "not_ready", "not_ready_max")  # fmt: skip
_ZEROS: Final = re.compile(r"(?:0+(?:\.0+)?[a-z]+)+\Z")


def checks(document: Document, manifest: Manifest) -> Iterator[Diagnostic]:
    """Give every mistake that the types of a manifest allow."""
    tree = document.tree
    for block in ("lifecycle", "health"):
        yield from _lengths(document, tree.get("defaults") or {}, ("defaults",), block)
    yield from _check(document, ("defaults",), tree.get("defaults") or {})
    yield from _lengths(document, tree, (), "apply")
    for spec in manifest.modules.values():
        written = tree["modules"][spec.name]
        if isinstance(written, dict):
            yield from _module(document, spec, written)
    yield from alert_checks(document, manifest)
    yield from _moved(document, manifest)
    if manifest.python is not None:
        yield from _interpreter(document, manifest.python)


def _moved(document: Document, manifest: Manifest) -> Iterator[Diagnostic]:
    """A name that moved is gone, and the new one is there."""
    first: dict[str, Moved] = {}
    for number, moved in enumerate(manifest.moved):
        way = ("moved", number)
        if moved.new not in manifest.modules:
            hint = did_you_mean(moved.new, manifest.modules)
            yield at_value(document, (*way, "to"), "IGN301", f"there is no module `{moved.new}`", hint=hint)
        if moved.old in manifest.modules:
            hint = "remove the old module, or this item"
            yield at_value(document, (*way, "from"), "IGN216", f"`{moved.old}` is still a module", hint=hint)
        other = first.setdefault(moved.old, moved)
        if other is not moved:
            notes = (Note("the other one is here", other.span),)
            yield at_value(document, (*way, "from"), "IGN216", f"`{moved.old}` cannot move twice", notes=notes)


def _interpreter(document: Document, path: str) -> Iterator[Diagnostic]:
    """An environment is a folder with an interpreter in it; anything else is the interpreter."""
    file = FilePath(path)
    try:
        if (file / "bin" / "python" if file.is_dir() else file).is_file():
            return
        what = f"`{path}` is no environment: it has no `bin/python`" if file.is_dir() else f"there is no `{path}`"
    except OSError as error:
        what = f"`{path}` cannot be looked at: {(error.strerror or type(error).__name__).lower()}"
    except ValueError:
        what = "a path cannot hold a NUL character"
    yield at_value(document, ("python",), "IGN101", what, hint="make the environment, or name an interpreter")


def _module(document: Document, spec: ModuleSpec, written: dict[str, Any]) -> Iterator[Diagnostic]:
    path = spec.where.path
    if "lifecycle" in written:
        yield from _lengths(document, written, path, "lifecycle")
    if "health" in written:
        yield from _lengths(document, written, path, "health")
    if isinstance(spec.ready, dict) and "log" in spec.ready:
        yield from _pattern(document, (*path, "ready", "log"), spec.ready["log"])
    yield from _probe(document, (*path, "ready"), spec.ready)
    yield from _check(document, path, written)
    yield from _signal(document, (*path, "stop", "signal"), spec.stop.signal)
    if spec.reload is not None:
        yield from _signal(document, (*path, "reload", "signal"), spec.reload.signal)
    if spec.limits is not None and spec.command is None and spec.isolation == "shared":
        summary = "only an isolated module or a command takes `limits`"
        yield at_key(
            document, (*path, "limits"), "IGN212", summary, hint="add `isolation: process`, or remove `limits`"
        )
    yield from _slots(document, spec.requires)
    yield from _slots(document, spec.wants)


def _lengths(document: Document, around: Any, path: Path, key: str) -> Iterator[Diagnostic]:
    """No wait may be 0: it would end before it began."""
    block = around.get(key) if isinstance(around, dict) else None
    if not isinstance(block, dict):
        return
    here = (*path, key)
    for name in _POSITIVE:
        if name in block and _is_zero(block[name]):
            yield at_value(document, (*here, name), "IGN208", f"`{name}` must be longer than 0")
    if isinstance(block.get("restart"), dict):
        yield from _lengths(document, block, here, "restart")


def _is_zero(duration: Any) -> bool:
    return duration == 0 if not isinstance(duration, str) else bool(_ZEROS.match(duration))


def _pattern(document: Document, path: Path, pattern: str) -> Iterator[Diagnostic]:
    if "${" in pattern:
        return
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        yield at_value(document, path, "IGN206", f"`log` is not a regular expression: {error}")


def _check(document: Document, path: Path, around: Any) -> Iterator[Diagnostic]:
    health = around.get("health") if isinstance(around, dict) else None
    if isinstance(health, dict):
        yield from _probe(document, (*path, "health", "check"), health.get("check"))


def _probe(document: Document, path: Path, probe: Any) -> Iterator[Diagnostic]:
    """One that is written out connects to something that there may be; with references in it, it is looked at once they are resolved."""
    match probe:
        case str() if probe.startswith("tcp:"):
            kind, argument, where = "tcp", probe.removeprefix("tcp:"), path
        case str() if probe.startswith(("http://", "https://")):
            kind, argument, where = "http", probe, path
        case {"tcp": argument} | {"http": argument}:
            kind = next(iter(probe))
            where = (*path, kind)
        case _:
            return
    if "${" not in str(argument) and (why := mistake_in(kind, argument)):
        yield at_value(document, where, "IGN206", f"`{argument}` is no {kind} probe: {why}")


def _signal(document: Document, path: Path, name: str) -> Iterator[Diagnostic]:
    if f"SIG{name}" not in signal.Signals.__members__:
        known = (one.removeprefix("SIG") for one in signal.Signals.__members__)
        yield at_value(document, path, "IGN206", f"there is no signal `{name}`", hint=did_you_mean(name, known))


def _slots(document: Document, needs: tuple[Need, ...]) -> Iterator[Diagnostic]:
    if len(needs) < 2:  # noqa: PLR2004 - one slot cannot repeat itself
        return
    counts = Counter(need.slot for need in needs)
    if len(counts) == len(needs):
        return
    for slot, count in counts.items():
        if count > 1:
            first, second, *_ = (need.span for need in needs if need.slot == slot)
            hint = f"write `{slot}: [..., ...]` to bind several"
            yield at_span(
                document,
                second,
                "IGN211",
                f"the slot `{slot}` is bound twice",
                hint=hint,
                notes=(Note("first bound here", first),),
            )
