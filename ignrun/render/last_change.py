"""Turns the generation that was last to change an instance into the chain from the place in a file to the outcome."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from ignrun.render.history import GenerationReport, generation_report
from ignrun.render.names import ShortName
from ignrun.render.plan import ChangeReport, change_text, plan_report
from ignrun.render.status_report import FaultStatus

if TYPE_CHECKING:
    from ignrun.runtime.journal.generations import Generation


class StepTaken(msgspec.Struct, frozen=True):
    """One step of the plan and what came of it: `is_done` once it was carried out, `fault` where it failed or did not hold."""

    change: ChangeReport
    is_done: bool
    fault: FaultStatus | None


class LastChange(msgspec.Struct, frozen=True):
    """The generation whose plan last had a step for an instance, and how its apply ended.

    `steps` begin with the one that was behind the others, go on to the instance's own, and end with those that followed from it.
    """

    generation: GenerationReport
    steps: tuple[StepTaken, ...]


def last_change(generation: "Generation", address: str, current: int, good: int) -> LastChange:
    """Pick from a generation, whose plan has a step for `address`, the steps that lead to that one and those that follow from it."""
    changes = {change.address: change for change in plan_report(generation.content.plan).changes}
    leading = _leading(changes, address)
    steps = tuple(_taken(generation, changes[one]) for one in (*leading, *_following(changes, leading)))
    return LastChange(generation_report(generation.entry, current, good), steps)


def _leading(changes: Mapping[str, ChangeReport], address: str) -> list[str]:
    """Follow the causes back to the step that has none in the plan; that one first, `address` last."""
    chain = [address]
    while (behind := changes[chain[0]].caused_by or "") in changes and behind not in chain:
        chain.insert(0, behind)
    return chain


def _following(changes: Mapping[str, ChangeReport], leading: list[str]) -> list[str]:
    """Name those that move because of the last of the chain, at one or more removes."""
    reached = [leading[-1]]
    for each in reached:
        reached += [
            one for one, change in changes.items() if change.caused_by == each and one not in (*reached, *leading)
        ]
    return reached[1:]


def _taken(generation: "Generation", change: ChangeReport) -> StepTaken:
    from ignrun.render.status import fault_status

    results = [one for one in generation.steps if one.address == change.address]
    faults = [one.fault for one in results if one.fault] or [
        fault for address, fault in generation.faults.items() if address == change.address
    ]
    return StepTaken(change, any(one.fault is None for one in results), fault_status(faults[-1]) if faults else None)


def last_change_lines(story: LastChange, short: ShortName, shown_file: Callable[[str], str] = str) -> list[str]:
    """Write the generation, each step with its cause and what came of it, and the outcome; `shown_file` writes a path."""
    made = story.generation
    lines = [f"last change: generation {made.number}, {made.at:%Y-%m-%d %H:%M:%S} UTC, {made.author} by {made.trigger}"]
    for step in story.steps:
        lines += [*change_text(step.change, short, shown_file).split("\n"), f"      {_came_of(step)}"]
    outcome = made.result or "under way"
    return [*lines, f"  {outcome}: {made.summary}" if made.summary else f"  {outcome}"]


def _came_of(step: StepTaken) -> str:
    if step.fault:
        return f"failed: {step.fault.summary}"
    return "done" if step.is_done else "not carried out, or nothing is known of it"
