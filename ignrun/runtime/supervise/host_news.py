"""Turns what hosts say, and their ends, into records of the roster; what a host says is checked, not believed."""

from typing import assert_never

from msgspec.structs import replace

from ignrun.protocol.reports import (
    PROTOCOL,
    ConfigAsked,
    Exported,
    HealthReport,
    Hello,
    Loaded,
    Logged,
    Metrics,
    Move,
    Moves,
    Prepared,
    Resumed,
    Revised,
    Stalled,
    Unfinished,
)
from ignrun.runtime.supervise import culprit, hosts, in_place, moves
from ignrun.runtime.supervise.conditions import at_rest, is_leaving, is_maintained
from ignrun.runtime.supervise.draft import Draft, host_of
from ignrun.runtime.supervise.health import examine, go_on, hold_up
from ignrun.runtime.supervise.messages import HostEnded, HostLaunched, HostSaid
from ignrun.runtime.supervise.roster import Goal, HostPhase, HostRecord, Instance, Stall
from ignrun.terms.events import ExportsChanged, HostResumed, HostStalled, MoveRefused, ProcessEnded, ProcessStarted
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address, HostId
from ignrun.terms.states import ModuleState, may_move

_S = ModuleState

_MOMENT = 1.0
"""Seconds that a host in which memory ran out, or a callback clings, has for leaving by itself."""

_NO_CHECKS = frozenset(
    {
        "initialize",
        "startup",
        "run",
        "shutdown",
        "prepare_reconfigure",
        "reconfigure",
        "rebind",
        "create_gateway_hook",
        "create_client_hook",
        "create_designer_hook",
    }
)
"""Callbacks that are no health checks; whoever has any other is healthy only when a check has said so."""


def launched(draft: Draft, news: HostLaunched) -> None:
    """Take in that the process of a host exists."""
    record = draft.hosts.get(news.host)
    if record is None or record.epoch != news.epoch or record.phase is HostPhase.ABSENT:
        return
    draft.put_host(replace(record, pid=news.pid, notes=news.notes))
    draft.record(news.host, ProcessStarted(news.pid, "host"))


def said(draft: Draft, news: HostSaid) -> None:  # noqa: C901 - one case for each report
    """Take in a report of a host; those of an earlier process, or of one that is being ended for its faults, are dropped."""
    record = draft.hosts.get(news.host)
    if record is None or record.epoch != news.epoch or record.phase is HostPhase.ABSENT or record.blame:
        return
    report = news.report
    if isinstance(
        report, Hello | Loaded | Moves | Prepared | Revised
    ):  # anything else is no progress in what it was told to do
        record = draft.hosts[news.host] = replace(record, heard=draft.now.mono)
    match report:
        case Hello():
            _greeted(draft, record, report)
        case Loaded():
            _loaded(draft, record, report)
        case Moves():
            _moved(draft, news.host, report.moves)
        case Exported():
            _exported(draft, news.host, report)
        case HealthReport():
            instance = _incarnation(draft, news.host, report.address, report.epoch)
            if instance is not None:
                examine(draft, instance, report.health, report.reason)
        case Stalled() | Resumed():
            _breathed(draft, record, report)
        case Prepared() | Revised():
            _changed(draft, news.host, report)
        case Logged() | Unfinished() | Metrics() | ConfigAsked():
            pass  # for the log, not for decisions
        case _:
            assert_never(report)


def ended(draft: Draft, news: HostEnded) -> None:
    """Take in that the process of a host is gone, and that everything in it went with it."""
    record = draft.hosts.get(news.host)
    if record is None or record.epoch != news.epoch or record.phase is HostPhase.ABSENT:
        return
    if record.pid is not None:
        draft.record(news.host, ProcessEnded(record.pid, "host", news.how))
    fault = _fault_of_end(record, news.how)
    expected = record.phase is HostPhase.ENDING and not record.blame
    guilty = None if expected else culprit.culprit_of(draft, record, news)
    buried = hosts.bury(draft, record, failed=not expected, explained=guilty is not None or record.blame is not None)
    suspects = culprit.suspects_of(draft, buried)
    draft.put_host(buried)
    for address in dict.fromkeys((*draft.members(news.host), *hosts.strays(draft, news.host))):
        instance = draft.instances[address]
        coming = not expected and _was_coming(instance)
        if host_of(instance) == news.host and (not at_rest(instance) or coming):
            _lost(draft, instance, fault, guilty)
        draft.dirty[address] = None
    if guilty is not None:
        culprit.place_alone(draft, guilty, fault)
    else:
        culprit.spread(draft, suspects, fault)


def _lost(draft: Draft, instance: Instance, fault: Fault, guilty: Address | None) -> None:
    """Take in that an incarnation is gone with its host; only the culprit, where one is known, is to blame for it."""
    if is_maintained(instance):
        moves.pass_away(draft, instance, fault)
    elif guilty is None:
        moves.fail(draft, instance, fault, by_host=True)
    elif guilty == instance.spec.address:
        moves.fail(draft, instance, fault)
    else:
        moves.fail(draft, instance, culprit.of_bystander(fault, guilty), by_host=True)


def _fault_of_end(record: HostRecord, how: str) -> Fault:
    if record.blame is not None:
        return replace(record.blame, upstream="")
    kind = FaultKind.NOT_STARTED if record.pid is None else FaultKind.EXITED
    return Fault(kind, f"host {record.host} ended: {how}")


def _was_coming(instance: Instance) -> bool:
    if is_maintained(instance):
        return False
    return instance.goal is Goal.UP and not instance.completed and not is_leaving(instance) and instance.fault is None


def _breathed(draft: Draft, record: HostRecord, report: Stalled | Resumed) -> None:
    """Keep in what a host is stuck, for those who ask and for the fault that may come of it."""
    known = draft.instances.get(Address(report.address))
    address = report.address if known is not None and host_of(known) == record.host else ""
    stall: Stall | None = None
    match report:
        case Stalled(_, where, seconds):
            stall = Stall(address, where, draft.now.mono - seconds)
            draft.record(address or record.host, HostStalled(record.host, where, seconds))
            draft.watched[record.host] = draft.now.mono  # who keeps it may have less patience than his neighbours
            if known is not None and address:
                hold_up(draft, known, where)
        case Resumed(_, seconds):
            draft.record(address or record.host, HostResumed(record.host, seconds))
            held_up = draft.instances.get(Address(record.stall.address)) if record.stall else None
            if held_up is not None:
                go_on(draft, held_up)
        case _:
            assert_never(report)
    draft.put_host(replace(record, stall=stall))


def _greeted(draft: Draft, record: HostRecord, hello: Hello) -> None:
    if record.phase is not HostPhase.LAUNCHING:
        return
    if hello.protocol != PROTOCOL:
        hosts.blame(
            draft,
            record,
            Fault(
                FaultKind.PROTOCOL,
                f"host {record.host} speaks protocol {hello.protocol}, this runner speaks {PROTOCOL}",
            ),
        )
        return
    draft.put_host(replace(record, phase=HostPhase.LOADING, socket=hello.socket, pid=record.pid or hello.pid))
    draft.mark_members(record.host)
    draft.moved.update(dict.fromkeys(draft.members(record.host)))


def _loaded(draft: Draft, record: HostRecord, report: Loaded) -> None:
    fine = frozenset(Address(t.address) for t in report.traits if t.address in record.assigned)
    refused = {Address(f.address): f.fault for f in report.faults if f.address in record.assigned}
    checked = fine & {Address(t.address) for t in report.traits if not _NO_CHECKS.issuperset(t.callbacks)}
    phase = HostPhase.SERVING if record.phase is HostPhase.LOADING else record.phase
    loaded = replace(
        record,
        phase=phase,
        loaded=(record.loaded | fine) - refused.keys(),
        refused={**{a: f for a, f in record.refused.items() if a not in fine}, **refused},
        checked=(record.checked - fine) | checked,
    )
    draft.put_host(loaded)
    draft.dirty.update(dict.fromkeys((*fine, *refused)))


def _incarnation(draft: Draft, host: HostId, address: str, epoch: int) -> Instance | None:
    """Find the living incarnation that a host speaks of; None when what it says is stale."""
    instance = draft.instances.get(Address(address))
    if instance is None or instance.epoch != epoch or not instance.ordered or host_of(instance) != host:
        return None
    return instance


def _moved(draft: Draft, host: HostId, reported: tuple[Move, ...]) -> None:
    for report in reported:
        instance = _incarnation(draft, host, report.address, report.epoch)
        if instance is None:
            continue
        # Into and out of maintenance is an operator's to say.
        if not may_move(_seen_from_host(instance), report.new) or report.new is _S.MAINTENANCE:
            draft.record(instance.spec.address, MoveRefused(instance.state, report.new, report.epoch))
            what = f"{report.address} from {instance.state.value} to {report.new.value}"
            hosts.blame(
                draft,
                draft.hosts[host],
                Fault(FaultKind.PROTOCOL, f"host {host} reported a move that there is not: {what}"),
            )
            return
        _take(draft, instance, report, draft.hosts[host])


def _seen_from_host(instance: Instance) -> ModuleState:
    """Give where an incarnation is as its host sees it, which knows nothing of maintenance."""
    return _S.RUNNING if is_maintained(instance) else instance.state


def _take(draft: Draft, instance: Instance, report: Move, host: HostRecord) -> None:
    if is_maintained(instance) and not instance.stopping and report.new is _S.ERROR:
        moves.pass_away(draft, instance, report.fault)
        return
    match report.new:
        case _S.RUNNING:
            exports = (
                {**instance.spec.exports.plain, **(report.exports or {})}
                if instance.spec.exports.plain
                else report.exports
            )
            moves.run(draft, instance, report.cause, exports or {}, checked=report.address in host.checked)
        case _S.STOPPED:
            _stopped(draft, instance, report.cause)
        case _S.ERROR:
            unexplained = Fault(FaultKind.PROTOCOL, f"host {host.host} named no fault")
            fault = report.fault or unexplained
            moves.fail(draft, instance, fault)
            _clear(draft, instance.spec.address, fault, draft.hosts[host.host])
        case _:
            moves.move(draft, instance, report.new, report.cause)


def _clear(draft: Draft, address: Address, fault: Fault, host: HostRecord) -> None:
    """End a host of one's own together with what fills it or still runs in it; who shares one moves out and leaves that behind."""
    overdue = fault.kind is FaultKind.OVERDUE
    if overdue and any(other != address for other in draft.members(host.host)):
        culprit.place_alone(draft, address, fault)
    elif overdue or (host.own and _is_out_of_memory(fault)):
        hosts.end(draft, host, grace=_MOMENT)


def _is_out_of_memory(fault: Fault) -> bool:
    return fault.kind is FaultKind.RAISED and fault.summary.partition(":")[0].endswith("MemoryError")


def _stopped(draft: Draft, instance: Instance, cause: str) -> None:
    if instance.stopping or is_leaving(instance):
        moves.stop(draft, instance, cause)
    elif cause == "completed":
        moves.stop(draft, instance, cause, completed=True)
    else:
        moves.fail(draft, instance, Fault(FaultKind.EXITED, "it stopped without having been told to"))


def _changed(draft: Draft, host: HostId, report: Prepared | Revised) -> None:
    instance = _incarnation(draft, host, report.address, report.epoch)
    if instance is None:
        return
    match report:
        case Prepared():
            in_place.answered(draft, instance, report)
        case Revised(exports=None):
            in_place.revised(draft, instance, report, None)
        case Revised(exports=exports):
            declared = (instance.in_place.spec if instance.in_place else instance.spec).exports.plain
            in_place.revised(draft, instance, report, {**(declared or {}), **(exports or {})})
        case _:
            assert_never(report)


def _exported(draft: Draft, host: HostId, report: Exported) -> None:
    instance = _incarnation(draft, host, report.address, report.epoch)
    if instance is not None and instance.state is _S.RUNNING:
        draft.put(replace(instance, exports=report.exports))
        draft.record(instance.spec.address, ExportsChanged(tuple(report.exports)))
