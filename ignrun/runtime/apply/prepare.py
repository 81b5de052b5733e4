"""Decides whether an apply may touch anything: launches the hosts it needs, has every new class imported, keeps the intent."""

from ignrun.planner.graph.model import Hosted, InstanceSpec
from ignrun.protocol.reports import Prepared
from ignrun.runtime.apply.goals import IN_PLACE, changes_in_place
from ignrun.runtime.apply.state import Phase
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise import hosts
from ignrun.runtime.supervise.draft import host_of
from ignrun.runtime.supervise.effects import KeepIntent
from ignrun.runtime.supervise.in_place import ask, can_be_asked
from ignrun.runtime.supervise.messages import HostEnded, HostSaid
from ignrun.runtime.supervise.roster import HostPhase, HostRecord, InPlace, Instance
from ignrun.runtime.supervise.wiring import wired
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address, HostId

_HEARING = (HostPhase.LOADING, HostPhase.SERVING)


def begin(turn: Turn) -> None:
    """Keep the hosts of everybody whom it changes, also those whose present members leave while it is prepared."""
    desired = turn.desired.instances
    homes = (host_of(Instance(desired[address])) for address in turn.transaction.steps if address in desired)
    turn.change_transaction(staged=tuple(dict.fromkeys(host for host in homes if host is not None)))
    for spec, body in fresh(turn):
        hosts.forget_refusal(turn.draft, body.host, spec.address)


def fresh(turn: Turn) -> list[tuple[InstanceSpec, Hosted]]:
    """List the hosted instances that the transaction creates or replaces, whose classes have to be imported anew."""
    transaction = turn.transaction
    graph = turn.desired
    found = []
    for address in transaction.steps:
        spec = graph.instances.get(address)
        if spec is not None and isinstance(spec.body, Hosted) and _is_fresh(turn, spec, spec.body):
            found.append((spec, spec.body))
    return found


def _is_fresh(turn: Turn, spec: InstanceSpec, body: Hosted) -> bool:
    present = turn.draft.instances.get(spec.address)
    if present is None or not isinstance(present.spec.body, Hosted):
        return True
    return present.spec.body.host != body.host and turn.transaction.actions[spec.address] != "restart"


def advance(turn: Turn) -> dict[Address, Fault] | None:
    """Load what can be loaded; give None while answers are due, else the faults of what cannot be run (none: go on)."""
    waiting = _ask(turn)
    faults = dict(turn.transaction.faults)
    for spec, body in fresh(turn):
        if spec.address in faults:
            continue
        record = hosts.want(turn.draft, spec, body)
        if spec.address in record.refused:
            faults[spec.address] = record.refused[spec.address]
        elif spec.address not in record.loaded or not _is_told(turn, spec, record):
            _load(turn, spec, record)
            waiting = True
    return None if waiting else faults


def _ask(turn: Turn) -> bool:
    """Ask every incarnation that is to be changed in place; tell whether answers are due."""
    transaction, desired = turn.transaction, turn.desired
    waiting, asked = False, {}
    for address, plan in asked_of(turn):
        instance = turn.draft.instances[address]
        if transaction.asked.get(address) != instance.epoch:
            ask(turn.draft, instance, plan, wired(desired), anew=transaction.actions[address] not in IN_PLACE)
            asked[address] = instance.epoch
        waiting = waiting or (bool(turn.draft.instances[address].asked) and _is_waited_for(turn, address, instance))
    if asked:
        turn.change_transaction(asked={**transaction.asked, **asked})
    return waiting


def _is_waited_for(turn: Turn, address: Address, instance: Instance) -> bool:
    """Tell whether an answer counts: of one that is stuck, and to be restarted, nothing is expected."""
    record = turn.draft.hosts.get(host_of(instance) or HostId(""))
    return turn.transaction.actions[address] in IN_PLACE or record is None or record.stall is None


def asked_of(turn: Turn) -> list[tuple[Address, InPlace]]:
    """List the hosted incarnations that run and are to become something else where they are, with what.

    One that is to be restarted is asked, too: it knows the class by which the new config has to go.
    """
    transaction, desired = turn.transaction, turn.desired
    found = []
    for address in transaction.steps:
        if can_be_asked(turn.draft.instances.get(address)) and address in desired.instances:
            instance, spec = turn.draft.instances[address], desired.instances[address]
            if _knows(transaction.actions[address], instance, spec) and changes_in_place(instance, spec):
                plan = InPlace(spec, transaction.paths.get(address, ()), transaction.slots.get(address, ()))
                found.append((address, plan))
    return found


def _knows(action: str, instance: Instance, spec: InstanceSpec) -> bool:
    """Tell whether a running incarnation can say something of what is to come: it is changed itself, or followed by one of its class."""
    before, after = instance.spec.body, spec.body
    if not isinstance(before, Hosted) or not isinstance(after, Hosted):
        return False
    return action in IN_PLACE or (action == "restart" and (before.entry, before.code) == (after.entry, after.code))


def note_answer(turn: Turn, news: HostSaid, report: Prepared) -> None:
    """Remember who does not agree to what the apply wants of him."""
    instance = turn.draft.instances.get(Address(report.address))
    record = turn.draft.hosts.get(news.host)
    current = instance is not None and record is not None and record.epoch == news.epoch
    if report.fault is None or not current or instance is None or instance.asked != report.change or not report.change:
        return
    if instance.epoch == report.epoch and host_of(instance) == news.host and report.address in turn.transaction.asked:
        turn.change_transaction(faults={**turn.transaction.faults, instance.spec.address: report.fault})


def _is_told(turn: Turn, spec: InstanceSpec, record: HostRecord) -> bool:
    wiring = wired(turn.desired)
    return record.assigned.get(spec.address) == turn.draft.assignment(spec.address, wiring)


def _load(turn: Turn, spec: InstanceSpec, record: HostRecord) -> None:
    if record.phase in _HEARING and not record.blame and not _is_told(turn, spec, record):
        turn.draft.batch(record.host).loads[spec.address] = (spec, wired(turn.desired))


def note_end(turn: Turn, news: HostEnded) -> None:
    """Remember that a host ended before the apply could use it, or before somebody in it had agreed to what he is asked.

    Nobody who was to be loaded into it can be run; and who dies of the question has not agreed.
    """
    record = turn.draft.hosts.get(news.host)
    if record is None or record.epoch != news.epoch or (record.phase is HostPhase.ENDING and not record.blame):
        return
    fault = record.blame or Fault(FaultKind.NOT_STARTED, f"host {news.host} ended while it was prepared: {news.how}")
    lost = [spec.address for spec, body in fresh(turn) if body.host == news.host]
    lost += [address for address in turn.transaction.asked if _owes(turn, address, news)]
    turn.change_transaction(faults={**turn.transaction.faults, **dict.fromkeys(lost, fault)})


def _owes(turn: Turn, address: Address, news: HostEnded) -> bool:
    instance = turn.draft.instances.get(address)
    changes = turn.transaction.actions.get(Address(address)) in IN_PLACE
    return changes and instance is not None and bool(instance.asked) and host_of(instance) == news.host


def keep_intent(turn: Turn) -> None:
    """Have the whole step list made durable before the first order leaves."""
    transaction = turn.change_transaction(phase=Phase.PREPARED)
    turn.change(last_generation=max(turn.state.last_generation, transaction.generation))
    turn.want(
        KeepIntent(
            transaction.number,
            transaction.generation,
            transaction.proposal,
            transaction.trigger,
            transaction.is_kept,
        )
    )


def end_staged(turn: Turn) -> None:
    """Let the hosts in which nobody else lives end with a transaction that does not come to pass."""
    turn.draft.dirty_hosts.update(dict.fromkeys(turn.transaction.staged))
