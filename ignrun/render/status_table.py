"""Turns a StatusReport into the table that people read, with a column that says why."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ignrun.render.columns import Cell, columns
from ignrun.render.names import ShortName, short_names
from ignrun.render.paint import Paint, plain, style_of_health, style_of_state
from ignrun.render.status_report import ApplyStatus, InstanceStatus, PlantStatus, StatusReport
from ignrun.render.terminal import neutral
from ignrun.render.watch import watch_line
from ignrun.terms.duration import show_duration
from ignrun.terms.fault import FaultKind

_HEAD: Final = ("MODULE", "STATE", "HEALTH", "UP", "RESTARTS", "PID", "HOST", "WHY")


def status_text(
    report: StatusReport,
    *,
    now: datetime,
    paint: Paint = plain,
    width: int | None = None,
    most: int | None = None,
) -> str:
    """Write the plant in one line and its instances as a table; `now` is aware UTC; `width` that of a terminal.

    Of more than `most` instances those that are well are counted instead, and of the others `most` are shown, the worst first.
    """
    unwell = sum(1 for one in report.instances if one.state == "error" or one.health == "unhealthy")
    sick = f"{unwell} of {len(report.instances)} not well" if unwell else ""
    head = plant_line(report.plant, paint, sick)
    if report.plant.watch and report.plant.watch.state != "off":
        head = f"{head}\n{watch_line(report.plant.watch, now=now, paint=paint)}"
    if not report.instances:
        return f"{head}\n"
    short = short_names(one.address for one in report.instances)
    shown, counted = _chosen(report.instances, most)
    rows = [_row(one, short, now) for one in shown]
    table = f"\n{columns(_HEAD, rows, paint=paint, width=width)}" if rows else ""
    return f"{head}\n{table}{counted}"


def _chosen(instances: Sequence[InstanceStatus], most: int | None) -> tuple[Sequence[InstanceStatus], str]:
    """Choose whom to show, and count the others in words."""
    if most is None or len(instances) <= most:
        return instances, ""
    shown = sorted((one for one in instances if _rank(one)), key=_rank, reverse=True)[:most]
    known = {one.address for one in shown}
    counts = Counter(
        "completed" if one.completed else f"{one.state}, {one.health}" for one in instances if one.address not in known
    )
    words = "; ".join(f"{count} {word}" for word, count in counts.most_common())
    return shown, f"\n{'and ' if shown else ''}{words}\n`ignrun status --all` shows every one\n"


def _rank(one: InstanceStatus) -> int:
    """Say how much an instance wants to be looked at, 0 for one that is as it should be."""
    if one.state == "error":
        return 4
    if one.health in {"unhealthy", "degraded"} or one.lacks:
        return 3
    if one.state not in {"running", "stopped", "uninitialized"} or (one.goal == "up" and one.state != "running"):
        return 0 if one.completed else 2
    return 1 if one.held_by or one.alone else 0


def plant_line(plant: PlantStatus, paint: Paint = plain, sick: str = "") -> str:
    """Say in one line what a plant is doing; `sick` says how many of it are not well, if any are."""
    style = "bad" if sick else _PLANT_STYLES.get(plant.state, "warn")
    parts = [f"plant {neutral(plant.name)}: {paint(style, plant.state)}", *([paint("bad", sick)] if sick else [])]
    if plant.generation:
        parts.append(f"generation {plant.generation}")
    if plant.apply:
        parts.append(f"apply {plant.apply.transaction}: {plant.apply.settled} of {plant.apply.steps} settled")
        parts += _watched(plant.apply)
    if plant.pid is not None:
        parts.append(f"runner pid {plant.pid}")
    if plant.uptime_seconds is not None:
        parts.append(f"up {show_duration(plant.uptime_seconds)}")
    if plant.listen:
        parts.append(f"serves {neutral(plant.listen)}")
    return ", ".join(parts) + (f"\n{neutral(plant.note)}" if plant.note else "")


def _watched(apply: ApplyStatus) -> list[str]:
    """Say what an apply in which all has arrived still waits for."""
    if apply.phase != "soaking":
        return []
    more = f" and {len(apply.waiting) - 1} more" if len(apply.waiting) > 1 else ""
    return [f"waits for {neutral(apply.waiting[0])}{more} to be healthy" if apply.waiting else "its health is watched"]


_PLANT_STYLES: Final = {"running": "good", "held": "bad", "lost": "bad", "down": "dim", "idle": "dim"}


def _row(one: InstanceStatus, short: ShortName, now: datetime) -> list[Cell | str]:
    return [
        Cell(short(one.address), "strong"),
        Cell(one.state, style_of_state(one.state)),
        Cell(one.health, style_of_health(one.health)),
        show_duration((now - one.since).total_seconds()) if one.state == "running" and one.since else "-",
        str(one.statistics.restart_count),
        str(one.pid) if one.pid is not None else "-",
        _host(one),
        why(one, short, now),
    ]


def _host(one: InstanceStatus) -> str:
    if one.host is None:
        return "command"
    if one.host == one.address:
        return "own"
    return f"{one.host} (shared by {max(one.shared_by, len(one.shares_with) + 1)})" if one.shares_with else one.host


def why(one: InstanceStatus, short: ShortName, now: datetime) -> str:
    """Say in a few words why an instance is as it is: the root cause first, then when it will be tried again."""
    parts = [_reason(one, short)]
    if one.held_by:
        parts.append(f"held by {one.held_by}")
    if one.alone:
        parts.append("alone since then" if one.alone == parts[0] else f"alone since {one.alone}")
    parts += one.notes
    wait = (one.next_retry - now).total_seconds() if one.next_retry is not None else 0.0
    if wait > 0 and one.state != "running":
        word = "parked, again" if one.parked else "again"
        parts.append(f"{word} in {show_duration(wait)} (attempt {one.attempt})")
    return "; ".join(part for part in parts if part)


def _reason(one: InstanceStatus, short: ShortName) -> str:
    skipped = one.fault and one.fault.kind == FaultKind.UPSTREAM.value
    upstream = one.upstream or (one.fault.upstream if one.fault and skipped else "")
    if upstream and one.state != "running":
        return f"skipped: upstream {short(upstream)}"
    if one.fault and one.state not in {"running", "maintenance"}:
        return one.fault.summary
    if one.health != "healthy" and one.health_reason:
        return one.health_reason
    if one.lacks:
        return ", ".join(f"upstream {short(provider)}: error" for provider in one.lacks)
    return one.cause
