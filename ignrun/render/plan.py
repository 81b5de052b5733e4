"""Turns a plan into public JSON, and that into the text that people review."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, assert_never

import msgspec

from ignrun.render.diagnostics import DiagnosticReport, PlaceReport, diagnostic_report, place_report
from ignrun.render.names import ShortName, dotted, short_names
from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.names import Address

if TYPE_CHECKING:
    from ignrun.planner.graph.model import InstanceSpec
    from ignrun.planner.plan.model import Cause, Plan, Step

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

SIGNS: Final = {
    "create": "+",
    "reconfigure": "~",
    "restart": "^",
    "replace": "-/+",
    "delete": "-",
    "rebind": "=",
    "reload": "%",
    "policy": ".",
    "no-op": " ",
}
"""The sign of each action."""

_COUNTED: Final = {
    "create": "to add",
    "reconfigure": "to reconfigure in place",
    "reload": "to reload",
    "rebind": "to rebind",
    "policy": "to update the policy of",
    "restart": "to restart",
    "replace": "to replace",
    "delete": "to delete",
}
_STYLES: Final = {"create": "new", "delete": "gone", "replace": "gone", "no-op": "dim"}
_LONGEST_VALUE: Final = 72


class ChangeReport(msgspec.Struct, frozen=True):
    """What happens to one instance, and why.

    `cause` is `edited`, `dependency-moved`, `shares-host` or `requested`; `caused_by` the address (or the operator) behind it;
    `place` where it was written. `before` and `after` hold the changed values by path. `step` counts from 1 in the order of
    execution; `interrupts` names the instances that share its process.
    """

    address: str
    action: str
    cause: str
    paths: tuple[str, ...]
    before: dict[str, Any]
    after: dict[str, Any]
    caused_by: str | None
    step: int
    place: PlaceReport | None
    interrupts: tuple[str, ...]


class PlanReport(msgspec.Struct, frozen=True):
    """A plan as data; `summary` counts each action and `unchanged`."""

    format_version: str
    base_generation: int
    target_digest: str
    changes: tuple[ChangeReport, ...]
    diagnostics: tuple[DiagnosticReport, ...]
    summary: dict[str, int]


# --- public form ------------------------------------------------------------------------------------------------------


def plan_report(plan: "Plan", diagnostics: Iterable[Diagnostic] = ()) -> PlanReport:
    """Describe a plan for the public."""
    counted = dict.fromkeys(_COUNTED, 0) | {"no-op": 0}
    for step in plan.steps:
        counted[step.action] += 1
    return PlanReport(
        FORMAT_VERSION,
        plan.base,
        plan.target,
        tuple(_change(step, number) for number, step in enumerate(plan.steps, 1)),
        tuple(diagnostic_report(one) for one in diagnostics),
        counted | {"unchanged": plan.unchanged},
    )


def rejected_report(base: int, diagnostics: Iterable[Diagnostic]) -> PlanReport:
    """Describe a plan that could not be made: no changes, only what is wrong."""
    counted = dict.fromkeys([*_COUNTED, "no-op", "unchanged"], 0)
    return PlanReport(FORMAT_VERSION, base, "", (), tuple(diagnostic_report(one) for one in diagnostics), counted)


def _change(step: "Step", number: int) -> ChangeReport:
    kind, caused_by, place = _cause(step.cause)
    by_path = {dotted(one.path): one for one in step.changes}
    return ChangeReport(
        address=step.address,
        action=step.action,
        cause=kind,
        paths=tuple(by_path),
        before={path: one.before for path, one in by_path.items()},
        after={path: one.after for path, one in by_path.items()},
        caused_by=caused_by,
        step=number,
        place=place,
        interrupts=step.interrupts,
    )


def _cause(cause: "Cause") -> tuple[str, str | None, PlaceReport | None]:
    from ignrun.planner.plan.model import DependencyMoved, Edited, Requested, SharesHost

    match cause:
        case Edited(span):
            return "edited", None, place_report(span)
        case DependencyMoved(edge):
            return "dependency-moved", edge.provider, place_report(edge.span)
        case SharesHost(mate):
            return "shares-host", mate, None
        case Requested(by):
            return "requested", by, None
        case _:
            assert_never(cause)


def encode_plan(report: PlanReport) -> bytes:
    """Turn a report into its public JSON: keys in a fixed order, indented, byte-identical for identical plans."""
    return msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=2) + b"\n"


# --- text -------------------------------------------------------------------------------------------------------------


def plan_text(
    report: PlanReport,
    *,
    addresses: "Iterable[str] | Mapping[Address, InstanceSpec]" = (),
    shown_file: Callable[[str], str] = str,
    paint: Paint = plain,
) -> str:
    """Write a plan: a block for each change, and the footer that counts them.

    `addresses` are all of the plant: they say whether scopes need to be shown and, with their specs, where code lies.
    """
    specs = addresses if isinstance(addresses, Mapping) else {}
    short = short_names([*addresses, *(change.address for change in report.changes)])
    blocks = [
        _block(change, short, shown_file, paint, _code_of(specs.get(Address(change.address))))
        for change in report.changes
    ]
    return "\n".join([*blocks, *([""] if blocks else []), footer(report)]) + "\n"


def _code_of(spec: "InstanceSpec | None") -> str:
    """Name the file that an instance's class stands in, empty where it is not known."""
    entry = getattr(spec.body, "entry", "") if spec else ""
    module = entry.partition(":")[0].rpartition(".")[2]
    return f"{module}.py" if module else ""


def _block(change: ChangeReport, short: ShortName, shown_file: Callable[[str], str], paint: Paint, code: str) -> str:
    heading = f"{SIGNS[change.action]:>3} {short(change.address)}  {change.action}"
    lines = [paint(_STYLES.get(change.action, "change"), heading), f"      {_because(change, short, shown_file)}"]
    lines += [f"      {_changed(change, path, code)}" for path in change.paths]
    if change.interrupts:
        mates = ", ".join(short(one) for one in change.interrupts)
        lines.append(f"      shares its process with {mates}")
    return "\n".join(lines)


def _because(change: ChangeReport, short: ShortName, shown_file: Callable[[str], str]) -> str:
    place = change.place
    where = f"{neutral(shown_file(place.file))}:{place.line}:{place.column}" if place else ""
    match change.cause:
        case "dependency-moved":
            return f"because `{short(change.caused_by or '')}` moves, at {where}"
        case "shares-host":
            return f"because it shares a process with `{short(change.caused_by or '')}`"
        case "requested":
            return f"because {neutral(change.caused_by or 'an operator')} asked for it"
        case _:
            given = _given(change)
            return given or f"{_EDITED.get(change.action, 'edited')} at {where}"


_EDITED: Final = {"create": "new", "delete": "removed"}


def _given(change: ChangeReport) -> str:
    """Say which option or variable the value comes from, where no file holds it."""
    file = change.place.file if change.place else ""
    if file.startswith("$"):
        return f"set by `{neutral(file)}`"
    if file != "--set":
        return ""
    paths = [path for path in change.paths if path.startswith("config.")]
    if len(paths) != 1:
        return "set by `--set`"
    target = f"{change.address.partition('@')[0]}.{paths[0].removeprefix('config.')}"
    return f"set by `--set {neutral(target)}={shown_value(change.after[paths[0]])}`"


def _changed(change: ChangeReport, path: str, code: str) -> str:
    if path == "code":
        return f"code changed: {neutral(code)}" if code else "code changed"
    name = neutral(path.removeprefix("config."))
    before, after = change.before[path], change.after[path]
    if before == after == "(secret)":
        return f"{name}: (secret changed)"
    return f"{name}: {shown_value(before)} -> {shown_value(after)}"


def shown_value(value: Any) -> str:
    """Write a value of a config on one line, cut where it is long; what is not there reads `(none)`."""
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) and value.strip() == value != "" else msgspec.json.encode(value).decode()
    text = neutral(text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "\u2026"


def footer(report: PlanReport) -> str:
    """Count what a plan does, as in `Plan: 1 to add, 1 to restart (1 because of a dependency). 9 unchanged`."""
    parts = [
        f"{report.summary[action]} {words}" + _dragged(report, action)
        for action, words in _COUNTED.items()
        if report.summary[action]
    ]
    unchanged = report.summary["unchanged"] + report.summary["no-op"]
    return f"Plan: {', '.join(parts) or 'nothing to do'}. {unchanged} unchanged."


def _dragged(report: PlanReport, action: str) -> str:
    count = sum(1 for one in report.changes if one.action == action and one.cause == "dependency-moved")
    return f" ({count} because of a dependency)" if count else ""
