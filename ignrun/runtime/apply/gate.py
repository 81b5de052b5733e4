"""Decides who has reached what an apply asks of them, who never will, and when all of them are settled."""

from collections.abc import Iterable

from ignrun.planner.graph.model import Command, Hosted
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.conditions import (
    Standing,
    at_rest,
    has_failed,
    is_leaving,
    is_maintained,
    is_sick,
    meets,
    standing,
)
from ignrun.runtime.supervise.draft import Draft, host_of
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.events import StepEnded
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from ignrun.terms.states import Condition, ModuleState

Judgement = Fault | bool
"""A fault: it will not get there; True: it is where it should be; False: on its way."""


def judge(instance: Instance | None) -> Judgement:
    """Tell how an instance stands towards its gate; one that is gone, or meant to rest, has nothing to reach."""
    if instance is None:
        return True
    if instance.goal is not Goal.UP:
        return instance.goal is Goal.DOWN and at_rest(instance) and instance.next_spec is None
    if is_maintained(instance):
        return True
    if is_leaving(instance):
        return False
    if instance.spec.gate == "none":
        return True
    fault = _fault(instance)
    if fault is not None:
        return fault
    return meets(Condition.HEALTHY if instance.spec.gate == "healthy" else Condition.STARTED, instance)


def _fault(instance: Instance) -> Fault | None:
    if has_failed(instance):
        return instance.fault
    if instance.upstream:
        return Fault(FaultKind.UPSTREAM, f"skipped: upstream {instance.upstream}", upstream=instance.upstream)
    if is_sick(instance) and instance.spec.gate == "healthy":
        return Fault(FaultKind.UNHEALTHY, f"unhealthy: {instance.health_reason}", callback="check_health")
    return None


def faults_of(draft: Draft, addresses: Iterable[Address]) -> dict[Address, Fault]:
    """Name every instance among `addresses` that cannot run now, with its fault."""
    judged = ((address, judge(draft.instances.get(address))) for address in addresses)
    return {address: found for address, found in judged if isinstance(found, Fault)}


def settle(turn: Turn) -> bool:
    """Judge anew who was touched in this turn; tell whether everybody has settled now."""
    transaction = turn.transaction
    touched = [address for address in turn.draft.touched if address in transaction.members]
    if touched:
        ended, faults = set(transaction.ended), dict(transaction.faults)
        for address in touched:
            found = judge(turn.draft.instances.get(address))
            faults.pop(address, None)
            if isinstance(found, Fault):
                faults[address] = found
            if found is False:
                ended.discard(address)
            else:
                ended.add(address)
        _tell(turn, touched, ended, faults)
        transaction = turn.change_transaction(ended=frozenset(ended), faults=faults)
    return len(transaction.ended) == len(transaction.members)


def _tell(turn: Turn, touched: list[Address], ended: set[Address], faults: dict[Address, Fault]) -> None:
    before = turn.transaction
    for address in touched:
        newly = address in ended and (address not in before.ended or before.faults.get(address) != faults.get(address))
        if newly:
            turn.record(StepEnded(before.number, before.actions[address], faults.get(address)), address)


def give_up(turn: Turn) -> None:
    """Count everybody who has not settled by the deadline as failed, naming what they wait for."""
    transaction = turn.transaction
    late = [address for address in transaction.members if address not in transaction.ended]
    faults = {address: _too_late(turn.draft, address) for address in late}
    for address, fault in faults.items():
        turn.record(StepEnded(transaction.number, transaction.actions[address], fault), address)
    turn.change_transaction(ended=transaction.members, faults={**transaction.faults, **faults})


def _too_late(draft: Draft, address: Address) -> Fault:
    return Fault(FaultKind.TIMED_OUT, f"not done when the deadline of the apply came: {_what_for(draft, address)}")


def _what_for(draft: Draft, address: Address) -> str:
    instance = draft.instances.get(address)
    if instance is None:
        return "it was gone"
    if is_leaving(instance):
        return f"it waits for its own stop ({instance.state.value})"
    for edge in draft.needs(instance):
        if standing(edge, draft.instances.get(edge.provider)) is not Standing.MET:
            return f"it waits for {edge.provider}"
    if instance.fault is not None:
        return instance.fault.summary
    return _own(draft, instance)


def _own(draft: Draft, instance: Instance) -> str:
    body = instance.spec.body
    match body:
        case Hosted() if at_rest(instance):
            record = draft.hosts.get(host_of(instance) or body.host)
            return f"it waits for host {body.host} ({record.phase.value if record else 'absent'})"
        case Hosted() | Command() if instance.state is ModuleState.RUNNING:
            return "it waits for its health checks"
        case _:
            return f"it is {instance.state.value}"
