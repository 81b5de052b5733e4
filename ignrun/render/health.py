"""Turns a StatusReport into what its health checks say, as a table or public JSON."""

from typing import Any, Final

import msgspec

from ignrun.render.columns import Cell, columns
from ignrun.render.names import short_names
from ignrun.render.paint import Paint, plain, style_of_health, style_of_state
from ignrun.render.status_report import InstanceStatus

FORMAT_VERSION: Final = "1.0"

_HEAD: Final = ("MODULE", "HEALTH", "STATE", "FAILED", "REASON")


class HealthReport(msgspec.Struct, frozen=True):
    """What the checks of each instance say."""

    format_version: str
    instances: tuple[dict[str, Any], ...]


def health_report(instances: tuple[InstanceStatus, ...]) -> HealthReport:
    """Reduce a status to its health: `failures` counts failed checks in a row."""
    rows = tuple(
        {
            "address": one.address,
            "health": one.health,
            "reason": one.health_reason,
            "failures": one.failures,
            "state": one.state,
            "completed": one.completed,
        }
        for one in instances
    )
    return HealthReport(FORMAT_VERSION, rows)


def health_text(instances: tuple[InstanceStatus, ...], addresses: list[str], paint: Paint = plain) -> str:
    """Write one line for each instance; `addresses` are all of the plant."""
    short = short_names(addresses)
    rows: list[list[Cell | str]] = [
        [
            Cell(short(one.address), "strong"),
            Cell(one.health, style_of_health(one.health)),
            Cell("completed" if one.completed else one.state, style_of_state(one.state)),
            str(one.failures) if one.failures else "-",
            one.health_reason,
        ]
        for one in instances
    ]
    return columns(_HEAD, rows, paint=paint)
