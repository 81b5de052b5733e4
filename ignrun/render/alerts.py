"""Turns the alerts that fire into an AlertsReport, and that into a table."""

from datetime import datetime
from typing import Final

import msgspec

from ignrun.render.columns import Cell, columns
from ignrun.render.names import short_names
from ignrun.render.paint import Paint, plain
from ignrun.terms.duration import show_duration

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""


class AlertStatus(msgspec.Struct, frozen=True):
    """A rule that holds of an instance since then (aware UTC); `state` is `firing`, or `pending` until it has held for long enough."""

    alert: str
    address: str
    severity: str
    state: str
    since: datetime
    reason: str


class AlertsReport(msgspec.Struct, frozen=True):
    """What fires now, the gravest first, and the names of all rules."""

    format_version: str
    plant: str
    at: datetime
    alerts: tuple[AlertStatus, ...]
    rules: tuple[str, ...]
    notes: tuple[str, ...] = ()


_GRAVITY: Final = {"critical": 0, "warning": 1, "info": 2}
_STYLES: Final = {"critical": "bad", "warning": "warn"}


def by_gravity(alerts: list[AlertStatus]) -> tuple[AlertStatus, ...]:
    """Put what fires before what is pending, and the gravest first."""
    return tuple(
        sorted(alerts, key=lambda one: (one.state != "firing", _GRAVITY.get(one.severity, 3), one.since, one.address))
    )


def alerts_text(report: AlertsReport, *, paint: Paint = plain, width: int | None = None) -> str:
    """Write what fires as a table, or say in one line that nothing does."""
    notes = "".join(f"note: {one}\n" for one in report.notes)
    if not report.alerts:
        rules = "rule" if len(report.rules) == 1 else "rules"
        return f"no alert fires ({len(report.rules)} {rules})\n{notes}"
    short = short_names(one.address for one in report.alerts)
    rows = [
        (
            Cell(one.alert, "strong"),
            short(one.address),
            Cell(one.severity, _STYLES.get(one.severity, "")),
            one.state,
            show_duration(max(0.0, (report.at - one.since).total_seconds())),
            one.reason,
        )
        for one in report.alerts
    ]
    return columns(("ALERT", "MODULE", "SEVERITY", "STATE", "FOR", "WHY"), rows, paint=paint, width=width) + notes
