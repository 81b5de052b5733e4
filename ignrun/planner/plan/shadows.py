"""Turns two graphs into what has to be said of run-time values: those that hide an edit, with who set them and when."""

from collections.abc import Iterator
from typing import Any, Final

from ignrun.planner.config.model import Origin, Shadow
from ignrun.planner.graph.model import Graph, InstanceSpec
from ignrun.terms.diagnostics import Diagnostic, Note, Severity, diagnose
from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Verdict, judge

_SEVERITY: Final = {"warn": Severity.WARNING, "deny": Severity.ERROR}
_ABSENT: Any = object()


def shadowed(before: Graph, desired: Graph, policy: str) -> Verdict[Graph]:
    """Say which edits a run-time value hides; `policy` is `apply.runtime_config`: allow (nothing is said), warn or deny.

    `before` is what is in force, or was before the plant went down; without it nothing is an edit.
    """
    if policy not in _SEVERITY or not before.instances:
        return judge(desired, ())
    found: dict[tuple[str, Path], Diagnostic] = {}
    for address, spec in desired.instances.items():
        for origin, shadow in _edits(before.instances.get(address), spec):
            found.setdefault((spec.module, origin.path), _diagnostic(spec, origin, shadow, policy))
    return judge(desired, tuple(found.values()))


def _edits(before: InstanceSpec | None, spec: InstanceSpec) -> Iterator[tuple[Origin, Shadow]]:
    for origin in spec.origins:
        shadow = origin.shadows
        if shadow is not None and not _same(before, spec, origin, shadow):
            yield origin, shadow


def _same(before: InstanceSpec | None, spec: InstanceSpec, origin: Origin, shadow: Shadow) -> bool:
    """Tell whether the manifest said the same before, or says what is in effect anyway."""
    if shadow.typed and _at(spec, origin.path) == shadow.value:
        return True
    if before is None:
        return False
    old = next((one for one in before.origins if one.path == origin.path), None)
    if old is not None and old.shadows is not None:
        return bool(old.shadows.value == shadow.value)
    return old is not None and (not shadow.typed or bool(_at(before, origin.path) == shadow.value))


def _at(spec: InstanceSpec, path: Path) -> Any:
    at = spec.config.plain
    for key in path:
        known = isinstance(at, dict) and key in at
        if not known and not (isinstance(at, list) and isinstance(key, int) and key < len(at)):
            return _ABSENT
        at = at[key]
    return at


def _diagnostic(spec: InstanceSpec, origin: Origin, shadow: Shadow, policy: str) -> Diagnostic:
    name = f"{spec.module}.{'.'.join(map(str, origin.path))}"
    who = f" by {shadow.stamp.by}" if shadow.stamp.by else ""
    when = f" at {shadow.stamp.at}" if shadow.stamp.at else ""
    summary = f"the run-time value of `{name}` hides what is written here"
    note = Note(f"set{who}{when}", origin.span)
    return diagnose(
        shadow.span or Span.of_file(""),
        "IGN510",
        summary,
        hint=f"`ignrun config unset {name}` lets it take effect",
        severity=_SEVERITY[policy],
        notes=(note,),
    )
