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
from ignrun.terms.events import StepBegan, StepEnded
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
    if instance.in_place is not None:
        return instance.in_place.fault or False
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
    _note_begun(turn)
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
    _note_vetoes(turn)
    return len(transaction.ended) == len(transaction.members)


def _note_begun(turn: Turn) -> None:
    """Tell of each step whose first order leaves in this turn."""
    transaction = turn.transaction
    touched = (a for a in turn.draft.touched if a in transaction.actions and a not in transaction.begun)
    begun = [a for a in touched if is_begun(transaction.before.get(a), turn.draft.instances.get(a))]
    for address in begun:
        turn.record(StepBegan(transaction.number, transaction.actions[address]), address)
    if begun:
        turn.change_transaction(begun=transaction.begun.union(begun))


def is_begun(before: Instance | None, now: Instance | None) -> bool:
    """Tell whether anything was ordered of an instance since it was as `before`."""
    if now is None or before is None:
        return before is not now and (now is None or now.epoch > 0 or now.fault is not None)
    if now.in_place is not None and now.in_place.change:
        return True
    return _position(before) != _position(now) or now.spec is not before.spec


def _position(instance: Instance) -> tuple[object, ...]:
    return instance.epoch, instance.revised, instance.stopping, instance.ordered, instance.pid


def _note_vetoes(turn: Turn) -> None:
    """Count who was well and is not touched by the apply, and fails while it goes on."""
    transaction = turn.transaction
    vetoes = {}
    for address in turn.draft.touched:
        instance = turn.draft.instances.get(address)
        speaks = instance is not None and address in transaction.well and address not in transaction.faults
        if instance is not None and speaks and (fault := _sickness(instance)):
            vetoes[address] = fault
    if vetoes:
        turn.change_transaction(faults={**transaction.faults, **vetoes})


def _sickness(instance: Instance) -> Fault | None:
    """Say how one that nobody wanted to change has failed; None where it has not, or only waits for somebody else."""
    if instance.goal is not Goal.UP or is_maintained(instance) or is_leaving(instance):
        return None
    if instance.state is ModuleState.ERROR:
        fault = instance.fault or Fault(FaultKind.EXITED, instance.statistics.last_error or instance.cause)
        return None if fault.kind in (FaultKind.UPSTREAM, FaultKind.NOT_READY) else fault
    if is_sick(instance):
        return Fault(FaultKind.UNHEALTHY, f"unhealthy: {instance.health_reason}", callback="check_health")
    return None


def who_is_well(turn: Turn, members: frozenset[Address]) -> frozenset[Address]:
    """Name everybody but the members who does his work now: whoever of them fails while an apply goes on speaks against it."""
    return frozenset(a for a, i in turn.draft.instances.items() if a not in members and _is_well(i))


def _is_well(instance: Instance) -> bool:
    if instance.goal is not Goal.UP or is_maintained(instance):
        return False
    return instance.completed or (instance.state is ModuleState.RUNNING and not is_sick(instance))


def _tell(turn: Turn, touched: list[Address], ended: set[Address], faults: dict[Address, Fault]) -> None:
    before = turn.transaction
    for address in touched:
        newly = address in ended and (address not in before.ended or before.faults.get(address) != faults.get(address))
        if newly and address not in before.begun and address in before.actions:
            turn.record(StepBegan(before.number, before.actions[address]), address)
            before = turn.change_transaction(begun=before.begun | {address})
        if newly and address in before.actions:
            turn.record(StepEnded(before.number, before.actions[address], faults.get(address)), address)


def give_up(turn: Turn) -> None:
    """Count everybody who has not settled by the deadline as failed, naming what they wait for."""
    transaction = turn.transaction
    late = [address for address in transaction.members if address not in transaction.ended]
    faults = {address: _too_late(turn.draft, address) for address in late}
    for address, fault in faults.items():
        if address in transaction.actions:  # else it is still of the apply that this one took the place of
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
            said = f", the last of which said: {instance.health_reason}" if instance.health_reason else ""
            return f"it waits for its health checks{said}"
        case _:
            return f"it is {instance.state.value}"
