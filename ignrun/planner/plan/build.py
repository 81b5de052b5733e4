"""Turns the running graph and the desired one into a Plan: what happens to each instance, in which order, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, assert_never

import msgspec

from ignrun.planner.graph.model import Command, Edge, Graph, Hosted, InstanceSpec
from ignrun.planner.graph.placement import placed
from ignrun.planner.graph.renamed import renames_of
from ignrun.planner.plan.changes import changes_of, facets_changed
from ignrun.planner.plan.model import (
    Action,
    Cause,
    Change,
    DependencyMoved,
    Edited,
    Plan,
    Planned,
    Renamed,
    Requested,
    Step,
)
from ignrun.planner.plan.refusals import refusals
from ignrun.planner.plan.ways import STRENGTH, Edges, Way, bound_anew, stronger, way_of
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.names import Address
from ignrun.terms.planning import Planning
from ignrun.terms.verdict import Verdict, examined, judge

ALONE: Final = Planning()
"""Nothing asked or allowed beyond what the manifest says."""
_FELT: Final = frozenset({"restart", "replace"})
"""What dependents feel: their calls wait, and an edge may ask them to follow."""
_UNFELT: Final = frozenset({"no-op", "policy"})
"""What the module itself does not notice."""
_RERUN: Final = Requested("`rerun: always`")
_ONCE_MORE: Final = Requested("a check of its own config")


def plan_and_place(
    running: Graph, desired: Graph, base: int, target: str, planning: Planning = ALONE
) -> Verdict[Planned]:
    """Compare two graphs and place everybody: what is created or replaced goes into fresh hosts, the rest stays where it runs."""
    verdict = build_plan(running, desired, base, target, planning)
    plan = examined(verdict)
    return judge(Planned(placed(desired, running, plan.fresh), plan), verdict.diagnostics)


def build_plan(running: Graph, desired: Graph, base: int, target: str, planning: Planning = ALONE) -> Verdict[Plan]:
    """Compare what runs with what is wanted: equal graphs give an empty plan, equal inputs the same plan to the byte.

    Steps come deletions first, dependents before their providers, then the others, providers before their dependents.
    `base` is the number of the running generation, `target` the digest of the desired one. Refused where a value changes that
    never does, unless `planning` allows it.
    """
    comparison = _Comparison(running, desired, planning)
    steps = (*comparison.deletions(), *comparison.others())
    count = Counter(step.action for step in steps)
    unchanged = len(desired.instances) - (len(steps) - count["delete"]) + count["no-op"]
    plan = Plan(base, target, steps, unchanged, _shared(running, steps), _edited(running, desired))
    return judge(plan, (*comparison.diagnostics, *refusals(plan, running, desired, planning)))


class _Comparison:
    """Goes through two graphs once; `moved` remembers what happens to whom, for those that depend on them."""

    def __init__(self, running: Graph, desired: Graph, planning: Planning) -> None:
        self._running, self._desired, self._planning = running, desired, planning
        self._before, self._after = _by_dependent(running), _by_dependent(desired)
        self._renames = renames_of(running, desired.rules.moved)
        self._former = {new: (old, span) for old, (new, span) in self._renames.items()}
        self._moved: dict[Address, Action] = {}
        self.diagnostics: list[Diagnostic] = []

    def deletions(self) -> Iterator[Step]:
        """Take away what is no longer wanted, dependents before their providers."""
        for address in reversed(self._running.instances):
            if address not in self._desired.instances:
                spec = self._running.instances[address]
                renamed = self._renames.get(address)
                cause = Renamed(*renamed) if renamed else Edited(spec.span)
                yield self._step(spec, Way("delete"), cause, ())

    def others(self) -> Iterator[Step]:
        """Create and change, providers before their dependents."""
        steps = {
            spec.address: step for spec in self._desired.instances.values() if (step := self._one(spec)) is not None
        }
        again = self._again() if self._does_something(steps.values()) else {}
        if self._planning.once_more:
            again |= self._once_more()
        both = again | {a: step for a, step in steps.items() if step.action != "no-op" or a not in again}
        yield from _interrupting(
            [both[address] for address in self._desired.instances if address in both], self._desired
        )

    def _does_something(self, steps: Iterable[Step]) -> bool:
        gone = self._running.instances.keys() - self._desired.instances.keys()
        return bool(gone) or any(step.action != "no-op" for step in steps)

    def _once_more(self) -> dict[Address, Step]:
        """Have everybody who can take his own config once more."""
        known = (spec for address, spec in self._desired.instances.items() if address in self._running.instances)
        ways = ((spec, way) for spec in known if (way := _takes_config(spec)) is not None)
        return {spec.address: self._step(spec, way, _ONCE_MORE, _own_config(spec)) for spec, way in ways}

    def _again(self) -> dict[Address, Step]:
        """Run anew what is to run with every apply that does something."""
        known = (spec for address, spec in self._desired.instances.items() if address in self._running.instances)
        return {spec.address: self._step(spec, Way("restart"), _RERUN, ()) for spec in known if _runs_always(spec)}

    def _one(self, spec: InstanceSpec) -> Step | None:
        step = self._changed(spec) if spec.address in self._running.instances else self._created(spec)
        if step is not None:
            self._moved[spec.address] = step.action
        return step

    def _created(self, spec: InstanceSpec) -> Step:
        renamed = self._former.get(spec.address)
        return self._step(spec, Way("create"), Renamed(*renamed) if renamed else Edited(spec.span), ())

    def _changed(self, spec: InstanceSpec) -> Step | None:
        old = self._running.instances[spec.address]
        edges = (self._before.get(spec.address, []), self._after.get(spec.address, []))
        facets = facets_changed(self._running, self._desired, spec.address)
        follow = self._follows(spec, edges[1])
        if not facets and follow is None:
            return None
        changes = changes_of(self._running, self._desired, spec.address, facets, edges)
        own = way_of(old, spec, facets, changes, edges)
        self._refuse(spec, own.fixed)
        cause = self._cause(spec, facets, changes, edges)
        if follow is None:
            return self._step(spec, own, cause, changes)
        if STRENGTH.index(follow[0].action) > STRENGTH.index(own.action):
            cause = DependencyMoved(follow[1])
        return self._step(spec, stronger(own, follow[0]), cause, changes)

    def _follows(self, spec: InstanceSpec, edges: list[Edge]) -> tuple[Way, Edge] | None:
        """Say what the edges ask for on which a provider moves, and name the first that asks for that much."""
        ways = [(self._way_along(spec, edge), edge) for edge in edges if self._moved.get(edge.provider) in _FELT]
        asked = [(way, edge) for way, edge in ways if way is not None]
        if not asked:
            return None
        whole = stronger(*(way for way, _ in asked))
        return whole, next(edge for way, edge in asked if way.action == whole.action)

    def _way_along(self, spec: InstanceSpec, edge: Edge) -> Way | None:
        match edge.on_change:
            case "none":
                return None
            case "rebind":
                return bound_anew(spec, (edge.slot,))
            case "restart":
                return Way("restart")
            case _:
                assert_never(edge.on_change)

    def _refuse(self, spec: InstanceSpec, fixed: tuple[Change, ...]) -> None:
        """Tell of each value that never changes, unless the operator allows that the instance is replaced."""
        if {spec.module, spec.address} & set(self._planning.allow_replace):
            return
        for change in fixed:
            shown = ".".join(map(str, change.path[1:]))
            summary = f"`{shown}` of module `{spec.module}` never changes while it is the same instance"
            hint = f"change it back, or replace the instance with `--allow-replace {spec.module}`"
            self.diagnostics.append(diagnose(change.span or spec.span, "IGN601", summary, hint=hint))

    def _cause(self, spec: InstanceSpec, facets: tuple[str, ...], changes: tuple[Change, ...], edges: Edges) -> Cause:
        """Point at the first changed value that has a place of its own, or at the provider that went away by itself."""
        if facets == ("wiring",):
            gone = next((edge for edge in edges[0] if edge.provider not in self._desired.instances), None)
            if gone is not None:
                return DependencyMoved(gone)
        return Edited(next((change.span for change in changes if change.span is not None), spec.span))

    def _step(self, spec: InstanceSpec, way: Way, cause: Cause, changes: tuple[Change, ...]) -> Step:
        running = self._running.instances.get(spec.address)
        host = running.body.host if running is not None and isinstance(running.body, Hosted) else ""
        final = spec.irreversible and way.action not in _UNFELT
        return Step(spec.address, way.action, cause, changes, slots=way.slots, irreversible=final, host=host)


def _own_config(spec: InstanceSpec) -> tuple[Change, ...]:
    """Give every value of a config as if it were new."""
    return tuple(Change(("config", key), value, value) for key, value in (spec.config.plain or {}).items())


def _takes_config(spec: InstanceSpec) -> Way | None:
    """Say how an instance takes a config while it runs; None where it does not, or nobody knows."""
    match spec.body:
        case Hosted(callbacks=callbacks) if callbacks is not None and "reconfigure" in callbacks:
            return Way("reconfigure")
        case Command(reload=reload) if reload is not None:
            return Way("reload")
        case _:
            return None


def _runs_always(spec: InstanceSpec) -> bool:
    oneshot = spec.body.oneshot if isinstance(spec.body, Command) else None
    return oneshot is not None and oneshot.rerun == "always"


def _by_dependent(graph: Graph) -> dict[Address, list[Edge]]:
    edges: dict[Address, list[Edge]] = {}
    for edge in graph.edges:
        edges.setdefault(edge.dependent, []).append(edge)
    return edges


def _interrupting(steps: Iterable[Step], desired: Graph) -> Iterator[Step]:
    """Name, with each step that dependents feel, those that stay up and wait for it."""
    steps = list(steps)
    felt = {step.address: list[Address]() for step in steps if step.action in _FELT}
    busy = felt.keys() | {step.address for step in steps if step.action == "create"}
    for edge in desired.edges if felt else ():
        if edge.provider in felt and edge.dependent not in busy and edge.kind != "after":
            felt[edge.provider].append(edge.dependent)
    for step in steps:
        waiting = tuple(dict.fromkeys(felt.get(step.address, ())))
        yield msgspec.structs.replace(step, interrupts=waiting) if waiting else step


def _shared(running: Graph, steps: Iterable[Step]) -> dict[str, tuple[Address, ...]]:
    """List who shares each host that runs somebody with a step which the module notices."""
    hosts = {step.host: list[Address]() for step in steps if step.host and step.action not in _UNFELT}
    for spec in running.instances.values() if hosts else ():
        if isinstance(spec.body, Hosted) and spec.body.host in hosts:
            hosts[spec.body.host].append(spec.address)
    return {host: tuple(mates) for host, mates in hosts.items() if len(mates) > 1}


def _edited(running: Graph, desired: Graph) -> bool:
    """Tell whether the texts differ in which what runs, and is wanted, is written."""
    before = {spec.span.digest for spec in running.instances.values()}
    return bool(before) and before != {spec.span.digest for spec in desired.instances.values()}
