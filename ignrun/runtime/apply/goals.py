"""Decides what an apply whose intent is durable asks of everybody: what to become and how; supervision does the rest."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from ignrun.planner.graph.model import Command, Graph, InstanceSpec
from ignrun.runtime.apply.holds import is_held_down
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise import policy
from ignrun.runtime.supervise.conditions import at_rest, is_leaving
from ignrun.runtime.supervise.draft import host_of
from ignrun.runtime.supervise.roster import Goal, InPlace, Instance
from ignrun.terms.names import Address
from ignrun.terms.states import ModuleState

IN_PLACE: Final = frozenset({"reconfigure", "rebind", "reload"})
"""Actions after which the incarnation is the same one as before."""


def set_goals(turn: Turn) -> None:
    """Have everybody become what the open transaction brings."""
    transaction, desired, alone = turn.transaction, turn.desired, turn.staying_alone
    rewire(turn, transaction.proposal.graph)
    turn.draft.set_alone({a: why for a, why in alone.items() if a in desired.instances})
    for address, spec in desired.instances.items():
        set_goal(turn, address, spec)
    for address in [a for a in turn.draft.instances if a not in desired.instances]:
        leaving = turn.draft.instances[address]
        turn.draft.put(replace(leaving, goal=Goal.GONE, next_spec=None, in_place=None))
    turn.draft.touched.update(dict.fromkeys(transaction.steps))
    turn.draft.dirty_hosts.update(dict.fromkeys(turn.draft.hosts))


def rewire(turn: Turn, graph: Graph) -> None:
    """Let leaving instances keep the graph that they run under, also those still left over from an apply before."""
    state = turn.state
    former = turn.draft.graph
    lingering = {
        address: instance.spec
        for address, instance in turn.draft.instances.items()
        if address not in state.graph.instances or instance.next_spec is not None or instance.in_place is not None
    }
    if not lingering:
        turn.change(previous=former, graph=graph)
        return
    edges = tuple(edge for edge in state.previous.edges if edge.dependent in lingering)
    others = tuple(edge for edge in state.graph.edges if edge.dependent not in lingering)
    turn.change(previous=Graph(state.graph.plant, {**former.instances, **lingering}, (*edges, *others)), graph=graph)


def set_goal(turn: Turn, address: Address, spec: InstanceSpec) -> None:
    """Say what one instance is to become, and in which way."""
    draft, transaction = turn.draft, turn.transaction
    present = draft.instances.get(address)
    if present is None:
        draft.put(_created(turn, spec))
        return
    action = transaction.actions.get(address, "")
    goal = _goal(turn, present)
    if action in IN_PLACE and changes_in_place(present, spec):
        plan = InPlace(spec, transaction.paths.get(address, ()), transaction.slots.get(address, ()))
        draft.put(replace(present, goal=goal, in_place=plan))
    elif action in ("", "start", "policy"):
        take_words(turn, present, spec, goal)
    else:
        draft.put(replace(present, goal=goal, next_spec=spec, in_place=None))


def changes_in_place(present: Instance, spec: InstanceSpec) -> bool:
    """Tell whether an instance stays where it is while it becomes `spec`; one on its way up begins anew instead."""
    leaves = present.stopping or present.next_spec is not None or is_leaving(replace(present, goal=Goal.UP))
    is_up = at_rest(present) or present.state in (ModuleState.RUNNING, ModuleState.MAINTENANCE)
    return is_up and not leaves and host_of(present) == host_of(replace(present, spec=spec))


def take_words(turn: Turn, present: Instance, spec: InstanceSpec, goal: Goal) -> None:
    """Let an instance that is not called take the new words of its spec, if they leave what runs as it is."""
    draft = turn.draft
    if present.in_place is not None and not present.in_place.change:
        draft.put(replace(present, goal=goal, in_place=replace(present.in_place, spec=spec)))
    elif present.next_spec is None and present.in_place is None and stays_put(spec, present.spec):
        policy.take(draft, replace(present, goal=goal), spec)
    elif present.next_spec is not None:
        draft.put(replace(present, goal=goal, next_spec=spec))
    elif goal is not present.goal:
        draft.put(replace(present, goal=goal))


def stays_put(spec: InstanceSpec, present: InstanceSpec) -> bool:
    """Tell whether a spec says of what runs only what it is already: the same code in the same place."""
    where = host_of(Instance(spec)) == host_of(Instance(present))
    return where and spec.facets.identity == present.facets.identity


def _created(turn: Turn, spec: InstanceSpec) -> Instance:
    held_by = turn.state.holds.get(spec.address, "")
    goal = Goal.DOWN if turn.transaction.no_start or held_by or is_by_hand(spec) else Goal.UP
    cause = "stopped by hand" if held_by else "to be started by hand" if is_by_hand(spec) else ""
    was = turn.transaction.before.get(spec.address)  # deleted since what is good: no two incarnations have one number
    return Instance(spec, goal, since=turn.now.mono, epoch=was.epoch if was else 0, held_by=held_by, cause=cause)


def _goal(turn: Turn, present: Instance) -> Goal:
    by_hand = is_by_hand(present.spec) and at_rest(present)
    rests = by_hand or is_held_down(present) or (turn.transaction.no_start and present.goal is Goal.DOWN)
    return Goal.DOWN if rests else Goal.UP


def is_by_hand(spec: InstanceSpec) -> bool:
    """Tell whether a oneshot runs only when an operator starts it."""
    oneshot = spec.body.oneshot if isinstance(spec.body, Command) else None
    return oneshot is not None and oneshot.rerun == "manual"


def as_they_are(turn: Turn, addresses: Iterable[Address]) -> dict[Address, Instance | None]:
    """Remember what everybody is now, None for who is not there; who was changed since the last good generation, as it was then."""
    since = turn.transaction.follows.before if turn.transaction.follows else turn.state.since_good
    return {**{address: turn.draft.instances.get(address) for address in addresses}, **since}
