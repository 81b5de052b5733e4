"""Turns events and series into a PastReport, what became of each module over a time, and that into text."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from ignrun.planner.graph.model import Graph, Hosted
from ignrun.render.events import body_text
from ignrun.render.names import short_names
from ignrun.render.paint import Paint, plain
from ignrun.render.sparkline import sparkline
from ignrun.runtime.observe.history import Bucket, slots
from ignrun.terms.duration import show_duration, show_size
from ignrun.terms.events import (
    AlertFired,
    AlertResolved,
    Event,
    HealthChanged,
    HostStalled,
    LifecycleEvent,
    PlacedAlone,
    RetryScheduled,
)

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

SLOTS: Final = 60
"""Into how many pieces the time is cut for what is drawn."""

TOLD: Final = (LifecycleEvent, HealthChanged, AlertFired, AlertResolved, HostStalled, PlacedAlone, RetryScheduled)
"""What is told of a module's past."""


class Series(msgspec.Struct, frozen=True):
    """One figure over the time, in equal pieces, the oldest first; null where nothing is known. `subject` is whose process it is."""

    subject: str
    figure: str
    values: tuple[float | None, ...]


class Happened(msgspec.Struct, frozen=True):
    """One thing that became of a module, in a few words."""

    at: datetime
    seq: int
    text: str


class ModulePast(msgspec.Struct, frozen=True):
    """What became of one instance, and what its process took."""

    address: str
    happened: tuple[Happened, ...]
    series: tuple[Series, ...]


class PastReport(msgspec.Struct, frozen=True):
    """A plant from `since` to `until` (aware UTC)."""

    format_version: str
    plant: str
    since: datetime
    until: datetime
    modules: tuple[ModulePast, ...]


def past_of(
    graph: Graph,
    events: Iterable[Event],
    series: Mapping[tuple[str, str], tuple[Bucket, ...]],
    since: datetime,
    until: datetime,
) -> PastReport:
    """Say what became of every instance of a graph."""
    told: dict[str, list[Happened]] = {}
    for event in events:
        if isinstance(event.body, TOLD):
            told.setdefault(event.subject, []).append(Happened(event.at, event.seq, body_text(event.body)))
    modules = []
    for address, spec in graph.instances.items():
        subject = spec.body.host if isinstance(spec.body, Hosted) else address
        found = tuple(
            Series(whose, figure, slots(buckets, since.timestamp(), until.timestamp(), SLOTS))
            for (whose, figure), buckets in series.items()
            if whose in {subject, address}
        )
        modules.append(ModulePast(address, tuple(told.get(address, ())), found))
    return PastReport(FORMAT_VERSION, graph.plant, since, until, tuple(modules))


def past_text(report: PastReport, *, paint: Paint = plain, most: int = 10) -> str:
    """Write the past of each module: its figures as small bars, then what happened to it, the last `most` things."""
    short = short_names(one.address for one in report.modules)
    spent = show_duration((report.until - report.since).total_seconds())
    lines = [f"{report.plant}: the last {spent}"]
    for one in report.modules:
        lines += ["", paint("strong", short(one.address))]
        lines += [_series_line(each, short(each.subject), one.address) for each in one.series]
        left = len(one.happened) - most
        lines += [paint("dim", f"  ({left} earlier)")] if left > 0 else []
        lines += [f"  {each.at.astimezone():%Y-%m-%d %H:%M:%S} {each.text}" for each in one.happened[-most:]]
        if not one.happened and not one.series:
            lines.append(paint("dim", "  nothing is known of this time"))
    return "\n".join(lines) + "\n"


def _series_line(series: Series, subject: str, address: str) -> str:
    known = [value for value in series.values if value is not None]
    last = known[-1] if known else None
    whose = "" if series.subject == address else f" (of host {subject})"
    return f"  {series.figure:<12} {sparkline(series.values, floor=0.0)} {_shown(series.figure, last)}{whose}"


def _shown(figure: str, value: float | None) -> str:
    if value is None:
        return "-"
    match figure:
        case "memory":
            return show_size(value)
        case "read" | "written":
            return f"{show_size(value)}/s"
        case "cpu":
            return f"{100 * value:.1f} %"
        case _:
            return f"{value:g}"
