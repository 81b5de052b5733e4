"""Decides whose fault the end of a host is, as far as it can be told, and has the culprit come back in a host of its own."""

from typing import Final

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

DEATHS: Final = 2
"""How often in a row a host may end because of nobody knows whom before those who share it are spread."""

MOST_SPREAD: Final = 32
"""How many may share a host that is spread."""

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


def suspects_of(draft: Draft, record: HostRecord) -> tuple[Address, ...]:
    """Name those who lived in a host that has ended twice in a row and nobody knows because of whom; asked before they are lost.

    None where too many share it: a process for each would cost more than their falls.
    """
    if record.unexplained < DEATHS:
        return ()
    here = tuple(a for a in draft.members(record.host) if _lives_in(draft, a, record.host))
    return here if len(here) <= MOST_SPREAD else ()


def place_alone(draft: Draft, address: Address, fault: Fault) -> None:
    """Let the culprit come back in a host of its own, until an apply changes it; alone already, it stays where it is."""
    _move_out(draft, (address,), fault.summary)


def spread(draft: Draft, suspects: tuple[Address, ...], fault: Fault) -> None:
    """Let each of those come back in a host of its own, until an apply changes it: who falls next falls alone, and is known."""
    _move_out(draft, suspects, f"{fault.summary}, again, and nobody knows because of whom")


def _move_out(draft: Draft, addresses: tuple[Address, ...], reason: str) -> None:
    moving = {a: host for a in addresses if (host := _shared_host(draft, a)) is not None}
    if not moving:
        return
    draft.set_alone({**draft.alone, **dict.fromkeys(moving, reason)})
    for address, host in moving.items():
        draft.put(replace(draft.instances[address], spec=draft.graph.instances[address]))
        draft.dirty_hosts[host] = None
        draft.record(address, PlacedAlone(host, reason))


def _shared_host(draft: Draft, address: Address) -> HostId | None:
    """Name the host that an instance shares and may leave; None where it lives alone, leaves for good, or becomes something else."""
    instance = draft.instances[address]
    body = instance.spec.body
    if not isinstance(body, Hosted) or body.own or instance.goal is Goal.GONE or instance.next_spec is not None:
        return None
    return body.host if len(list(draft.members(body.host))) > 1 else None
