"""Owns what a host was told of its own: for whom in it an instance waits without the runner, and whether that still holds."""

from ignrun.planner.graph.model import Edge
from ignrun.runtime.supervise.conditions import is_waiting
from ignrun.runtime.supervise.draft import Draft, host_of
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.names import Address, HostId


def is_local(draft: Draft, instance: Instance, edge: Edge) -> bool:
    """Tell whether a host keeps the order of an edge itself: it was told that both ends are in it, they are, and the provider is still to come."""
    host, provider = host_of(instance), draft.instances.get(edge.provider)
    if host is None or edge.kind != "requires" or provider is None or provider.completed or host_of(provider) != host:
        return False
    return edge.provider in _told_local(draft, instance, host)


def _told_local(draft: Draft, instance: Instance, host: HostId) -> tuple[Address, ...]:
    record = draft.hosts.get(host)
    told = record.assigned.get(instance.spec.address) if record is not None else None
    return told.local if told is not None else ()


def waits_in_vain(draft: Draft, instance: Instance, host: HostId) -> bool:
    """Tell whether its host has one wait for somebody who has moved out since it was told of him."""
    if not instance.ordered or not is_waiting(instance):
        return False
    providers = (draft.instances.get(address) for address in _told_local(draft, instance, host))
    return any(provider is None or host_of(provider) != host for provider in providers)
