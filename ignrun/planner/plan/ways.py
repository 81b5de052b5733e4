"""Turns what differs in one instance into the mildest action that brings it into effect."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ignrun.planner.config.updates import asked_by
from ignrun.planner.graph.facets import is_own_gateway
from ignrun.planner.graph.model import Command, Edge, Hosted, InstanceSpec
from ignrun.planner.plan.model import Action, Change

STRENGTH: Final = ("no-op", "policy", "reload", "reconfigure", "rebind", "restart", "replace")
"""What can happen to an instance that was there before and stays, mildest first."""

Edges = tuple[list[Edge], list[Edge]]
"""The edges whose dependent an instance is, before and after."""


class Way(msgspec.Struct, frozen=True):
    """What happens to an instance: `slots` are those to be bound anew, `fixed` the changes of values that never change."""

    action: Action
    slots: tuple[str, ...] = ()
    fixed: tuple[Change, ...] = ()


def way_of(
    old: InstanceSpec, new: InstanceSpec, facets: Iterable[str], changes: tuple[Change, ...], edges: Edges
) -> Way:
    """Let the strongest facet decide, and within a config the strictest value."""
    facets = tuple(facets)
    asked = [(asked_by(new.updates, one.path[1:]), one) for one in changes if one.path[0] == "config"]
    fixed = tuple(change for how, change in asked if how == "never")
    if "identity" in facets or fixed:
        return Way("replace", fixed=fixed)
    ways = [Way(_RUNNER_ONLY[facet]) for facet in facets if facet in _RUNNER_ONLY]
    if "policy" in facets and _turned(old, new):
        ways.append(Way("restart"))
    if "config" in facets:
        ways.append(Way("restart" if any(how == "restart" for how, _ in asked) else in_place(new)))
    if "wiring" in facets:
        ways.append(_rewired(new, edges))
    return stronger(*ways, Way("no-op"))


_RUNNER_ONLY: Final[dict[str, Action]] = {"meta": "no-op", "policy": "policy"}


def stronger(*ways: Way) -> Way:
    """Give the strongest of several ways, with the slots of all of them where it binds anew."""
    strongest = max(ways, key=lambda way: STRENGTH.index(way.action))
    if strongest.action != "rebind":
        return strongest
    return msgspec.structs.replace(strongest, slots=tuple(dict.fromkeys(slot for way in ways for slot in way.slots)))


def in_place(spec: InstanceSpec) -> Action:
    """Say how an instance takes a new config or new files: in place where it can, else by a restart."""
    if isinstance(spec.body, Command):
        return "reload" if spec.body.reload else "restart"
    return "reconfigure" if has(spec.body, "reconfigure") else "restart"


def bound_anew(spec: InstanceSpec, slots: tuple[str, ...]) -> Way:
    """Say how an instance takes other providers."""
    return Way("rebind", slots) if has(spec.body, "rebind") else Way("restart")


def has(body: Hosted | Command, callback: str) -> bool:
    """Tell whether the source says that a class has a callback; what is not known is not there."""
    return isinstance(body, Hosted) and callback in (body.callbacks or ())


def _turned(old: InstanceSpec, new: InstanceSpec) -> bool:
    """Tell whether a command that runs becomes one that ends, or the other way round."""
    bodies = (old.body, new.body)
    return len({one.oneshot is None for one in bodies if isinstance(one, Command)}) > 1


def _rewired(spec: InstanceSpec, edges: Edges) -> Way:
    """Bind anew where a slot has another provider; else only the order changes, which the host or the runner alone keeps."""
    was, now = (_bound(side) for side in edges)
    slots = tuple(slot for slot in dict.fromkeys((*now, *was)) if was.get(slot) != now.get(slot))
    if slots:
        return bound_anew(spec, slots)
    if isinstance(spec.body, Hosted) and _ordered(edges[0]) != _ordered(edges[1]):
        return Way("rebind")
    return Way("policy")


def _bound(edges: list[Edge]) -> dict[str, list[Any]]:
    slots: dict[str, list[Any]] = {}
    for edge in edges:
        if edge.slot:
            slots.setdefault(edge.slot, [edge.many]).append(edge.provider)
    return slots


def _ordered(edges: list[Edge]) -> set[tuple[Any, ...]]:
    return {(one.kind, one.slot, one.provider, one.condition) for one in edges if not is_own_gateway(one)}
