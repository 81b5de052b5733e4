"""Decides when the silence of a host that has work to do, or whose checks nobody answers, means that it hangs."""

import math
from typing import Final

from msgspec.structs import replace

from ignrun.planner.graph.model import Hosted
from ignrun.runtime.supervise.conditions import Standing, at_rest, standing
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.health import leave_unanswered, patience
from ignrun.runtime.supervise.roster import HostPhase, HostRecord, Instance, Stall
from ignrun.terms.duration import show_duration
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from ignrun.terms.states import ModuleState

LAUNCHING: Final = 30.0
"""Seconds that a process may take to say hello."""

_MARGIN: Final = 5.0
_FIRST_LOOK: Final = 5.0
_AGAIN: Final = 1.0

_S = ModuleState


def watch(draft: Draft, record: HostRecord) -> HostRecord:
    """Look at a host later, now that it has been told to do something; its silence counts from now on."""
    look = draft.now.mono + _FIRST_LOOK
    draft.watched[record.host] = min(draft.watched.get(record.host, look), look)
    heard = draft.hosts[record.host] = replace(record, heard=draft.now.mono)
    return heard


def judge(draft: Draft, record: HostRecord) -> Fault | None:
    """Tell whether a host has been silent for too long; else look again later, as long as there is work in it."""
    allowed = _allowed(draft, record)
    due = min(record.heard + allowed, _culprit_due(draft, record)) if allowed else math.inf
    if due <= draft.now.mono or _leaves_checks_unanswered(draft, record):
        return _fault_of(record, draft.now.mono)
    due = min(due, _checks_due(draft, record))
    if due < math.inf:  # in the past where an open apply keeps somebody from being restarted
        draft.watched[record.host] = due if due > draft.now.mono else draft.now.mono + _AGAIN
    return None


def _checks_due(draft: Draft, record: HostRecord) -> float:
    """Say when the next of those who run in a stuck host will have left their checks unanswered for too long."""
    if record.stall is None or record.phase is not HostPhase.SERVING:
        return math.inf
    began = record.stall.began
    allowed = (patience(draft, draft.instances[address]) for address in draft.members(record.host))
    return min((began + seconds for seconds in allowed if seconds), default=math.inf)


def _leaves_checks_unanswered(draft: Draft, record: HostRecord) -> bool:
    """Take those for unhealthy whose checks a stuck host has not answered for too long; tells whether one of them is to be restarted."""
    if _checks_due(draft, record) > draft.now.mono or record.stall is None:
        return False
    blocked_for = draft.now.mono - record.stall.began
    late = [one for one in map(draft.instances.__getitem__, draft.members(record.host)) if patience(draft, one)]
    reason = f"its checks are not answered: {_fault_of(record, draft.now.mono).summary}"
    answers = [leave_unanswered(draft, one, reason) for one in late if patience(draft, one) <= blocked_for]
    return any(answers)


def _culprit_due(draft: Draft, record: HostRecord) -> float:
    """Say until when who blocks a host may go on; the patience that his neighbours would have is not his."""
    stall = record.stall
    culprit = draft.instances.get(Address(stall.address)) if stall else None
    if stall is None or culprit is None:
        return math.inf
    allowed = [seconds for seconds in (_work(draft, culprit), _callback_work(culprit, stall)) if seconds]
    return stall.began + min(allowed, default=math.inf)


def _callback_work(culprit: Instance, stall: Stall) -> float:
    """Give how long the callback may take in which a host is seen to be stuck: the moves that led there may not have been heard of; 0: it has no end."""
    limits = culprit.spec.lifecycle
    match _callback_of(stall):
        case "initialize":
            return 2 * limits.initialize_timeout + _MARGIN
        case "startup":
            return 2 * limits.start_timeout + _MARGIN
        case "prepare_reconfigure" | "reconfigure" | "rebind":
            return 2 * limits.reconfigure_timeout + _MARGIN
        case "shutdown":
            return 2 * limits.stop_timeout + _MARGIN
        case _:
            return 0.0


def _callback_of(stall: Stall) -> str:
    return stall.where.partition(" at ")[0].rpartition(".")[2]


def _fault_of(record: HostRecord, mono: float) -> Fault:
    stall = record.stall
    if stall is None:
        spent = show_duration(round(mono - record.heard, 1))
        return Fault(FaultKind.TIMED_OUT, f"host {record.host} has work to do and said nothing for {spent}")
    spent = show_duration(round(mono - stall.began, 1))
    callback = _callback_of(stall)
    by = f" by {stall.address}" if stall.address else ""
    summary = f"host {record.host} was blocked for {spent}{by} in {stall.where}"
    return Fault(FaultKind.TIMED_OUT, summary, callback)


def _allowed(draft: Draft, record: HostRecord) -> float:
    """Give how long a host may be silent in what it does now, in seconds; 0: it has nothing to do."""
    match record.phase:
        case HostPhase.LAUNCHING:
            return LAUNCHING
        case HostPhase.LOADING:
            return max((one.patience for one in record.assigned.values()), default=LAUNCHING) + _MARGIN
        case HostPhase.SERVING:
            members = (draft.instances[address] for address in draft.members(record.host))
            return max((_work(draft, one) for one in members if not at_rest(one)), default=0.0)
        case HostPhase.ABSENT | HostPhase.ENDING:
            return 0.0


def _work(draft: Draft, instance: Instance) -> float:
    """Give how long an incarnation may work without a word; a host runs its callbacks and those of its hook one by one."""
    limits, state = instance.spec.lifecycle, instance.state
    if not isinstance(instance.spec.body, Hosted):
        return 0.0
    if instance.stopping:
        return 2 * limits.stop_timeout + _MARGIN if instance.stop_cleared else 0.0
    plan = instance.in_place
    if instance.asked or (plan is not None and plan.change and plan.fault is None):
        slots = len(plan.slots) if plan is not None else 0
        return (1 + slots) * limits.reconfigure_timeout + _MARGIN
    match state:
        case _S.INITIALIZED if not _is_free(draft, instance):
            return 0.0
        case _S.INITIALIZED | _S.STARTING:
            return 2 * limits.start_timeout + _MARGIN
        case _S.STOPPING:
            return 2 * limits.stop_timeout + _MARGIN
        case _S.RUNNING | _S.MAINTENANCE:
            return 0.0
        case _S.UNINITIALIZED | _S.STOPPED | _S.ERROR if instance.spec.config.pending:
            return 0.0  # it waits for exports before it initialises
        case _:
            return 3 * limits.initialize_timeout + _MARGIN


def _is_free(draft: Draft, instance: Instance) -> bool:
    """Tell whether nothing holds an initialised incarnation back any more; it may have started without having said so yet."""
    needs = draft.needs(instance)
    return instance.cleared and all(standing(e, draft.instances.get(e.provider)) is Standing.MET for e in needs)
