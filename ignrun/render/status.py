"""Turns the runner's State into a StatusReport."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from ignrun.planner.graph.model import Hosted
from ignrun.render.status_report import (
    FORMAT_VERSION,
    MATES_TOLD,
    ApplyStatus,
    FaultStatus,
    InstanceStatistics,
    InstanceStatus,
    PlantStatus,
    RunnerFacts,
    StatusReport,
    Usage,
)
from ignrun.runtime.apply.state import Phase, State, Transaction
from ignrun.runtime.supervise.conditions import Standing, is_leaving, is_waiting, standing
from ignrun.runtime.supervise.roster import Goal, Instance, Roster
from ignrun.runtime.supervise.wiring import wired
from ignrun.terms.duration import show_duration
from ignrun.terms.fault import Fault
from ignrun.terms.names import Address, HostId
from ignrun.terms.states import Health, ModuleState


class _Now(msgspec.Struct, frozen=True):
    mono: float
    at: datetime

    def moment(self, then: float) -> datetime:
        """Give the time of day of a moment; the same `at - mono` gives the same answer, whenever it is asked."""
        return self.at - timedelta(seconds=self.mono) + timedelta(seconds=then)


def status_of(
    state: State,
    *,
    mono: float,
    at: datetime,
    runner: RunnerFacts,
    usage: Mapping[int, Usage] | None = None,
) -> StatusReport:
    """Describe a plant at one moment, told in both views of now: monotonic seconds and aware UTC.

    `usage` says by pid what processes take; an instance in a shared process has no figures of its own.
    """
    mates = _mates(state.roster)
    instances = tuple(
        _instance(one, state, mates, _Now(mono, at), usage or {})
        for one in _in_order(state.roster, state.graph.instances)
    )
    return StatusReport(FORMAT_VERSION, _plant(state, mono, at, runner), instances)


def _in_order(roster: Roster, wanted: Mapping[Address, object]) -> list[Instance]:
    known = [roster.instances[address] for address in wanted if address in roster.instances]
    return known + [one for address, one in roster.instances.items() if address not in wanted]


def _plant(state: State, mono: float, at: datetime, runner: RunnerFacts) -> PlantStatus:
    return PlantStatus(
        name=runner.name,
        state=_state_word(state),
        socket=runner.socket,
        generation=state.generation,
        pid=runner.pid,
        version=runner.version,
        started=runner.started,
        uptime_seconds=round((at - runner.started).total_seconds(), 3),
        manifest=runner.manifest,
        state_dir=runner.state_dir,
        apply=_apply(state, state.transaction, mono) if state.transaction else None,
        listen=runner.listen,
    )


def _state_word(state: State) -> str:
    if state.ending is not None:
        return "ending"
    if state.transaction:
        return "applying"
    if state.held:
        return "held"
    return "running" if state.generation else "idle"


def _apply(state: State, transaction: Transaction, mono: float) -> ApplyStatus:
    unsettled = tuple(address for address in transaction.steps if address not in transaction.ended)
    known = state.roster.instances
    degraded = tuple(a for a in transaction.members if a in known and known[a].health is Health.DEGRADED)
    return ApplyStatus(
        transaction=transaction.number,
        generation=transaction.generation,
        phase=transaction.phase.value,
        trigger=transaction.trigger,
        steps=len(transaction.steps),
        settled=len(transaction.steps) - len(unsettled),
        elapsed_seconds=round(max(0.0, mono - transaction.began), 3),
        waiting=tuple(sorted(degraded)) if transaction.phase is Phase.SOAKING else unsettled,
    )


def _mates(roster: Roster) -> dict[HostId, tuple[Address, ...]]:
    """Say which instances live in each host: those whose classes it has imported, or is to import."""
    found: dict[HostId, list[Address]] = {}
    for address, one in roster.instances.items():
        if isinstance(one.spec.body, Hosted):
            found.setdefault(one.spec.body.host, []).append(address)
    return {host: tuple(addresses) for host, addresses in found.items()}


def _instance(
    one: Instance,
    state: State,
    mates: Mapping[HostId, tuple[Address, ...]],
    now: _Now,
    usage: Mapping[int, Usage],
) -> InstanceStatus:
    roster = state.roster
    address, body = one.spec.address, one.spec.body
    host = body.host if isinstance(body, Hosted) else None
    sharing = mates.get(host, ()) if host else ()
    shares = tuple(mate for mate in sharing[: MATES_TOLD + 1] if mate != address)[:MATES_TOLD]
    pid = _pid(one, roster)
    retry = one.backoff.next_retry
    health, health_reason = _health(one, roster, now.mono)
    return InstanceStatus(
        address=address,
        module=one.spec.module,
        scope=one.spec.scope.word,
        state=one.state.value,
        health=health.value,
        health_reason=health_reason,
        goal=one.goal.value,
        pid=pid,
        host=host,
        cause=_cause(one, roster, now.mono),
        since=now.moment(one.since) if one.since else None,
        fault=fault_status(one.fault) if one.fault else None,
        attempt=one.backoff.attempt,
        next_retry=now.moment(retry) if retry is not None else None,
        parked=one.backoff.parked,
        held_by=one.held_by,
        completed=one.completed,
        exports=one.exports,
        upstream=one.upstream,
        failures=one.failures,
        waits_for=_waits_for(one, state),
        alone=roster.alone.get(address, ""),
        lacks=_lacks(one, state),
        notes=_notes(one, roster),
        shares_with=shares,
        shared_by=len(sharing),
        statistics=_statistics(one, health, now.mono, None if shares or pid is None else usage.get(pid)),
    )


def _notes(one: Instance, roster: Roster) -> tuple[str, ...]:
    record = roster.hosts.get(one.spec.body.host) if isinstance(one.spec.body, Hosted) else None
    return record.notes if record else one.notes


def _cause(one: Instance, roster: Roster, mono: float) -> str:
    """Say why it is where it is; while the loop of its host is stuck, that is why it does not go on."""
    record = roster.hosts.get(one.spec.body.host) if isinstance(one.spec.body, Hosted) else None
    if record is None or record.stall is None or not one.ordered:
        return one.cause
    stall = record.stall
    spent = show_duration(round(mono - stall.began))
    if stall.address in ("", one.spec.address):
        return f"blocked in {stall.where} for {spent}"
    return f"blocked by {stall.address} in {stall.where} for {spent}"


def _health(one: Instance, roster: Roster, mono: float) -> tuple[Health, str]:
    """Tell what its checks say and why; while the loop of its host is stuck, one that runs does not do its work."""
    record = roster.hosts.get(one.spec.body.host) if isinstance(one.spec.body, Hosted) else None
    passes = one.health is Health.HEALTHY or one.health is Health.DEGRADED
    if one.state is ModuleState.RUNNING and passes and record is not None and record.stall:
        return Health.DEGRADED, _cause(one, roster, mono)
    return one.health, one.health_reason


def _waits_for(one: Instance, state: State) -> tuple[str, ...]:
    """Name the providers that hold an instance back, which is meant to be up and is on its way."""
    if one.goal is not Goal.UP or not is_waiting(one) or is_leaving(one):
        return ()
    known = state.roster.instances
    needs = wired(state.graph).needs.get(one.spec.address, ())
    return tuple(e.provider for e in needs if standing(e, known.get(e.provider)) is not Standing.MET)


def _lacks(one: Instance, state: State) -> tuple[str, ...]:
    """Name the required providers that are in error while the instance goes on."""
    if one.state is not ModuleState.RUNNING:
        return ()
    known = state.roster.instances
    needs = (e.provider for e in wired(state.graph).needs.get(one.spec.address, ()) if e.kind == "requires")
    return tuple(p for p in dict.fromkeys(needs) if p in known and known[p].state is ModuleState.ERROR)


def _pid(one: Instance, roster: Roster) -> int | None:
    if not isinstance(one.spec.body, Hosted):
        return one.pid
    host = roster.hosts.get(one.spec.body.host)
    return host.pid if host else None


def fault_status(fault: Fault) -> FaultStatus:
    """Describe a fault for the public."""
    return FaultStatus(fault.kind.value, fault.summary, fault.callback, fault.upstream, fault.detail)


def _statistics(one: Instance, health: Health, mono: float, usage: Usage | None) -> InstanceStatistics:
    counted = one.statistics
    running = max(0.0, mono - one.since) if one.since else 0.0
    up = counted.up_seconds + (running if one.state is ModuleState.RUNNING else 0.0)
    down = counted.down_seconds + (running if one.state is ModuleState.ERROR else 0.0)
    return InstanceStatistics(
        uptime_seconds=round(up, 3),
        restart_count=counted.restart_count,
        error_count=counted.error_count,
        last_error=counted.last_error or None,
        last_error_time=counted.last_error_time,
        health_status=health.value,
        startup_time=counted.startup_time,
        shutdown_time=counted.shutdown_time,
        average_startup_time=_mean(counted.startup_seconds, counted.startups),
        availability_percentage=round(100 * up / (up + down), 3) if up + down > 0 else None,
        mean_time_between_failures=_mean(up, counted.error_count),
        event_count=counted.event_count,
        memory_usage=usage.memory if usage else None,
        cpu_usage=usage.cpu if usage else None,
    )


def _mean(total: float, count: int) -> float | None:
    return round(total / count, 6) if count else None


def unready(state: State) -> str:
    """Say why a plant as a whole is not up as wanted, nothing when it is; at most a few instances are named."""
    if state.ending is not None:
        return "the plant is going down"
    if state.transaction:
        return "an apply is under way"
    if not state.generation:
        return "nothing has been applied yet"
    found: dict[str, list[str]] = {}
    for address, one in state.roster.instances.items():
        if word := _lacking(one):
            found.setdefault(word, []).append(address)
    return "; ".join(f"{word}: {_few(addresses)}" for word, addresses in found.items())


def _lacking(one: Instance) -> str:
    """Say in a word what an instance lacks that is meant to be up; one that somebody holds, or takes care of, lacks nothing."""
    if one.state is ModuleState.ERROR:
        return "in error"
    if one.goal is not Goal.UP or one.completed or one.state is ModuleState.MAINTENANCE:
        return ""
    if one.state is not ModuleState.RUNNING:
        return "not running"
    return "unhealthy" if one.health is Health.UNHEALTHY else ""


def _few(addresses: list[str]) -> str:
    more = len(addresses) - _NAMED
    return ", ".join(addresses[:_NAMED]) + (f" and {more} more" if more > 0 else "")


_NAMED: Final = 5
