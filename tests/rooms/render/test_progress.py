"""Holds the progress of an apply to what its events tell."""

import io

from ignrun.cli.progress import _Counted
from ignrun.planner.plan.model import Edited, Plan, Step
from ignrun.render.names import short_names
from ignrun.render.progress import (
    Lane,
    Picture,
    Tally,
    counted_line,
    picture_of,
    progress_line,
    progress_table,
    summary_line,
    told,
    waiting_for,
)
from ignrun.terms import events as kinds
from ignrun.terms.events import Event
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import Health, ModuleState
from tests.rooms.render.plants import AT, LINE, at_line

PLAN = Plan(0, "", tuple(Step(address, "create", Edited(at_line(1))) for address in LINE.instances), 0)


def event(subject, body, mono=1.0) -> Event:
    return Event(1, AT, mono, subject, 1, body)


def drawn(*events):
    picture = picture_of(PLAN, LINE)
    for one in events:
        picture = told(picture, one)
    return picture


def text_of(table) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=120).print(table)
    return out.getvalue()


def test_a_lane_waits_for_those_that_have_not_arrived() -> None:
    picture = drawn(event("tags@gateway", kinds.StepEnded(1, "create")))
    assert waiting_for(picture.lanes["historian@gateway"], picture.lanes) == ("schema@gateway",)


def test_done_and_failed_are_counted() -> None:
    fault = Fault(FaultKind.RAISED, "no")
    picture = drawn(
        event("tags@gateway", kinds.StepEnded(1, "create")),
        event("schema@gateway", kinds.StepEnded(1, "create", fault)),
    )
    assert summary_line(picture) == "1 of 4 done, 1 failed"


def test_the_table_shows_elapsed_time_and_whom_a_module_waits_for() -> None:
    picture = drawn(event("historian@gateway", kinds.StepBegan(1, "create"), 10.0))
    line = next(
        line for line in text_of(progress_table(picture, mono=12.5, rows=9)).splitlines() if "historian" in line
    )
    assert "2.5s" in line
    assert "tags, schema" in line


def test_a_large_apply_shows_those_that_are_not_done_first() -> None:
    picture = drawn(*(event(address, kinds.StepEnded(1, "create")) for address in list(LINE.instances)[:3]))
    text = text_of(progress_table(picture, mono=1.0, rows=1))
    assert "web" in text


def test_events_of_others_change_nothing() -> None:
    assert drawn(event("stranger@gateway", kinds.StepBegan(1, "create"))).lanes == drawn().lanes


def test_plain_lines_tell_one_fact_each_and_leave_out_what_nobody_waits_for() -> None:
    running = kinds.LifecycleEvent(ModuleState.STARTING, ModuleState.RUNNING, "startup returned")
    starting = kinds.LifecycleEvent(ModuleState.INITIALIZED, ModuleState.STARTING, "")
    assert progress_line(event("web@gateway", running)) == "web@gateway: starting -> running: startup returned"
    assert progress_line(event("web@gateway", starting)) is None
    assert progress_line(event("web@gateway", kinds.StepEnded(1, "create"))) is None
    assert progress_line(event("", kinds.ApplyBegan(1, "", "cli", 4))) == "apply 1 began: 4 steps, asked for by cli"
    assert progress_line(event("web@gateway", kinds.HealthChanged(Health.UNKNOWN, Health.HEALTHY))) is not None


def test_a_terminal_says_how_many_are_not_shown_and_what_the_apply_is_at() -> None:
    picture = drawn(event("", kinds.SoakBegan(1, 10.0)))
    text = text_of(progress_table(picture, mono=1.0, rows=1))
    assert "0 of 4 done; 3 not shown; " in text
    assert "10s" in text


CROWD = Picture({f"m{number}@gateway": Lane(f"m{number}@gateway", "create") for number in range(1000)})


def test_a_thousand_that_arrive_are_counted_and_one_that_fails_is_told_at_once() -> None:
    said: list[str] = []
    crowd = _Counted(CROWD, short_names(CROWD.lanes), said.append)
    fault = Fault(FaultKind.RAISED, "port 80 is taken")
    for number, address in enumerate(CROWD.lanes):
        began = number / 200
        crowd.tell(event(address, kinds.StepBegan(1, "create"), began))
        crowd.tell(event(address, kinds.StepEnded(1, "create", fault if number == 500 else None), began + 0.5))
    assert "m500: create failed: port 80 is taken" in said
    assert said[-1] == "999 of 1000 done, 1 failed"
    assert len(said) < 12


def test_a_count_names_who_has_been_on_its_way_for_longest() -> None:
    tally = Tally(drawn(event("tags@gateway", kinds.StepBegan(1, "create"), 1.0)))
    tally.tell(event("web@gateway", kinds.StepBegan(1, "create"), 2.0))
    tally.tell(ended := event("schema@gateway", kinds.StepEnded(1, "create"), 5.0))
    assert counted_line(tally, ended) == "1 of 4 done; longest on its way: tags@gateway, 4s"


def test_a_tally_counts_what_a_picture_shows() -> None:
    fault = Fault(FaultKind.RAISED, "no")
    told_of = (
        event("tags@gateway", kinds.StepBegan(1, "create")),
        event("tags@gateway", kinds.StepEnded(1, "create", fault)),
        event("tags@gateway", kinds.StepEnded(1, "create")),
        event("web@gateway", kinds.StepBegan(1, "create")),
        event("schema@gateway", kinds.StepEnded(1, "create")),
        event("schema@gateway", kinds.StepBegan(1, "create")),
        event("stranger@gateway", kinds.StepBegan(1, "create")),
    )
    tally = Tally(drawn())
    for count, one in enumerate(told_of, 1):
        tally.tell(one)
        assert tally.summary() == summary_line(drawn(*told_of[:count])) == Tally(drawn(*told_of[:count])).summary()
