"""Turns a plan into the reasons for which it may not be carried out as it is: too much deleted, something still needed, a stale base."""

from collections.abc import Iterator

from ignrun.planner.graph.facets import digest_of_content
from ignrun.planner.graph.model import Graph
from ignrun.planner.plan.model import Plan, Renamed, Step
from ignrun.terms.diagnostics import Diagnostic, Note, diagnose
from ignrun.terms.planning import Expected, Planning
from ignrun.terms.spans import Span


def refusals(plan: Plan, running: Graph, desired: Graph, planning: Planning) -> Iterator[Diagnostic]:
    """Say what stands against a plan; `running` is the graph that it compares with, `desired` the one that it leads to."""
    deleted = [step for step in plan.steps if step.action == "delete"]
    yield from _still_needed(deleted, running, desired)
    lost = [step for step in deleted if not isinstance(step.cause, Renamed)]
    if not planning.allow_mass_delete and 2 * len(lost) > len(running.instances):
        yield _too_many(lost, running)
    if planning.expected is not None:
        yield from _stale(plan, desired, planning.expected)


def _still_needed(deleted: list[Step], running: Graph, desired: Graph) -> Iterator[Diagnostic]:
    """Refuse to delete what somebody who stays requires: a plan limited to some modules can come to that."""
    gone = {step.address for step in deleted}
    for edge in desired.edges if gone else ():
        if edge.kind == "requires" and edge.provider in gone:
            notes = (Note(f"`{edge.dependent}` requires it", edge.span),)
            span = running.instances[edge.provider].span
            yield diagnose(span, "IGN604", f"`{edge.provider}` would be deleted and is still required", notes=notes)


def _too_many(deleted: list[Step], running: Graph) -> Diagnostic:
    span = running.instances[deleted[0].address].span
    whole = len(deleted) == len(running.instances)
    what = f"all {len(deleted)} instances" if whole else f"{len(deleted)} of {len(running.instances)} instances"
    hint = "look at the manifest, its includes and modes; `--allow-mass-delete` goes on"
    return diagnose(span, "IGN603", f"the plan deletes {what}", hint=hint)


def _stale(plan: Plan, desired: Graph, expected: Expected) -> Iterator[Diagnostic]:
    if expected.base not in (None, plan.base):
        summary = f"the plan is stale: it compares with generation {expected.base}, {plan.base} is in force"
    elif expected.content != digest_of_content(desired):
        summary = "the plan is stale: the manifest, or what belongs to it, has changed since"
    else:
        return
    yield diagnose(Span.of_file(expected.file), "IGN602", summary, hint="plan again, look at it, and apply that")
