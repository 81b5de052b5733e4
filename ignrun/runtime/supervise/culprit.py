"""Decides whose fault the end of a host is, as far as it can be told, and has the culprit come back in a host of its own."""

from msgspec.structs import replace

from ignrun.planner.graph.model import Hosted
from ignrun.runtime.supervise.conditions import at_rest, is_maintained
from ignrun.runtime.supervise.draft import Draft, host_of
from ignrun.runtime.supervise.messages import HostEnded
from ignrun.runtime.supervise.roster import Goal, HostRecord
from ignrun.terms.events import PlacedAlone
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address, HostId
from ignrun.terms.states import ModuleState

_UNDER_WAY = frozenset(
    {ModuleState.UNINITIALIZED, ModuleState.INITIALIZING, ModuleState.STARTING, ModuleState.STOPPING}
)


def culprit_of(draft: Draft, record: HostRecord, news: HostEnded) -> Address | None:
    """Name whose code ended a host, or kept it until it had to be ended; None where that cannot be told."""
    if record.blame is not None and record.blame.kind is not FaultKind.TIMED_OUT:
        return None
    known = record.blame.upstream if record.blame else ""
    known = known or (record.stall.address if record.stall else "") or news.culprit
    here = [a for a in draft.members(record.host) if _lives_in(draft, a, record.host)]
    if known:
        return Address(known) if known in here else None
    busy = [a for a in here if draft.instances[a].state in _UNDER_WAY or draft.instances[a].stopping]
    settled = all(a in busy or draft.instances[a].state is ModuleState.RUNNING for a in here)
    return busy[0] if len(busy) == 1 and settled else None


def _lives_in(draft: Draft, address: Address, host: HostId) -> bool:
    instance = draft.instances[address]
    return host_of(instance) == host and instance.ordered and not at_rest_or_left_alone(draft, address)


def at_rest_or_left_alone(draft: Draft, address: Address) -> bool:
    """Tell whether an instance has no part in what happens in its host."""
    instance = draft.instances[address]
    resting = at_rest(instance) and instance.state is not ModuleState.UNINITIALIZED
    return resting or is_maintained(instance)


def of_bystander(fault: Fault, culprit: Address) -> Fault:
    """Turn the fault of a host into that of one who only shared it."""
    return replace(fault, summary=f"{fault.summary}, because of {culprit}", upstream=culprit)


def place_alone(draft: Draft, address: Address, fault: Fault) -> None:
    """Let the culprit come back in a host of its own, until an apply changes it; alone already, it stays where it is."""
    instance = draft.instances[address]
    body = instance.spec.body
    shared = isinstance(body, Hosted) and not body.own and len(list(draft.members(body.host))) > 1
    if not isinstance(body, Hosted) or not shared or instance.goal is Goal.GONE or instance.next_spec is not None:
        return
    draft.set_alone({**draft.alone, address: fault.summary})
    draft.put(replace(instance, spec=draft.graph.instances[address]))
    draft.dirty_hosts[body.host] = None
    draft.record(address, PlacedAlone(body.host, fault.summary))
