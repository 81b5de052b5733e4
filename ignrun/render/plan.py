"""Turns a plan into public JSON, and that into the text that people review."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, assert_never

import msgspec

from ignrun.render.diagnostics import DiagnosticReport, PlaceReport, diagnostic_report, place_report
from ignrun.render.names import ShortName, dotted, short_names
from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import encodable, neutral
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.duration import parse_duration, parse_size, show_duration, show_size
from ignrun.terms.names import Address
from ignrun.terms.planning import Planning

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
    "policy": "to give another policy",
    "restart": "to restart",
    "replace": "to replace",
    "delete": "to delete",
}
_STYLES: Final = {"create": "new", "delete": "gone", "replace": "gone", "no-op": "dim"}
_SECRET: Final = "(secret"  # noqa: S105 - what stands for one
_LONGEST_VALUE: Final = 72
_MOST_NAMES: Final = 8
_TOUCHES: Final = frozenset({"reconfigure", "rebind", "restart", "delete"})
"""What happens in a process that others share; one that is replaced leaves it."""


class ChangeReport(msgspec.Struct, frozen=True):
    """What happens to one instance, and why.

    `cause` is `edited`, `dependency-moved`, `shares-host`, `requested` or `renamed`; `caused_by` the address (or the operator) behind it;
    `place` where it was written. `before` and `after` hold the changed values by path. `step` counts from 1 in the order of
    execution; `interrupts` names the dependents that stay up and wait for it. `slots` are those bound anew, `host` the process it is in
    before, `units` the changed values that are seconds (`duration`) or bytes (`size`); `irreversible`: no rollback undoes it. `files` are
    those of its code that differ.
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
    slots: tuple[str, ...] = ()
    host: str = ""
    units: dict[str, str] = {}
    irreversible: bool = False
    files: tuple[str, ...] = ()


class MadeFrom(msgspec.Struct, frozen=True):
    """How the manifest of a plan was read, so that `apply` reads it again in the same way; paths are absolute.

    `state_dir` is that of the plant; `content` the digest of what the plan leads to, the texts of secrets aside.
    """

    manifest: str
    modes: tuple[str, ...] = ()
    vars: dict[str, str] = {}
    sets: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    strict_env: bool = False
    locked: bool = False
    allowed: tuple[str, ...] = ()
    planning: Planning = Planning()
    state_dir: str = ""
    content: str = ""


class PlanReport(msgspec.Struct, frozen=True):
    """A plan as data; `summary` counts each action and `unchanged`.

    `hosts` lists who shares each process that a change touches; `edited` says that texts differ. `made_from` is there in a plan that
    was written down.
    """

    format_version: str
    base_generation: int
    target_digest: str
    changes: tuple[ChangeReport, ...]
    diagnostics: tuple[DiagnosticReport, ...]
    summary: dict[str, int]
    hosts: dict[str, tuple[str, ...]] = {}
    edited: bool = False
    made_from: MadeFrom | None = None


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
        dict(plan.hosts),
        plan.edited,
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
        slots=step.slots,
        host=step.host,
        units={path: one.unit for path, one in by_path.items() if one.unit},
        irreversible=step.irreversible,
        files=tuple(encodable(file) for one in step.changes for file in one.files),
    )


def _cause(cause: "Cause") -> tuple[str, str | None, PlaceReport | None]:
    from ignrun.planner.plan.model import DependencyMoved, Edited, Renamed, Requested, SharesHost

    match cause:
        case Edited(span):
            return "edited", None, place_report(span)
        case DependencyMoved(edge):
            return "dependency-moved", edge.provider, place_report(edge.span)
        case SharesHost(mate):
            return "shares-host", mate, None
        case Requested(by):
            return "requested", by, None
        case Renamed(other, span):
            return "renamed", other, place_report(span)
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
    specs: Mapping[Address, InstanceSpec] = addresses if isinstance(addresses, Mapping) else {}
    short = short_names([*addresses, *(change.address for change in report.changes)])
    blocks = [_block(one, short, shown_file, paint, _around(one, report, specs, shown_file)) for one in report.changes]
    return "\n".join([*blocks, *([""] if blocks else []), footer(report)]) + "\n"


class _Around(msgspec.Struct, frozen=True):
    """What the plant says of an instance: the file of its class, and who shares its process."""

    code: str
    mates: tuple[str, ...]


def _around(
    change: ChangeReport, report: PlanReport, specs: "Mapping[Address, InstanceSpec]", shown_file: Callable[[str], str]
) -> _Around:
    mates = tuple(one for one in report.hosts.get(change.host, ()) if one != change.address)
    code = _files_of(change, shown_file) or _code_of(specs.get(Address(change.address)))
    return _Around(code, mates)


def change_text(change: ChangeReport, short: ShortName, shown_file: Callable[[str], str]) -> str:
    """Write one change by itself: what is done, its cause, the values that differ."""
    return _block(change, short, shown_file, plain, _Around(_files_of(change, shown_file), ()))


def _files_of(change: ChangeReport, shown_file: Callable[[str], str]) -> str:
    return _listed([neutral(shown_file(file)) for file in change.files], str)


def _code_of(spec: "InstanceSpec | None") -> str:
    """Name the file that an instance's class stands in, empty where it is not known."""
    entry = getattr(spec.body, "entry", "") if spec else ""
    module = entry.partition(":")[0].rpartition(".")[2]
    return neutral(f"{module}.py") if module else ""


def _block(
    change: ChangeReport, short: ShortName, shown_file: Callable[[str], str], paint: Paint, around: _Around
) -> str:
    mark = " !" if _is_final(change) else ""
    heading = f"{SIGNS[change.action]:>3} {short(change.address)}  {change.action}{mark}"
    lines = [_because(change, short, shown_file), *(_changed(change, path, around.code) for path in change.paths)]
    if change.interrupts:
        lines.append(f"interrupts {_listed(change.interrupts, short)}")
    if around.mates and change.action in _TOUCHES:
        lines.append(f"shares process `{neutral(change.host)}` with {_listed(around.mates, short)}")
    if change.irreversible:
        lines.append("! no rollback undoes this")
    return "\n".join([paint(_STYLES.get(change.action, "change"), heading), *(f"      {line}" for line in lines)])


def _is_final(change: ChangeReport) -> bool:
    """Tell whether going back would not bring back what was: declared so, or an installed package changed."""
    return change.irreversible or "packages" in change.paths


def _listed(addresses: Sequence[str], short: ShortName) -> str:
    shown = ", ".join(short(one) for one in addresses[:_MOST_NAMES])
    left = len(addresses) - _MOST_NAMES
    return f"{shown} and {left} more" if left > 0 else shown


def _because(change: ChangeReport, short: ShortName, shown_file: Callable[[str], str]) -> str:
    place = change.place
    where = f"{neutral(shown_file(place.file))}:{place.line}:{place.column}" if place else ""
    match change.cause:
        case "dependency-moved":
            return f"because `{short(change.caused_by or '')}` moves, at {where}"
        case "shares-host":
            return f"because it shares a process with `{short(change.caused_by or '')}`"
        case "renamed":
            other = short(change.caused_by or "")
            way = f"was `{other}`, keeps its data;" if change.action == "create" else f"is `{other}` from now on,"
            return f"{way} moved at {where}"
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
        return f"code changed: {code}" if code else "code changed"
    return shown_change(path, change.before[path], change.after[path], change.units.get(path, ""))


def shown_change(path: str, before: Any, after: Any, unit: str = "") -> str:
    """Write a value that changes on one line, as in `flush: 5s -> 10s`; of a secret only that it does."""
    name = neutral(path.removeprefix("config."))
    if all(isinstance(one, str) and one.startswith(_SECRET) for one in (before, after)):
        return f"{name}: (secret changed)"
    return f"{name}: {shown_value(before, unit)} -> {shown_value(after, unit)}"


def shown_value(value: Any, unit: str = "") -> str:
    """Write a value of a config on one line, cut where it is long; what is not there reads `(none)`, seconds and bytes as `5s`, `64MiB`."""
    if value is None:
        return "(none)"
    if unit and isinstance(value, int | float) and not isinstance(value, bool):
        return _written(value, unit)
    text = value if isinstance(value, str) and value.strip() == value != "" else msgspec.json.encode(value).decode()
    text = neutral(text)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "\u2026"


def _written(value: float, unit: str) -> str:
    """Write seconds or bytes with a unit, so that the value can be read back; else as the number it is."""
    show, parse = (show_duration, parse_duration) if unit == "duration" else (show_size, parse_size)
    text = show(value).replace(" ", "")
    try:
        exact = parse(text) == value
    except ValueError:
        exact = False
    return text if exact else msgspec.json.encode(value).decode()


def footer(report: PlanReport) -> str:
    """Count what a plan does, as in `Plan: 1 to add, 1 to restart (1 because of a dependency). 9 unchanged`."""
    parts = [
        f"{report.summary[action]} {words}" + _dragged(report, action)
        for action, words in _COUNTED.items()
        if report.summary[action]
    ]
    nothing = "nothing to do (edited, no effect)" if report.edited else "nothing to do"
    return f"Plan: {', '.join(parts) or nothing}. {report.summary['unchanged']} unchanged."


def _dragged(report: PlanReport, action: str) -> str:
    count = sum(1 for one in report.changes if one.action == action and one.cause == "dependency-moved")
    return f" ({count} because of a dependency)" if count else ""
