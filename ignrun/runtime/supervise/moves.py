"""Turns a move of one instance into its new record: state, cause, fault, health, figures, and when it is tried again."""

from typing import Any

from msgspec.structs import replace

from ignrun.runtime.supervise import slowness
from ignrun.runtime.supervise.backoff import after_failure, lasting
from ignrun.runtime.supervise.conditions import is_leaving
from ignrun.runtime.supervise.draft import Draft, host_of
from ignrun.runtime.supervise.now import Now
from ignrun.runtime.supervise.roster import Backoff, Goal, Instance, Statistics
from ignrun.terms.events import ExportsChanged, LifecycleEvent, RetryScheduled
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import Health, ModuleState, may_move

_S = ModuleState


def move(
    draft: Draft, instance: Instance, new: ModuleState, cause: str, fault: Fault | None = None, **fields: Any
) -> Instance:
    """Record one move and put the instance as it is after it; `fields` are set with it. The caller has checked that it is legal."""
    address = instance.spec.address
    draft.record(address, LifecycleEvent(instance.state, new, cause, instance.epoch, fault))
    statistics = _counted(instance, new, fault, draft.now)
    moved = replace(
        instance, state=new, since=draft.now.mono, cause=cause, statistics=statistics, **{"named": 0.0, **fields}
    )
    draft.put(moved)
    if new is _S.INITIALIZING or new is _S.STARTING:
        slowness.expect(draft)
    return moved


def run(draft: Draft, instance: Instance, cause: str, exports: dict[str, Any], *, checked: bool) -> Instance:
    """Move to `running`; one without checks is healthy by running, the others when their first check says so."""
    health = Health.UNKNOWN if checked else Health.HEALTHY
    # Whoever only was not ready is as good as new.
    backoff = instance.backoff if instance.backoff.intensity else Backoff()
    running = move(
        draft,
        instance,
        _S.RUNNING,
        cause,
        fault=None,
        health=health,
        health_reason="",
        failures=0,
        exports=exports,
        backoff=replace(backoff, next_retry=None, parked=False),
        upstream="",
    )
    if exports:
        draft.record(instance.spec.address, ExportsChanged(tuple(exports)))
    return running


def stop(draft: Draft, instance: Instance, cause: str, *, completed: bool = False) -> Instance:
    """Move to `stopped`, by way of `stopping` where it was not there yet; the incarnation is over.

    What one that completed exports stays: that is what its dependents waited for. One that failed its checks, and is not to
    be tried again at once, waits for that in `error`.
    """
    if instance.state is not _S.STOPPING and instance.state is not _S.ERROR:
        instance = move(draft, instance, _S.STOPPING, cause)
    if not completed and (fault := _sickness(draft, instance)):
        cause = "crash-loop" if instance.backoff.parked else fault.summary
        sick = replace(instance, bounce=False)
        return move(draft, sick, _S.ERROR, cause, health=Health.UNHEALTHY, **_over())
    health = Health.HEALTHY if completed else Health.UNKNOWN
    return move(
        draft,
        instance,
        _S.STOPPED,
        cause,
        health=health,
        health_reason="",
        completed=completed,
        **{**_over(), "exports": instance.exports if completed else {}},
    )


def _sickness(draft: Draft, instance: Instance) -> Fault | None:
    """Give why one that is to come back later was stopped, where failed checks were the reason."""
    due, fault = instance.backoff.next_retry, instance.fault
    waits = instance.goal is Goal.UP and instance.bounce and instance.next_spec is None
    sick = fault is not None and fault.kind is FaultKind.UNHEALTHY
    return fault if waits and sick and due is not None and due > draft.now.mono else None


def fail(draft: Draft, instance: Instance, fault: Fault, *, ended: bool = True, by_host: bool = False) -> Instance:
    """Move to `error` for `fault` and plan the retry.

    `ended` is False while a process of it is still being ended. `by_host` says that its host failed, which then carries the
    blame and the delay: the instance comes back as soon as the host does.
    """
    if not may_move(instance.state, _S.ERROR):
        instance = move(draft, instance, _S.INITIALIZING, "begun")
    backoff = _with_host(draft, instance) if by_host else _planned(draft, instance, fault)
    cause = "crash-loop" if backoff.parked else fault.summary
    over = _over() if ended else {"ordered": False}
    spec = instance.in_place.spec if instance.in_place else instance.spec
    failed = move(
        draft,
        replace(instance, fault=fault, spec=spec, in_place=None),
        _S.ERROR,
        cause,
        fault=fault,
        health=Health.UNHEALTHY,
        health_reason=fault.summary,
        backoff=backoff,
        **over,
    )
    if not by_host:
        _tell_retry(draft, failed)
    if instance.state is _S.RUNNING:
        _take_along(draft, failed, within_host=not by_host)
    return failed


def _take_along(draft: Draft, crashed: Instance, *, within_host: bool) -> None:
    """Have those restarted who asked to be when this provider crashes; they begin again once it is back."""
    provider = crashed.spec.address
    for edge, dependent in tuple(draft.dependents(provider)):
        there = dependent.state is _S.RUNNING or dependent.state is _S.STARTING
        gone_too = not within_host and host_of(dependent) is not None and host_of(dependent) == host_of(crashed)
        if edge.on_crash == "restart" and there and not gone_too and not is_leaving(dependent):
            draft.put(replace(dependent, bounce=True, cause=f"its provider {provider} crashed"))


def maintain(draft: Draft, instance: Instance, cause: str) -> Instance:
    """Take an instance out of supervision; what of it runs goes on."""
    return move(
        draft, instance, _S.MAINTENANCE, cause, health=Health.UNKNOWN, health_reason="", failures=0, upstream=""
    )


def pass_away(draft: Draft, instance: Instance, fault: Fault | None, *, completed: bool = False) -> Instance:
    """Remember of one in maintenance that its incarnation is over; nothing is done about it before maintenance ends."""
    cause = fault.summary if fault else "completed" if completed else "it ended"
    exports = instance.exports if completed else {}
    gone = replace(
        instance, **{**_over(), "exports": exports}, fault=fault, cause=f"{cause}, in maintenance", completed=completed
    )
    draft.put(gone)
    return gone


def resume(draft: Draft, instance: Instance, cause: str, *, checked: bool) -> Instance:
    """Look at reality after maintenance: what still runs is running, what completed has stopped, the rest is tried again."""
    back = replace(instance, held_by="")
    if instance.ordered or instance.pid is not None:
        return run(draft, back, cause, instance.exports, checked=checked)
    if instance.completed:
        return stop(draft, back, cause, completed=True)
    fault = instance.fault or Fault(FaultKind.EXITED, "it ended while it was in maintenance")
    at_once = replace(instance.backoff, next_retry=draft.now.mono, parked=False)
    failed = move(draft, back, _S.ERROR, cause, fault=fault, health=Health.UNHEALTHY, health_reason=fault.summary)
    return _put(draft, replace(failed, fault=fault, bounce=True, backoff=at_once))


def _put(draft: Draft, instance: Instance) -> Instance:
    draft.put(instance)
    return instance


def sicken(draft: Draft, instance: Instance, reason: str) -> None:
    """Count failed checks as a failure and have the running incarnation replaced."""
    fault = Fault(FaultKind.UNHEALTHY, f"unhealthy: {reason}" if reason else "unhealthy", callback="check_health")
    statistics = _failed(instance.statistics, fault, draft.now)
    backoff = _planned(draft, instance, fault)
    draft.put(replace(instance, bounce=True, cause=fault.summary, fault=fault, statistics=statistics, backoff=backoff))
    _tell_retry(draft, draft.instances[instance.spec.address], bounced=True)


def _over() -> dict[str, Any]:
    over: dict[str, Any] = {
        "ordered": False,
        "stopping": False,
        "stop_cleared": False,
        "cleared": False,
        "pid": None,
        "exports": {},
    }
    return {**over, "asked": 0}


def _with_host(draft: Draft, instance: Instance) -> Backoff:
    never = instance.spec.lifecycle.restart == "never"
    return replace(instance.backoff, next_retry=None if never else draft.now.mono, parked=False)


def _planned(draft: Draft, instance: Instance, fault: Fault) -> Backoff:
    policy, now = instance.spec.lifecycle, draft.now.mono
    if policy.restart == "never" or instance.goal is not Goal.UP:
        return replace(instance.backoff, next_retry=None)
    well = now - instance.since if instance.state is _S.RUNNING else 0.0
    backoff = lasting(instance.backoff, policy, well)
    return after_failure(backoff, instance.spec.address, policy, fault.kind, now)


def _tell_retry(draft: Draft, instance: Instance, *, bounced: bool = False) -> None:
    planned = instance.backoff
    if planned.next_retry is None or (is_leaving(instance) and not bounced):
        return
    delay = max(0.0, planned.next_retry - draft.now.mono)
    draft.record(instance.spec.address, RetryScheduled(round(delay, 3), planned.attempt, planned.parked))


def _counted(instance: Instance, new: ModuleState, fault: Fault | None, now: Now) -> Statistics:
    figures = instance.statistics
    spent = max(0.0, now.mono - instance.since)
    changes: dict[str, Any] = {"event_count": figures.event_count + 1}
    if instance.state is _S.RUNNING:
        changes["up_seconds"] = figures.up_seconds + spent
    elif instance.state is _S.ERROR:
        changes["down_seconds"] = figures.down_seconds + spent
    if new is _S.RUNNING:
        changes |= {
            "startup_time": now.utc,
            "startups": figures.startups + 1,
            "startup_seconds": figures.startup_seconds + spent,
        }
    elif new is _S.STOPPED:
        changes["shutdown_time"] = now.utc
    counted = replace(figures, **changes)
    return _failed(counted, fault, now) if fault else counted


def _failed(figures: Statistics, fault: Fault, now: Now) -> Statistics:
    return replace(figures, error_count=figures.error_count + 1, last_error=fault.summary, last_error_time=now.utc)
