"""Owns the course of a transaction: preparing, applying once the intent is durable, soaking, and the way to its end."""

from typing import Final, assert_never

from msgspec.structs import replace

from ignrun.runtime.apply import ends, follow, gate, prepare, rollback, soak
from ignrun.runtime.apply.goals import as_they_are, set_goals
from ignrun.runtime.apply.propose import take_up_the_next_edit
from ignrun.runtime.apply.shutdown import shut_down
from ignrun.runtime.apply.state import Phase, Transaction
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import KeepOutcome, Outcome, Result
from ignrun.runtime.supervise.messages import IntentDurable, JournalRefused, OutcomeDurable, ShutdownAsked
from ignrun.terms.events import ApplyEnded, SoakEnded
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address

_RUNNING_COURSE: Final = (Phase.PREPARING, Phase.APPLYING, Phase.SOAKING)


def deadline(turn: Turn) -> float | None:
    """Give the monotonic time at which the open transaction gives up waiting; None where nothing can be late."""
    transaction = turn.state.transaction
    if transaction is None:
        return None
    if transaction.phase is Phase.ROLLING_BACK:
        return transaction.turned + transaction.proposal.apply.deadline
    if transaction.phase not in _RUNNING_COURSE:
        return None
    return transaction.began + transaction.proposal.apply.deadline


def wakes(turn: Turn) -> float | None:
    """Give the monotonic time at which the open transaction has to be looked at again, whatever happens."""
    transaction = turn.state.transaction
    if transaction is None or transaction.phase is not Phase.SOAKING:
        return deadline(turn)
    late = transaction.began + transaction.proposal.apply.deadline
    return soak.due(turn) if soak.due(turn) > turn.now.mono else late


def advance(turn: Turn) -> bool:
    """Carry the open transaction on as far as it can go now; tell whether anything was done."""
    transaction = turn.state.transaction
    if transaction is None:
        return False
    match transaction.phase:
        case Phase.PREPARING:
            return _prepare(turn)
        case Phase.APPLYING:
            return _apply(turn)
        case Phase.SOAKING:
            return _soak(turn)
        case Phase.ROLLING_BACK:
            return _roll_back(turn)
        case Phase.PREPARED:
            return _is_overtaken(turn)
        case Phase.CLOSING:
            return False
        case _:
            assert_never(transaction.phase)


def _is_late(turn: Turn) -> bool:
    due = deadline(turn)
    return due is not None and due <= turn.now.mono


def _prepare(turn: Turn) -> bool:
    if _is_overtaken(turn):
        return True
    faults = prepare.advance(turn)
    if faults is None and not _is_late(turn):
        return False
    if faults is None:
        late = Fault(FaultKind.TIMED_OUT, "its class was not imported when the deadline of the apply came")
        silent = Fault(FaultKind.TIMED_OUT, "it had not answered for the change when the deadline of the apply came")
        faults = {spec.address: late for spec, _ in prepare.fresh(turn)}
        faults |= {address: silent for address, _ in prepare.asked_of(turn)}
    if faults:
        ends.abandon(turn, Result.REJECTED, f"nothing was touched; cannot be run: {_reason(faults)}", faults)
    else:
        prepare.keep_intent(turn)
    return True


def _is_overtaken(turn: Turn) -> bool:
    """Give way to the failure of the one that was to be followed: first of all it is rolled back."""
    follows = turn.transaction.follows
    touched = () if follows is None else [a for a in turn.draft.touched if a in follows.members]
    if follows is None or not gate.faults_of(turn.draft, touched):
        return False
    summary = f"nothing was touched; generation {follows.generation}, which it was to follow, has failed"
    ends.abandon(turn, Result.REFUSED, summary, {})
    return True


def _apply(turn: Turn) -> bool:
    follow.follow(turn)
    settled = gate.settle(turn)
    if not settled and _is_late(turn):
        gate.give_up(turn)
        settled = True
    if turn.transaction.faults:
        return _fail(turn, settled=settled)
    if not settled:
        return False
    if soak.begin(turn):
        return True
    ends.commit(turn)
    return True


def _soak(turn: Turn) -> bool:
    settled, late = gate.settle(turn), _is_late(turn)
    if turn.transaction.faults:
        return _fail(turn, settled=True)
    unproven = soak.unproven(turn) if settled else []
    if late and (unproven or not settled):
        gate.give_up(turn)
        faults = {address: _unproven(turn, address) for address in unproven}
        turn.change_transaction(faults={**faults, **turn.transaction.faults})
        return _fail(turn, settled=True)
    if take_up_the_next_edit(turn):
        return True
    if not settled or unproven or turn.now.mono < soak.due(turn):
        return False
    ends.commit(turn)
    return True


def _unproven(turn: Turn, address: Address) -> Fault:
    """Say of one that is watched, and was not well until the deadline, how it was."""
    instance = turn.draft.instances[address]
    told = f": {instance.health_reason}" if instance.health_reason else ""
    why = f"it has not proven to be healthy by the deadline of the apply, it is {instance.health.value}{told}"
    return Fault(FaultKind.UNHEALTHY, why, callback="check_health")


def _fail(turn: Turn, *, settled: bool) -> bool:
    """Do what a failure asks for: go back at once, or wait for the others and stay."""
    transaction = turn.transaction
    reason = _reason(transaction.faults)
    if transaction.on_failure == "rollback" and rollback.is_possible(transaction):
        ends.turn_round(turn, reason)
        return True
    if transaction.on_failure != "exit" and not settled:
        return False
    done = transaction.irreversible & transaction.begun
    if transaction.on_failure == "exit":
        ends.hold(turn, "the plant goes down, as `on_failure: exit` says")
    elif transaction.back is not None and done and transaction.on_failure == "rollback":
        ends.hold(turn, f"not rolled back, for the step of {', '.join(sorted(done))} is irreversible")
    else:
        ends.hold(turn)
    return True


def _reason(faults: dict[Address, Fault]) -> str:
    roots = sorted(
        address for address, fault in faults.items() if fault.kind is not FaultKind.UPSTREAM and not fault.upstream
    )
    first = roots[0] if roots else min(faults)
    more = f" (and {len(roots) - 1} more)" if len(roots) > 1 else ""
    return f"{first}: {faults[first].summary}{more}"


def _roll_back(turn: Turn) -> bool:
    back = rollback.advance(turn)
    if not back and _is_late(turn):
        rollback.give_up(turn, "not back when the deadline of the rollback came")
        back = True
    if not back:
        return False
    result, faults = rollback.end(turn)
    lost = sorted(turn.transaction.lost)
    missing = f", but {', '.join(lost)} could not be restored" if lost else ""
    ends.close(turn, result, f"back to generation {turn.state.generation}{missing}: {turn.transaction.reason}", faults)
    return True


# --- what the journal answers -----------------------------------------------------------------------------------------


def intent_durable(turn: Turn, message: IntentDurable) -> None:
    """Begin to apply: set the goals; from here on supervision does the rest."""
    transaction = turn.state.transaction
    if transaction is None or transaction.number != message.transaction or transaction.phase is not Phase.PREPARED:
        return
    members, follows = frozenset(transaction.steps), transaction.follows
    before = as_they_are(turn, transaction.steps)
    if follows is not None:
        _give_way(turn, follows)
        members |= {address for address in follows.members if address in transaction.proposal.graph.instances}
    offered = {a: turn.draft.instances[a].exports for a in transaction.steps if a in turn.draft.instances}
    turn.change_transaction(
        phase=Phase.APPLYING,
        members=members,
        before=before,
        exports=offered,
        alone=follows.alone if follows else turn.draft.alone,
        well=gate.who_is_well(turn, members),
        requests=(*transaction.requests, *(follows.requests if follows else ())),
        follows=None,
    )
    turn.change(generation=transaction.generation)
    set_goals(turn)
    turn.draft.touched.update(dict.fromkeys(members))


def _give_way(turn: Turn, former: Transaction) -> None:
    """Let the one in SOAKING end: it has not failed, and nobody will know whether it would have held."""
    summary = f"apply {turn.transaction.number} takes its place"
    turn.record(SoakEnded(former.number, summary))
    turn.record(ApplyEnded(former.number, Result.SUPERSEDED.value, summary))
    turn.want(KeepOutcome(Outcome(former.number, Result.SUPERSEDED, former.generation, summary), former.proposal))


def outcome_durable(turn: Turn, message: OutcomeDurable) -> None:
    """Answer with the outcome, which is now sure."""
    transaction = turn.state.transaction
    if transaction is None or transaction.outcome is None or transaction.number != message.transaction:
        return
    _tell(turn, transaction.outcome)


def journal_refused(turn: Turn, message: JournalRefused) -> None:
    """Leave everything as it is when the intent cannot be kept; say so when only the outcome could not."""
    transaction = turn.state.transaction
    if transaction is None or transaction.number != message.transaction:
        return
    match transaction.phase:
        case Phase.PREPARED:
            reason = f"nothing was touched; the journal cannot keep it: {message.reason}"
            ends.abandon(turn, Result.REFUSED, reason, {})
        case Phase.CLOSING if transaction.outcome is not None:
            _tell(turn, _unkept(transaction.outcome, message.reason))
        case _:
            pass  # nothing is being kept


def _unkept(outcome: Outcome, reason: str) -> Outcome:
    """Say of an outcome that it has come to pass and could not be kept so far."""
    summary = f"{outcome.summary}; the journal cannot keep the outcome yet: {reason}"
    comes_into_force = outcome.result in {Result.COMMITTED, Result.HELD}
    return replace(outcome, result=Result.UNKEPT if comes_into_force else outcome.result, summary=summary)


def _tell(turn: Turn, outcome: Outcome) -> None:
    transaction = turn.transaction
    failed = outcome.result in (Result.HELD, Result.UNKEPT) and bool(outcome.faults)
    ends.tell(turn, outcome)
    if failed and transaction.on_failure == "exit" and turn.state.ending is None:
        shut_down(turn, ShutdownAsked("on_failure: exit", 1))
