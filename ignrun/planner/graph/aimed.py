"""Turns a desired graph into one that differs from what runs in some modules, and what they require, only."""

from collections.abc import Iterable

from msgspec.structs import replace

from ignrun.planner.graph.model import Edge, Graph
from ignrun.planner.graph.order import ordered
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.hints import did_you_mean
from ignrun.terms.names import Address
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Verdict, judge


def aimed(desired: Graph, running: Graph, targets: Iterable[str]) -> Verdict[Graph]:
    """Keep all but the targets (modules or addresses, all where none is named) and what they require as they run."""
    targets = tuple(targets)
    if not targets:
        return judge(desired, ())
    unknown = [one for one in targets if not _named(one, desired) | _named(one, running)]
    if unknown:
        return judge(desired, tuple(_stranger(one, desired, running) for one in unknown))
    chosen = _with_required({address for one in targets for address in _named(one, desired)}, desired)
    deleted = {address for one in targets for address in _named(one, running)} - desired.instances.keys()
    instances = {address: spec for address, spec in running.instances.items() if address not in deleted}
    instances |= {address: desired.instances[address] for address in desired.instances if address in chosen}
    edges = (*_edges(desired, chosen, instances), *_edges(running, instances.keys() - chosen, instances))
    order, stuck = ordered(tuple(instances), edges)
    place = {address: number for number, address in enumerate((*order, *stuck))}
    sound = {address: instances[address] for address in place}
    graph = replace(
        desired,
        instances=sound,
        edges=tuple(sorted(edges, key=lambda edge: place.get(edge.dependent, 0))),
        secrets=tuple(sorted({*desired.secrets, *running.secrets})),
        fingerprints=running.fingerprints | desired.fingerprints,
        rules=running.rules if running.instances else desired.rules,
    )
    return judge(graph, ())


def _named(name: str, graph: Graph) -> set[Address]:
    return {address for address, spec in graph.instances.items() if name in {address, spec.module}}


def _with_required(chosen: set[Address], graph: Graph) -> set[Address]:
    providers: dict[Address, list[Address]] = {}
    for edge in graph.edges:
        if edge.kind == "requires":
            providers.setdefault(edge.dependent, []).append(edge.provider)
    todo = list(chosen)
    while todo:
        new = [one for one in providers.get(todo.pop(), ()) if one not in chosen]
        chosen |= set(new)
        todo += new
    return chosen


def _edges(graph: Graph, whose: Iterable[Address], known: Iterable[Address]) -> list[Edge]:
    """Give the edges of some instances, but for those to nobody; one that is required by somebody is refused later."""
    whose, known = set(whose), set(known)
    return [one for one in graph.edges if one.dependent in whose and (one.provider in known or one.kind == "requires")]


def _stranger(name: str, desired: Graph, running: Graph) -> Diagnostic:
    known = {spec.module for graph in (desired, running) for spec in graph.instances.values()}
    return diagnose(Span.of_file("--target"), "IGN301", f"there is no module `{name}`", hint=did_you_mean(name, known))
