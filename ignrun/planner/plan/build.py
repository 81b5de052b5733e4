"""Turns the running graph and the desired one into a Plan: what happens to each instance, in which order, and why."""

from collections import Counter

from ignrun.planner.graph.model import Edge, Graph, InstanceSpec
from ignrun.planner.plan.changes import changes_of, facets_changed
from ignrun.planner.plan.model import Action, Cause, Change, DependencyMoved, Edited, Plan, Step
from ignrun.terms.names import Address
from ignrun.terms.verdict import Accepted, Verdict


def build_plan(running: Graph, desired: Graph, base: int, target: str) -> Verdict[Plan]:
    """Compare what runs with what is wanted: equal graphs give an empty plan, equal inputs the same plan to the byte.

    Steps come deletions first, dependents before their providers, then the others, providers before their dependents.
    `base` is the number of the running generation, `target` the digest of the desired one.
    """
    steps = [Step(address, "delete", Edited(running.instances[address].span)) for address in _gone(running, desired)]
    before, after = _by_dependent(running), _by_dependent(desired)
    moved: dict[Address, Action] = {}
    for address, spec in desired.instances.items():
        edges = (before.get(address, []), after.get(address, []))
        step = _step(running, desired, spec, edges, moved)
        if step is not None:
            moved[address] = step.action
            steps.append(step)
    count = Counter(step.action for step in steps)
    unchanged = len(desired.instances) - (len(steps) - count["delete"]) + count["no-op"]
    return Accepted(Plan(base, target, tuple(steps), unchanged))


def _gone(running: Graph, desired: Graph) -> list[Address]:
    return [address for address in reversed(running.instances) if address not in desired.instances]


def _by_dependent(graph: Graph) -> dict[Address, list[Edge]]:
    edges: dict[Address, list[Edge]] = {}
    for edge in graph.edges:
        edges.setdefault(edge.dependent, []).append(edge)
    return edges


def _step(
    running: Graph,
    desired: Graph,
    spec: InstanceSpec,
    edges: tuple[list[Edge], list[Edge]],
    moved: dict[Address, Action],
) -> Step | None:
    if spec.address not in running.instances:
        return Step(spec.address, "create", Edited(spec.span))
    facets = facets_changed(running, desired, spec.address)
    action = _action(facets)
    follows = _asks_to_follow(edges[1], moved) if action == "no-op" else None
    if follows is not None:
        return Step(spec.address, "restart", DependencyMoved(follows))
    if not facets:
        return None
    changes = changes_of(running, desired, spec.address, facets, edges)
    return Step(spec.address, action, _cause(spec, changes), changes)


def _action(facets: tuple[str, ...]) -> Action:
    """Let the strongest facet decide; in place comes with the transaction (issue 5), until then what differs restarts."""
    if "identity" in facets:
        return "replace"
    return "no-op" if set(facets) <= {"meta"} else "restart"


def _cause(spec: InstanceSpec, changes: tuple[Change, ...]) -> Cause:
    """Point at the first changed value that has a place of its own."""
    return Edited(next((change.span for change in changes if change.span is not None), spec.span))


def _asks_to_follow(edges: list[Edge], moved: dict[Address, Action]) -> Edge | None:
    """Find an edge on which this instance is to move with its provider; until `rebind` is known, it restarts."""
    return next(
        (edge for edge in edges if edge.on_change != "none" and moved.get(edge.provider) in {"restart", "replace"}),
        None,
    )
