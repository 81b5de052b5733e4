"""Turns the events of an apply into a picture of who has arrived and who waits for whom, and that into lines."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from ignrun.render.events import body_text
from ignrun.render.names import ShortName, short_names
from ignrun.render.terminal import neutral
from ignrun.terms.duration import show_duration
from ignrun.terms.events import (
    ApplyBegan,
    ApplyEnded,
    Event,
    HealthChanged,
    LifecycleEvent,
    RetryScheduled,
    RollbackBegan,
    RollbackEnded,
    SoakBegan,
    SoakEnded,
    StepBegan,
    StepEnded,
    StepUndone,
)
from ignrun.terms.states import ModuleState

if TYPE_CHECKING:
    from rich.table import Table

    from ignrun.planner.graph.model import Graph
    from ignrun.planner.plan.model import Plan

_PHASES: Final = (SoakBegan, SoakEnded, RollbackBegan, RollbackEnded)
_TOLD: Final = (*_PHASES, ApplyBegan, ApplyEnded, LifecycleEvent, HealthChanged, StepEnded, StepUndone, RetryScheduled)
_QUIET: Final = frozenset({ModuleState.INITIALIZING, ModuleState.INITIALIZED, ModuleState.UNINITIALIZED})
_SIGNS: Final = {"done": "ok", "failed": "!!", "begun": "..", "waiting": "  "}


class Lane(msgspec.Struct, frozen=True):
    """One instance of an apply: `needs` whom it waits for; `began` and `ended` are monotonic seconds of the runner."""

    address: str
    action: str
    needs: tuple[str, ...] = ()
    state: str = ""
    began: float | None = None
    ended: float | None = None
    failed: str = ""

    @property
    def standing(self) -> str:
        """Where it stands: `waiting`, `begun`, `done` or `failed`."""
        if self.failed:
            return "failed"
        if self.ended is not None:
            return "done"
        return "begun" if self.began is not None else "waiting"


class Picture(msgspec.Struct, frozen=True):
    """An apply as far as its events have told it; `mono` is the latest moment that was told, `phase` what it is at in words."""

    lanes: dict[str, Lane] = {}
    mono: float = 0.0
    phase: str = ""


def picture_of(plan: "Plan", graph: "Graph") -> Picture:
    """Draw an apply that has not begun: a lane for each instance that the plan changes."""
    needs: dict[str, list[str]] = {}
    for edge in graph.edges:
        needs.setdefault(edge.dependent, []).append(edge.provider)
    return Picture(
        {
            step.address: Lane(step.address, step.action, tuple(needs.get(step.address, ())))
            for step in plan.steps
            if step.action != "no-op"
        }
    )


def told(picture: Picture, event: Event) -> Picture:
    """Draw in what an event tells."""
    lane = picture.lanes.get(event.subject)
    if lane is None:
        phase = body_text(event.body) if isinstance(event.body, _PHASES) else picture.phase
        return msgspec.structs.replace(picture, mono=event.mono, phase=phase)
    lanes = picture.lanes | {event.subject: _moved(lane, event)}
    return Picture(lanes, event.mono, picture.phase)


def _moved(lane: Lane, event: Event) -> Lane:
    match event.body:
        case StepBegan():
            return msgspec.structs.replace(lane, began=event.mono)
        case StepEnded(fault=fault):
            return msgspec.structs.replace(lane, ended=event.mono, failed=fault.summary if fault else "")
        case LifecycleEvent(new=new):
            return msgspec.structs.replace(lane, state=new.value, began=lane.began or event.mono)
        case _:
            return lane


# --- lines ------------------------------------------------------------------------------------------------------------


def progress_line(event: Event, short: ShortName = str) -> str | None:
    """Write an event of an apply as one plain line, or None for what people need not read while they wait."""
    body = event.body
    if not isinstance(body, _TOLD) or (isinstance(body, StepEnded) and body.fault is None):
        return None
    if isinstance(body, LifecycleEvent) and (body.new in _QUIET or body.new is ModuleState.STARTING):
        return None
    subject = f"{neutral(short(event.subject))}: " if event.subject else ""
    return f"{subject}{body_text(body)}"


def counted_line(picture: Picture, event: Event, short: ShortName = str) -> str | None:
    """Write an event of a large apply only where something failed or its phase changed; the others are counted.

    Give None for what need not be read.
    """
    body = event.body
    failed = isinstance(body, StepEnded | LifecycleEvent) and body.fault is not None
    if failed or isinstance(body, (*_PHASES, ApplyEnded)):
        return progress_line(event, short)
    return f"{summary_line(picture)}{_slowest(picture, short)}" if isinstance(body, StepEnded) else None


def _slowest(picture: Picture, short: ShortName) -> str:
    """Name who has been on its way for longest."""
    begun = [lane for lane in picture.lanes.values() if lane.standing == "begun" and lane.began is not None]
    if not begun:
        return ""
    first = min(begun, key=lambda lane: lane.began or 0.0)
    return f"; longest on its way: {neutral(short(first.address))}, {show_duration(max(0.0, picture.mono - (first.began or 0.0)))}"


def waiting_for(lane: Lane, lanes: Mapping[str, Lane]) -> tuple[str, ...]:
    """Name the providers of a lane that have not arrived yet."""
    return tuple(one for one in lane.needs if one in lanes and lanes[one].standing != "done")


def summary_line(picture: Picture) -> str:
    """Count who has arrived."""
    lanes = picture.lanes.values()
    done = sum(1 for lane in lanes if lane.standing == "done")
    failed = sum(1 for lane in lanes if lane.standing == "failed")
    return f"{done} of {len(lanes)} done" + (f", {failed} failed" if failed else "")


def is_complete(picture: Picture) -> bool:
    """Tell whether everybody has arrived or failed."""
    return all(lane.standing in {"done", "failed"} for lane in picture.lanes.values())


# --- terminal ---------------------------------------------------------------------------------------------------------


def progress_table(picture: Picture, *, mono: float, rows: int, short: ShortName | None = None) -> "Table":
    """Build the table that a terminal shows while an apply is under way: at most `rows` lanes, those not done first."""
    from rich.table import Table
    from rich.text import Text

    short = short or short_names(picture.lanes)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "MODULE", "ACTION", "STATE", "ELAPSED", "WAITS FOR"):
        table.add_column(name, no_wrap=True)
    chosen = _chosen(picture.lanes.values(), rows)
    for lane in chosen:
        table.add_row(*(Text(text, style=_STYLES[lane.standing]) for text in _texts(lane, picture, mono, short)))
    hidden = len(picture.lanes) - len(chosen)
    words = [summary_line(picture), f"{hidden} not shown" if hidden else "", neutral(picture.phase)]
    table.caption = Text("; ".join(word for word in words if word))
    table.caption_justify = "left"
    return table


_STYLES: Final = {"done": "green", "failed": "red", "begun": "cyan", "waiting": "dim"}


def _chosen(lanes: Iterable[Lane], rows: int) -> list[Lane]:
    rank = {"failed": 0, "begun": 1, "waiting": 2, "done": 3}
    every = list(lanes)
    return every if len(every) <= rows else sorted(every, key=lambda lane: rank[lane.standing])[:rows]


def _texts(lane: Lane, picture: Picture, mono: float, short: ShortName) -> tuple[str, ...]:
    elapsed = (lane.ended or mono) - lane.began if lane.began is not None else None
    waits = ", ".join(short(one) for one in waiting_for(lane, picture.lanes)) if lane.ended is None else ""
    return (
        _SIGNS[lane.standing],
        short(lane.address),
        lane.action,
        lane.state,
        show_duration(max(0.0, elapsed)) if elapsed is not None else "",
        neutral(lane.failed) or waits,
    )
