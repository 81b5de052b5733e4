"""Owns the questions about one instance that every decision asks: does it still run, is it leaving, what has it reached."""

import enum

from ignrun.planner.graph.model import Edge
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.fault import FaultKind
from ignrun.terms.states import Condition, Health, ModuleState

_S = ModuleState


def at_rest(instance: Instance) -> bool:
    """Tell whether nothing of the instance exists: no callback runs, no order is under way, no process is left."""
    state = instance.state
    resting = state is _S.UNINITIALIZED or state is _S.STOPPED or state is _S.ERROR or state is _S.MAINTENANCE
    return resting and not instance.ordered and instance.pid is None


def is_leaving(instance: Instance) -> bool:
    """Tell whether the present incarnation, if there is one, has to go: for good, or to come back fresh.

    One in maintenance is left alone as long as it is meant to be there; what it is to become waits.
    """
    if instance.goal is not Goal.UP:
        return True
    return (instance.bounce or instance.next_spec is not None) and not is_maintained(instance)


def is_maintained(instance: Instance) -> bool:
    """Tell whether an operator took the instance out of supervision: nobody starts, restarts or judges it."""
    return instance.state is _S.MAINTENANCE


def is_waiting(instance: Instance) -> bool:
    """Tell whether the instance is on its way but still waits before `startup`."""
    state = instance.state
    there = state is _S.STARTING or state is _S.RUNNING or state is _S.MAINTENANCE
    return not there and not instance.completed


def has_failed(instance: Instance) -> bool:
    """Tell whether the instance has failed in a way that others should no longer wait for; one that said NotReady comes back."""
    fault = instance.fault
    if instance.state is not _S.ERROR or fault is None or is_leaving(instance):
        return False
    if is_bystander(instance):
        return False
    return fault.kind is not FaultKind.NOT_READY or instance.backoff.next_retry is None


def is_bystander(instance: Instance) -> bool:
    """Tell whether the instance only shared the process that somebody else brought down; it comes back at once."""
    fault = instance.fault
    if fault is None or not fault.upstream or instance.state is not _S.ERROR:
        return False
    return fault.kind is not FaultKind.UPSTREAM and instance.backoff.next_retry is not None


def is_sick(instance: Instance) -> bool:
    """Tell whether the instance runs, but its checks have said that it does not do its work."""
    return instance.state is _S.RUNNING and instance.health is Health.UNHEALTHY and not is_leaving(instance)


def meets(condition: Condition, instance: Instance) -> bool:
    """Tell whether a provider has reached what `condition` asks, and will not be taken away in the same breath."""
    if is_leaving(instance):
        return False
    if instance.completed:
        return True
    if is_maintained(instance):
        return condition is not Condition.COMPLETED and not at_rest(instance)  # whoever works on it has no veto
    running = instance.state is _S.RUNNING
    match condition:
        case Condition.COMPLETED:
            return False
        case Condition.STARTED:
            return running
        case Condition.HEALTHY:
            return running and (instance.health is Health.HEALTHY or instance.health is Health.DEGRADED)


class Standing(enum.Enum):
    """How one need of an instance stands."""

    MET = "met"  # or no longer worth waiting for, where the need only orders
    COMING = "coming"
    VAIN = "vain"  # a required provider cannot get there


def standing(edge: Edge, provider: Instance | None) -> Standing:
    """Tell how the need of `edge` stands, given its provider (None: there is none in the plant)."""
    if provider is not None and meets(edge.condition, provider):
        return Standing.MET
    if provider is None or provider.goal is not Goal.UP or has_failed(provider):
        return _unmet(edge)
    if provider.upstream and not is_leaving(provider):  # one that begins anew no longer waits for whom it waited
        return _unmet(edge)
    sick = edge.condition is Condition.HEALTHY and is_sick(provider)
    if sick or (is_maintained(provider) and at_rest(provider)):
        return _unmet(edge)
    return Standing.COMING


def _unmet(edge: Edge) -> Standing:
    return Standing.VAIN if edge.kind == "requires" else Standing.MET


def root_of(edge: Edge, provider: Instance | None) -> str:
    """Name the instance at the root of a need that is in vain."""
    if provider is None:
        return edge.provider
    if has_failed(provider) and provider.fault and provider.fault.upstream:
        return provider.fault.upstream
    if has_failed(provider) or provider.goal is not Goal.UP:  # one that is not to run waits for nobody
        return edge.provider
    return provider.upstream or edge.provider


Signal = tuple[object, ...]


def signal(instance: Instance) -> Signal:
    """Give what dependents react to; equal signals before and after a change mean that none of them need look."""
    state = instance.state
    return (
        state if state is _S.RUNNING or state is _S.ERROR or state is _S.MAINTENANCE else None,
        state is _S.MAINTENANCE and at_rest(instance),
        instance.fault is None,
        instance.completed,
        instance.health,
        instance.upstream,
        instance.goal,
        is_leaving(instance),
    )
