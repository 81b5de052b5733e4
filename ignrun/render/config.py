"""Turns the config of one module, and the layers of its values, into text that people read and into public JSON."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ignrun.render.diagnostics import PlaceReport, place_report
from ignrun.render.names import dotted
from ignrun.render.paint import Paint, plain
from ignrun.render.plan import shown_value
from ignrun.render.terminal import neutral

if TYPE_CHECKING:
    from ignrun.planner.config.model import Held, Stack
    from ignrun.planner.graph.model import InstanceSpec, Origin

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON forms; fields are added and never renamed or removed within 1."""

SECRET: Final = "(secret)"  # noqa: S105 - what stands for one
LATER: Final = "(known at apply)"
NOTHING: Final = "(removed)"


class ValueReport(msgspec.Struct, frozen=True):
    """One value in effect: the layer it comes from and its place; a secret, or what only an apply knows, has words instead."""

    path: str
    value: Any
    layer: str
    place: PlaceReport | None


class ConfigReport(msgspec.Struct, frozen=True):
    """The config of one instance."""

    format_version: str
    module: str
    address: str
    values: tuple[ValueReport, ...]


class ConfigsReport(msgspec.Struct, frozen=True):
    """The config in force of some instances, each value with its layer and place."""

    format_version: str
    instances: tuple[ConfigReport, ...]


class LayerReport(msgspec.Struct, frozen=True):
    """What one layer says of a value as it was written; `null` removes it. Of a run-time value `by` says who set it, `at` when."""

    layer: str
    value: Any
    place: PlaceReport | None
    by: str = ""
    at: str = ""
    wins: bool = False


class StackReport(msgspec.Struct, frozen=True):
    """One value with all its layers, weakest first; `value` is what is in effect, `null` where nothing is."""

    path: str
    value: Any
    layers: tuple[LayerReport, ...]


class ExplainReport(msgspec.Struct, frozen=True):
    """The values of one module, layer by layer."""

    format_version: str
    module: str
    values: tuple[StackReport, ...]


class BackupReport(msgspec.Struct, frozen=True):
    """What the run-time values were before one change: `at` is when they were replaced (ISO 8601, UTC), `paths` what was set then."""

    number: int
    at: str
    paths: tuple[str, ...]


class BackupsReport(msgspec.Struct, frozen=True):
    """The backups of one module's run-time values, oldest first."""

    format_version: str
    module: str
    backups: tuple[BackupReport, ...]


# --- public form ------------------------------------------------------------------------------------------------------


def config_report(spec: "InstanceSpec", within: tuple[str, ...] = ()) -> ConfigReport:
    """Describe the config of an instance, or the part of it at the path `within`."""
    values = tuple(_value(spec, origin) for origin in spec.origins if _is_within(origin.path, within))
    return ConfigReport(FORMAT_VERSION, spec.module, spec.address, values)


def _value(spec: "InstanceSpec", origin: "Origin") -> ValueReport:
    place = place_report(origin.span) if origin.span else None
    return ValueReport(dotted(origin.path), value_at(spec, origin.path), origin.layer, place)


def value_at(spec: "InstanceSpec", path: Iterable[str | int]) -> Any:
    """Give the value at a path as it may be shown; raises LookupError where there is none."""
    from ignrun.terms.leaves import Pending, Tree, filled

    secret, known = {*spec.secrets}, {one.path for one in spec.config.pending}
    hidden = tuple(Pending(one, ()) for one in secret - known)
    tree = Tree(spec.config.plain, (*spec.config.pending, *hidden))
    at = filled(tree, lambda one: SECRET if one.tainted or one.path in secret else LATER)
    for key in path:
        if isinstance(at, list):
            at = at[int(key)]
        elif isinstance(at, dict):
            at = at[key]
        else:
            raise KeyError(key)
    return at


def explain_report(
    module: str, stacks: Iterable["Stack"], spec: "InstanceSpec | None", within: tuple[str, ...] = ()
) -> ExplainReport:
    """Describe the layers of a module's values, or of those at the path `within`; `spec` says what is in effect, where that is known."""
    told = tuple(_stack(one, spec) for one in stacks if _is_within(one.path, within))
    return ExplainReport(FORMAT_VERSION, module, told)


def _stack(stack: "Stack", spec: "InstanceSpec | None") -> StackReport:
    last = len(stack.held) - 1
    layers = tuple(_layer(one, wins=number == last) for number, one in enumerate(stack.held))
    try:
        value = value_at(spec, stack.path) if spec else None
    except (LookupError, ValueError):
        value = None
    return StackReport(dotted(stack.path), value, layers)


def _layer(held: "Held", *, wins: bool) -> LayerReport:
    place = place_report(held.span) if held.span else None
    by, at = (held.stamp.by, held.stamp.at) if held.stamp else ("", "")
    return LayerReport(held.layer, held.value, place, by, at, wins)


def _is_within(path: tuple[str | int, ...], within: tuple[str, ...]) -> bool:
    return tuple(map(str, path[: len(within)])) == within


def encode(
    report: ConfigReport | ExplainReport | BackupsReport | ValueReport | StackReport,
) -> bytes:
    """Turn a report into its public JSON."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


# --- text -------------------------------------------------------------------------------------------------------------


def config_text(report: ConfigReport, shown_file: Callable[[str], str] = str) -> str:
    """Write a config, a value a line: path, value, layer and place."""
    rows = [
        (neutral(one.path), shown_value(one.value), one.layer, _place(one.place, shown_file)) for one in report.values
    ]
    return _columns(rows)


def explain_text(report: ExplainReport, shown_file: Callable[[str], str] = str, paint: Paint = plain) -> str:
    """Write each value with its layers below it, weakest first, the one that wins marked with `*`."""
    return "\n".join(_explained(report.module, one, shown_file, paint) for one in report.values)


def _explained(module: str, stack: StackReport, shown_file: Callable[[str], str], paint: Paint) -> str:
    heading = f"{neutral(module)}.{neutral(stack.path)}"
    if stack.value is not None:
        heading += f" = {shown_value(stack.value)}"
    rows = [
        ("*" if one.wins else " ", one.layer, _written(one), _place(one.place, shown_file), _said(one))
        for one in stack.layers
    ]
    return paint("change", heading) + "\n" + _columns(rows)


def _written(layer: LayerReport) -> str:
    return NOTHING if layer.value is None else shown_value(layer.value)


def _said(layer: LayerReport) -> str:
    by = f"by {neutral(layer.by)}" if layer.by else ""
    return f"set {' '.join(filter(None, (by, neutral(layer.at))))}" if by or layer.at else ""


def _place(place: PlaceReport | None, shown_file: Callable[[str], str]) -> str:
    if place is None:
        return ""
    if place.file.startswith(("$", "--", "config ")):
        return neutral(place.file)
    return f"{neutral(shown_file(place.file))}:{place.line}:{place.column}"


def backups_text(report: BackupsReport) -> str:
    """Write the backups, one a line, newest last."""
    return _columns([(str(one.number), one.at, neutral(", ".join(one.paths)) or "(nothing)") for one in report.backups])


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)
