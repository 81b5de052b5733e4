"""Decides which hosts there have to be: launched when somebody wants to run in them, ended when nobody lives there any more."""

from typing import assert_never

from msgspec.structs import replace

from ignrun.manifest.model import Lifecycle, Limits
from ignrun.planner.graph.model import Hosted, InstanceSpec
from ignrun.runtime.supervise import silence
from ignrun.runtime.supervise.backoff import after_failure, lasting
from ignrun.runtime.supervise.conditions import at_rest
from ignrun.runtime.supervise.draft import Draft, host_of
from ignrun.runtime.supervise.effects import EndHost, LaunchHost
from ignrun.runtime.supervise.roster import Backoff, Goal, HostPhase, HostRecord
from ignrun.terms.events import RetryScheduled
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address, HostId

GRACE = 5.0
"""Seconds that a host in which nothing runs any more has for leaving by itself."""

_POLICY = Lifecycle()
_TWICE = 1.5
"""Intensity of failures from which on the one before counts, too: it was no longer ago than the half-life."""


def want(draft: Draft, spec: InstanceSpec, body: Hosted) -> HostRecord:
    """Have the host of an instance launched where there is none and its last failure is long enough ago; give its record."""
    record = draft.hosts.get(body.host) or HostRecord(body.host, spec.scope, body.own)
    if record.phase is not HostPhase.ABSENT:
        return record
    due = record.backoff.next_retry
    if due is None or due <= draft.now.mono:
        return _launch(draft, record, spec, body)
    draft.host_retries[body.host] = due
    draft.hosts[body.host] = record
    return record


def _launch(draft: Draft, record: HostRecord, spec: InstanceSpec, body: Hosted) -> HostRecord:
    fresh = HostRecord(
        record.host,
        record.scope,
        record.own,
        HostPhase.LAUNCHING,
        record.epoch + 1,
        heard=draft.now.mono,
        unexplained=record.unexplained,
        backoff=replace(record.backoff, next_retry=None),
    )
    draft.put_host(fresh)
    draft.host_retries.pop(record.host, None)
    draft.watched[record.host] = draft.now.mono + silence.LAUNCHING
    limits = (body.own and spec.limits) or Limits()
    draft.effects.append(LaunchHost(fresh.host, fresh.epoch, fresh.scope, body.python, limits))
    return fresh


def end(draft: Draft, record: HostRecord, *, grace: float = GRACE) -> None:
    """Have a host end; what is left of it is dropped when its process is gone."""
    draft.put_host(replace(record, phase=HostPhase.ENDING))
    draft.effects.append(EndHost(record.host, record.epoch, grace))


def blame(draft: Draft, record: HostRecord, fault: Fault) -> None:
    """End a host that broke the protocol, or fell silent, at once: nothing that it says is believed any more."""
    end(draft, replace(record, blame=fault), grace=0.0)


def bury(draft: Draft, record: HostRecord, *, failed: bool, explained: bool = True) -> HostRecord:
    """Give the record of a host whose process is gone; a failure of its own delays the next one.

    Ends that nobody can explain are counted for as long as the intensity of failures keeps them in mind.
    """
    backoff, unexplained = record.backoff, 0
    if failed:
        now = draft.now.mono
        rested = lasting(backoff, _POLICY, now - backoff.at if backoff.attempt else 0.0)
        backoff = after_failure(rested, record.host, _POLICY, FaultKind.EXITED, now)
        fresh = backoff.intensity < _TWICE
        unexplained = 0 if explained else 1 if fresh else record.unexplained + 1
        delay = (backoff.next_retry or now) - now
        draft.record(record.host, RetryScheduled(round(delay, 3), backoff.attempt, backoff.parked))
    return HostRecord(
        record.host, record.scope, record.own, epoch=record.epoch, unexplained=unexplained, backoff=backoff
    )


def forgive(draft: Draft, host: HostId) -> None:
    """Let a host that is gone come back at once: somebody who lives there is to be something else than what it ended of."""
    record = draft.hosts.get(host)
    if record is not None and record.phase is HostPhase.ABSENT:
        draft.put_host(replace(record, backoff=Backoff()))
        draft.host_retries.pop(host, None)


def forget_refusal(draft: Draft, host: HostId, address: Address) -> None:
    """Have an instance loaded again that a living host once refused: what it lacked may have come since."""
    record = draft.hosts.get(host)
    if record is None or address not in record.refused:
        return
    assigned = {a: told for a, told in record.assigned.items() if a != address}
    refused = {a: fault for a, fault in record.refused.items() if a != address}
    draft.put_host(replace(record, assigned=assigned, refused=refused))


def consider(draft: Draft, host: HostId) -> None:
    """Look at one host: end it when it is of no use any more, drop its record when it is gone."""
    record = draft.hosts.get(host)
    if record is None:
        return
    match record.phase:
        case HostPhase.ABSENT:
            if not _is_used(draft, host) or draft.down:
                del draft.hosts[host]
                draft.host_retries.pop(host, None)
        case HostPhase.LAUNCHING | HostPhase.LOADING | HostPhase.SERVING:
            if not _is_used(draft, host) or (draft.down and _is_quiet(draft, host)):
                end(draft, record, grace=0.0 if draft.hurried else GRACE)
        case HostPhase.ENDING:
            pass
        case _:
            assert_never(record.phase)


def _is_used(draft: Draft, host: HostId) -> bool:
    """Tell whether somebody is to run in a host, or still does; for those who are kept stopped it is made anew one day."""
    members = (draft.instances[address] for address in draft.members(host))
    wanted = any(one.goal is Goal.UP or not at_rest(one) for one in members)
    return wanted or host in draft.staged or bool(strays(draft, host))


def strays(draft: Draft, host: HostId) -> tuple[Address, ...]:
    """Name who still runs in a host although no graph says any more that he lives there."""
    known = draft.instances.items()
    return tuple(address for address, one in known if host_of(one) == host and not at_rest(one))


def _is_quiet(draft: Draft, host: HostId) -> bool:
    """Tell whether nothing runs in a host."""
    here = (draft.instances[a] for a in draft.members(host))
    return all(at_rest(instance) or host_of(instance) != host for instance in here)
