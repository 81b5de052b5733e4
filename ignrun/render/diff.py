"""Turns two graphs into what differs between them, as public JSON and as text."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ignrun.render.names import dotted, short_names
from ignrun.render.paint import Paint, plain
from ignrun.render.plan import shown_change
from ignrun.render.terminal import neutral

if TYPE_CHECKING:
    from ignrun.planner.graph.model import Graph, Rules
    from ignrun.planner.plan.model import Step

FORMAT_VERSION: Final = "1.0"
PLANT: Final = "plant"
"""Stands for an address where a rule of the plant as a whole differs."""
_WORDS: Final = {"create": "added", "delete": "removed"}
_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}
_STYLES: Final = {"added": "new", "removed": "gone", "changed": "change"}


class DifferenceReport(msgspec.Struct, frozen=True):
    """One instance that is `added`, `removed` or `changed`, with the values that differ by their path."""

    address: str
    change: str
    paths: tuple[str, ...] = ()
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    units: dict[str, str] = {}


class DiffReport(msgspec.Struct, frozen=True):
    """What differs between two plants; `before` and `after` say which those are."""

    format_version: str
    before: str
    after: str
    differences: tuple[DifferenceReport, ...]


def diff_report(before: "Graph", after: "Graph", names: tuple[str, str]) -> DiffReport:
    """Describe what differs; `names` are those of the two sides."""
    from ignrun.planner.plan.build import build_plan
    from ignrun.terms.verdict import examined

    steps = examined(build_plan(before, after, 0, "")).steps
    found = [_of_step(step) for step in steps]
    differing = [one for one in found if one.paths or one.change != "changed"]
    return DiffReport(FORMAT_VERSION, *names, (*_of_rules(before.rules, after.rules), *differing))


def _of_step(step: "Step") -> DifferenceReport:
    changes = {dotted(one.path): one for one in step.changes if one.path[0] != "folders"}  # they follow from the rest
    return DifferenceReport(
        step.address,
        _WORDS.get(step.action, "changed"),
        tuple(changes),
        {path: one.before for path, one in changes.items()},
        {path: one.after for path, one in changes.items()},
        {path: one.unit for path, one in changes.items() if one.unit},
    )


def _of_rules(before: "Rules", after: "Rules") -> tuple[DifferenceReport, ...]:
    old, new = _flat(before), _flat(after)
    paths = tuple(path for path in dict.fromkeys((*new, *old)) if old.get(path) != new.get(path))
    if not paths:
        return ()
    was, now = ({path: side.get(path) for path in paths} for side in (old, new))
    return (DifferenceReport(PLANT, "changed", paths, was, now),)


def _flat(rules: "Rules") -> dict[str, Any]:
    """Bring the rules of a plant into values by path, without the places in which they are written."""
    found: dict[str, Any] = {}
    for block, value in msgspec.to_builtins(rules).items():
        if isinstance(value, dict):
            found |= {f"{block}.{key}": inner for key, inner in value.items() if key != "span"}
        elif isinstance(value, list | tuple):
            found[block] = [{key: one[key] for key in one if key != "span"} for one in value]
        else:
            found[block] = value
    return found


def encode_diff(report: DiffReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=2) + b"\n"


def diff_text(report: DiffReport, paint: Paint = plain) -> str:
    """Write what differs, a block for each instance."""
    short = short_names([one.address for one in report.differences if one.address != PLANT])
    lines = [f"from {neutral(report.before)} to {neutral(report.after)}:"]
    for one in report.differences:
        lines.append(paint(_STYLES[one.change], f"  {_SIGNS[one.change]} {short(one.address)}  {one.change}"))
        lines += [
            f"      {shown_change(path, one.before[path], one.after[path], one.units.get(path, ''))}"
            for path in one.paths
        ]
    return "\n".join(lines if report.differences else [f"{lines[0]} no difference"]) + "\n"
