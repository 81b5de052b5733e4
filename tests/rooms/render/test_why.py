"""Holds the last change of `ignrun why` to the chain from a place in a file over the steps to the outcome."""

from datetime import UTC, datetime, timedelta

import msgspec

from ignrun.manifest.model import ApplyPolicy
from ignrun.planner.plan.model import Change, DependencyMoved, Edited, Plan, Step
from ignrun.planner.proposal import Proposal
from ignrun.render.last_change import last_change, last_change_lines
from ignrun.render.names import short_names
from ignrun.runtime.journal.generations import Generation, HistoryEntry, StepResult
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from tests.rooms.render.plants import FILE, at_line, graph_of, hosted, needs

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
SOURCE, STORE, PAGE, OTHER = (Address(f"{name}@gateway") for name in ("source", "store", "page", "other"))


def moved(dependent: Address, provider: Address, line: int) -> DependencyMoved:
    return DependencyMoved(msgspec.structs.replace(needs(dependent, provider), span=at_line(line)))


STEPS = (
    Step(SOURCE, "restart", Edited(at_line(7)), (Change(("config", "port"), 1, 2),)),
    Step(STORE, "restart", moved(STORE, SOURCE, 9)),
    Step(PAGE, "rebind", moved(PAGE, STORE, 12)),
    Step(OTHER, "create", Edited(at_line(20))),
)


def generation(results: tuple[StepResult, ...], result: str, faults: dict[Address, Fault] | None = None) -> Generation:
    graph = graph_of(*(hosted(address) for address in (SOURCE, STORE, PAGE, OTHER)))
    content = Proposal("line", graph, Plan(3, "t4", STEPS, 0), "t4", (), {}, (), ApplyPolicy())
    entry = HistoryEntry(4, 3, "t4", "watch", "ann", AT, AT + timedelta(seconds=2), result, "back to generation 3")
    return Generation(entry, content, results, faults or {})


def told(address: Address, made: Generation) -> list[str]:
    return last_change_lines(last_change(made, address, 3, 3), short_names([SOURCE, STORE, PAGE, OTHER]))


def test_the_chain_begins_with_the_edit_that_dragged_a_module_along_and_ends_with_who_followed_it() -> None:
    busy = Fault(FaultKind.RAISED, "the port is taken")
    results = (StepResult(SOURCE, "restart", AT), StepResult(STORE, "restart", AT, busy))
    lines = told(STORE, generation(results, "rolled-back"))
    assert lines[0] == "last change: generation 4, 2026-05-04 03:02:01 UTC, ann by watch"
    assert [line.split() for line in lines[1:]] == [
        ["^", "source", "restart"],
        ["edited", "at", f"{FILE}:7:3"],
        ["port:", "1", "->", "2"],
        ["done"],
        ["^", "store", "restart"],
        ["because", "`source`", "moves,", "at", f"{FILE}:9:3"],
        ["failed:", "the", "port", "is", "taken"],
        ["=", "page", "rebind"],
        ["because", "`store`", "moves,", "at", f"{FILE}:12:3"],
        ["not", "carried", "out,", "or", "nothing", "is", "known", "of", "it"],
        ["rolled-back:", "back", "to", "generation", "3"],
    ]


def test_nobody_is_in_the_chain_who_has_nothing_to_do_with_it() -> None:
    lines = told(OTHER, generation((StepResult(OTHER, "create", AT),), "committed"))
    assert not any(name in line for line in lines for name in ("source", "store", "page"))


def test_a_step_that_was_done_and_did_not_hold_has_failed() -> None:
    sick = Fault(FaultKind.UNHEALTHY, "unhealthy: too hot")
    story = last_change(generation((StepResult(OTHER, "create", AT),), "rolled-back", {OTHER: sick}), OTHER, 3, 3)
    (step,) = story.steps
    assert step.is_done
    assert step.fault is not None
    assert step.fault.summary == "unhealthy: too hot"


def test_an_apply_that_has_not_ended_is_under_way() -> None:
    made = generation((), "")
    assert told(OTHER, made)[-1].startswith("  under way")
