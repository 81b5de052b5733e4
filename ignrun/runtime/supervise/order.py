"""Decides for one instance what it may do next: start, go on, stop, become something else, be forgotten."""

from typing import assert_never

from msgspec.structs import replace

from ignrun.planner.graph.model import Command, Hosted
from ignrun.protocol.orders import Item
from ignrun.runtime.supervise import hosts, in_place, moves
from ignrun.runtime.supervise.conditions import (
    Standing,
    at_rest,
    is_bystander,
    is_leaving,
    is_maintained,
    is_waiting,
    root_of,
    standing,
)
from ignrun.runtime.supervise.draft import Draft, host_of
from ignrun.runtime.supervise.effects import SpawnCommand, StopCommand
from ignrun.runtime.supervise.locality import is_local, waits_in_vain
from ignrun.runtime.supervise.roster import Backoff, Goal, HostPhase, Instance
from ignrun.terms.fault import FaultKind
from ignrun.terms.names import Address
from ignrun.terms.states import Health, ModuleState

_S = ModuleState


def consider(draft: Draft, address: Address) -> None:
    """Look at one instance and do what it may do now; looking twice does no more than looking once."""
    instance = draft.instances.get(address)
    if instance is None:
        return
    if is_maintained(instance) and instance.goal is Goal.UP:
        return
    if not at_rest(instance):
        if is_leaving(instance):
            _stop(draft, instance)
        elif instance.in_place is not None:
            in_place.consider(draft, instance)
        else:
            _go_on(draft, _informed(draft, instance))
    else:
        _consider_at_rest(draft, instance)


def _consider_at_rest(draft: Draft, instance: Instance) -> None:
    if is_maintained(instance):
        moves.stop(draft, instance, _reason(instance))
    elif instance.goal is Goal.GONE:
        draft.forget(instance.spec.address)
    elif instance.next_spec is not None:
        _adopt(draft, instance)
    elif instance.in_place is not None:
        in_place.adopt(draft, instance)
    elif instance.bounce:
        draft.put(replace(instance, bounce=False, completed=False, fault=None, upstream=""))
    elif instance.goal is Goal.UP and not instance.completed:
        _begin(draft, _informed(draft, instance))


def _adopt(draft: Draft, instance: Instance) -> None:
    spec = instance.next_spec
    if spec is None:
        return
    fresh = replace(
        instance,
        spec=spec,
        next_spec=None,
        in_place=None,
        bounce=False,
        completed=False,
        fault=None,
        upstream="",
        backoff=Backoff(),
    )
    draft.put(fresh)
    former, home = host_of(instance), host_of(fresh)
    if former is not None and former != home:
        draft.dirty_hosts[former] = None
    if home is not None:
        hosts.forgive(draft, home)


def _informed(draft: Draft, instance: Instance) -> Instance:
    """Keep the root cause of waiting in vain up to date."""
    root = _root(draft, instance) if is_waiting(instance) else ""
    if root == instance.upstream and (not root or instance.cause == _skipped(root)):
        return instance
    if root:
        cause = _skipped(root)
    else:
        cause = instance.fault.summary if instance.fault else "upstream is back"
    changed = replace(instance, upstream=root, cause=cause)
    draft.put(changed)
    return changed


def _skipped(root: str) -> str:
    return f"skipped: upstream {root}"


def _root(draft: Draft, instance: Instance) -> str:
    for edge in draft.needs(instance):
        provider = draft.instances.get(edge.provider)
        if edge.kind == "requires" and standing(edge, provider) is Standing.VAIN:
            return root_of(edge, provider)
    return ""


# --- starting ---------------------------------------------------------------------------------------------------------


def _begin(draft: Draft, instance: Instance) -> None:
    if not _may_begin(draft, instance):
        return
    match instance.spec.body:
        case Hosted():
            _begin_in_host(draft, instance, instance.spec.body)
        case Command():
            _begin_command(draft, instance)
        case _:
            assert_never(instance.spec.body)


def _may_begin(draft: Draft, instance: Instance) -> bool:
    fault, due = instance.fault, instance.backoff.next_retry
    if instance.state is _S.ERROR and fault is not None:
        if fault.kind is FaultKind.UPSTREAM:
            return not instance.upstream
        if due is None:
            return False
        patient = fault.kind is FaultKind.NOT_READY or is_bystander(instance)
        if instance.spec.address in draft.suspended and not patient:
            return False
    if due is not None and due > draft.now.mono:
        draft.retries[instance.spec.address] = due
        return False
    return True


def _begin_in_host(draft: Draft, instance: Instance, body: Hosted) -> None:
    address = instance.spec.address
    record = hosts.want(draft, instance.spec, body)
    if record.phase is not HostPhase.LOADING and record.phase is not HostPhase.SERVING:
        return
    if record.assigned.get(address) != draft.assignment(address, draft.wiring):
        draft.batch(body.host).loads[address] = (instance.spec, draft.wiring)
        return
    draft.batch(body.host).loads.pop(address, None)  # of what it was to become when this turn began
    if address in record.refused:
        refusal = record.refused[address]
        draft.hosts[body.host] = replace(record, assigned={a: t for a, t in record.assigned.items() if a != address})
        moves.fail(draft, instance, refusal)
    elif address in record.loaded:
        cleared = _is_cleared(draft, instance)
        begun = _fresh(draft, replace(instance, cleared=cleared))
        draft.batch(body.host).starts.append((Item(address, begun.epoch), cleared))


def _begin_command(draft: Draft, instance: Instance) -> None:
    begun = _fresh(draft, instance)
    initializing = moves.move(draft, begun, _S.INITIALIZING, "begun")
    moves.move(draft, initializing, _S.INITIALIZED, "ready to be started")


def _fresh(draft: Draft, instance: Instance) -> Instance:
    """Open a new incarnation."""
    figures = instance.statistics
    begun = replace(
        instance,
        epoch=instance.epoch + 1,
        ordered=True,
        stopping=False,
        stop_cleared=False,
        completed=False,
        fault=None,
        exports={},
        health=Health.UNKNOWN,
        health_reason="",
        failures=0,
        revised=0,
        good_checks=0,
        statistics=replace(figures, restart_count=figures.restart_count + 1)
        if instance.epoch and figures.event_count
        else figures,
    )
    draft.retries.pop(instance.spec.address, None)
    draft.put(begun)
    return begun


def _go_on(draft: Draft, instance: Instance) -> None:
    """Let a waiting incarnation start, now that what it waited for has come."""
    match instance.spec.body:
        case Hosted(host=host):
            if waits_in_vain(draft, instance, host):
                draft.put(replace(instance, bounce=True, cause="a provider has moved to another host"))
            elif not instance.cleared and instance.ordered and _is_cleared(draft, instance):
                draft.put(replace(instance, cleared=True))
                draft.batch(host).clears.append(Item(instance.spec.address, instance.epoch))
        case Command():
            if instance.state is _S.INITIALIZED and _is_cleared(draft, instance):
                _spawn(draft, instance)
        case _:
            assert_never(instance.spec.body)


def _spawn(draft: Draft, instance: Instance) -> None:
    begun = moves.move(draft, instance, _S.STARTING, "providers are there")
    draft.effects.append(SpawnCommand(begun.spec, begun.epoch, draft.exports_for(instance.spec.address)))


def _is_cleared(draft: Draft, instance: Instance) -> bool:
    """Tell whether every need that the runner itself has to see to is met: those within a host are the host's."""
    return all(
        standing(edge, draft.instances.get(edge.provider)) is Standing.MET
        for edge in draft.needs(instance)
        if not is_local(draft, instance, edge)
    )


# --- stopping ---------------------------------------------------------------------------------------------------------


def _stop(draft: Draft, instance: Instance) -> None:
    match instance.spec.body:
        case Hosted():
            _stop_in_host(draft, instance, instance.spec.body)
        case Command():
            _stop_command(draft, instance)
        case _:
            assert_never(instance.spec.body)


def _stop_in_host(draft: Draft, instance: Instance, body: Hosted) -> None:
    if instance.stop_cleared or not instance.ordered:
        return
    item = Item(instance.spec.address, instance.epoch)
    cleared = draft.hurried or not is_held_up(draft, instance)
    if not instance.stopping:
        draft.put(replace(instance, stopping=True, stop_cleared=cleared))
        draft.batch(body.host).stops.append((item, cleared))
    elif cleared:
        draft.put(replace(instance, stop_cleared=True))
        draft.batch(body.host).stop_clears.append(item)


def _stop_command(draft: Draft, instance: Instance) -> None:
    match instance.state:
        case _S.INITIALIZING | _S.INITIALIZED:
            moves.stop(draft, instance, "stopped before it was started")
        case _S.STARTING | _S.RUNNING | _S.MAINTENANCE:
            if draft.hurried or not is_held_up(draft, instance):
                stopping = moves.move(draft, replace(instance, stopping=True), _S.STOPPING, _reason(instance))
                grace = 0.0 if draft.hurried else instance.spec.lifecycle.stop_timeout
                draft.effects.append(StopCommand(stopping.spec.address, stopping.epoch, grace))
        case _:
            pass  # its end is under way


def is_held_up(draft: Draft, instance: Instance) -> bool:
    """Tell whether a dependent that leaves too is still there, other than those whom their common host puts in order.

    One that goes for good also waits for those who only let go of it.
    """
    for edge, dependent in draft.dependents(instance.spec.address):
        if not at_rest(dependent) and is_leaving(dependent) and not is_local(draft, dependent, edge):
            return True
        if instance.goal is Goal.GONE and in_place.holds_up(draft, dependent):
            return True
    return False


def _reason(instance: Instance) -> str:
    if instance.bounce and instance.cause.startswith(("unhealthy", "its provider")):
        return instance.cause
    return "to be restarted" if instance.goal is Goal.UP else "to be stopped"
