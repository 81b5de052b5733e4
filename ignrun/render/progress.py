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


class Tally:
    """Counts who of a large apply has arrived, event by event: nobody else is looked at for any of them."""

    def __init__(self, picture: Picture) -> None:
        """Begin with an apply as far as it has been drawn."""
        self._lanes = dict(picture.lanes)
        self._mono = picture.mono
        standing = [lane.standing for lane in self._lanes.values()]
        self.done = standing.count("done")
        self.failed = standing.count("failed")
        self._under_way = {
            address: lane.began or 0.0 for address, lane in self._lanes.items() if lane.standing == "begun"
        }

    @property
    def is_complete(self) -> bool:
        """Tell whether everybody has arrived or failed."""
        return self.done + self.failed == len(self._lanes)

    def tell(self, event: Event) -> None:
        """Count in what an event tells."""
        self._mono = event.mono
        lane = self._lanes.get(event.subject)
        moved = lane and _moved(lane, event)
        if lane is None or moved is None or moved is lane:
            return
        self._lanes[event.subject] = moved
        old, new = lane.standing, moved.standing
        self.done += (new == "done") - (old == "done")
        self.failed += (new == "failed") - (old == "failed")
        if new == "begun":
            self._under_way.setdefault(event.subject, moved.began or 0.0)
        else:
            self._under_way.pop(event.subject, None)

    def summary(self) -> str:
        """Count who has arrived."""
        return _summary(self.done, len(self._lanes), self.failed)

    def slowest(self, short: ShortName) -> str:
        """Name who has been on its way for longest; nothing when nobody is."""
        if not self._under_way:
            return ""
        address = min(self._under_way, key=self._under_way.__getitem__)
        since = max(0.0, self._mono - self._under_way[address])
        return f"; longest on its way: {neutral(short(address))}, {show_duration(since)}"


def is_counted(event: Event) -> bool:
    """Tell whether an event of a large apply is worth no more than a count: somebody has arrived."""
    return isinstance(event.body, StepEnded) and event.body.fault is None


def counted_line(tally: Tally, event: Event, short: ShortName = str) -> str | None:
    """Write an event of a large apply only where something failed or its phase changed; the others are counted.

    Give None for what need not be read.
    """
    body = event.body
    failed = isinstance(body, StepEnded | LifecycleEvent) and body.fault is not None
    if failed or isinstance(body, (*_PHASES, ApplyEnded)):
        return progress_line(event, short)
    return f"{tally.summary()}{tally.slowest(short)}" if is_counted(event) else None


def waiting_for(lane: Lane, lanes: Mapping[str, Lane]) -> tuple[str, ...]:
    """Name the providers of a lane that have not arrived yet."""
    return tuple(one for one in lane.needs if one in lanes and lanes[one].standing != "done")


def summary_line(picture: Picture) -> str:
    """Count who has arrived."""
    standing = [lane.standing for lane in picture.lanes.values()]
    return _summary(standing.count("done"), len(standing), standing.count("failed"))


def _summary(done: int, every: int, failed: int) -> str:
    return f"{done} of {every} done" + (f", {failed} failed" if failed else "")


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
