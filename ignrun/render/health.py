"""Turns a StatusReport into what its health checks say, as a table or public JSON."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from ignrun.render.columns import Cell, columns
from ignrun.render.names import short_names
from ignrun.render.paint import Paint, plain, style_of_health, style_of_state
from ignrun.render.status_report import InstanceStatus
from ignrun.terms.events import Event, HealthChanged

FORMAT_VERSION: Final = "1.0"

_HEAD: Final = ("MODULE", "HEALTH", "STATE", "FAILED", "REASON")


class HealthMove(msgspec.Struct, frozen=True, rename={"old": "from", "new": "to"}):
    """One change of health: the number of its event, when (aware UTC), and why."""

    seq: int
    at: datetime
    old: str
    new: str
    reason: str


class HealthLine(msgspec.Struct, frozen=True):
    """What the checks of one instance say; `failures` counts failed checks in a row, `history` how it changed, oldest first."""

    address: str
    health: str
    reason: str
    failures: int
    state: str
    completed: bool
    history: tuple[HealthMove, ...] = ()


class HealthReport(msgspec.Struct, frozen=True):
    """What the checks of each instance say."""

    format_version: str
    instances: tuple[HealthLine, ...]


def health_report(
    instances: tuple[InstanceStatus, ...], past: Mapping[str, tuple[HealthMove, ...]] | None = None
) -> HealthReport:
    """Reduce a status to its health; `past` holds by address how it changed."""
    rows = tuple(
        HealthLine(
            address=one.address,
            health=one.health,
            reason=one.health_reason,
            failures=one.failures,
            state=one.state,
            completed=one.completed,
            history=(past or {}).get(one.address, ()),
        )
        for one in instances
    )
    return HealthReport(FORMAT_VERSION, rows)


def encode_health(report: HealthReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def health_moves(events: Iterable[Event]) -> dict[str, tuple[HealthMove, ...]]:
    """Give by address how the health of instances changed, oldest first; other events are left out."""
    found: dict[str, list[HealthMove]] = {}
    for event in events:
        if isinstance(event.body, HealthChanged):
            body = event.body
            move = HealthMove(event.seq, event.at, body.old.value, body.new.value, body.reason)
            found.setdefault(event.subject, []).append(move)
    return {address: tuple(moves) for address, moves in found.items()}


def history_text(report: HealthReport, addresses: Sequence[str], paint: Paint = plain) -> str:
    """Write one line for each change of health, in the order in which they happened; `addresses` are all of the plant."""
    short = short_names(addresses)
    moves = sorted((move.seq, one.address, move) for one in report.instances for move in one.history)
    if not moves:
        return "no health has changed yet\n"
    rows: list[list[Cell | str]] = [
        [
            f"{move.at:%Y-%m-%d %H:%M:%S}",
            Cell(short(address), "strong"),
            Cell(move.old, style_of_health(move.old)),
            Cell(move.new, style_of_health(move.new)),
            move.reason,
        ]
        for _, address, move in moves
    ]
    return columns(("TIME (UTC)", "MODULE", "FROM", "TO", "REASON"), rows, paint=paint)


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
