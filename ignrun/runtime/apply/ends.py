"""Decides how a transaction ends: abandoned, held, committed, turned round; and has its outcome kept before it is told."""

from msgspec.structs import replace

from ignrun.planner.graph.model import EMPTY
from ignrun.runtime.apply import prepare, rollback, soak
from ignrun.runtime.apply.propose import take_next
from ignrun.runtime.apply.state import Good, Phase, Transaction
from ignrun.runtime.apply.summary import summary_of
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import AnswerApply, KeepOutcome, Outcome, Result
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.events import ApplyEnded
from ignrun.terms.fault import Fault
from ignrun.terms.names import Address

_REMEMBERED = (Result.REJECTED, Result.ROLLED_BACK, Result.ROLLBACK_PARTIAL)


def abandon(turn: Turn, result: Result, summary: str, faults: dict[Address, Fault]) -> None:
    """End the open transaction without its having come to pass; the one that it was to follow goes on."""
    prepare.end_staged(turn)
    number = turn.transaction.number
    turn.record(ApplyEnded(number, result.value, summary))
    _answer(turn, Outcome(number, result, turn.state.generation, summary, faults))


def turn_round(turn: Turn, reason: str) -> None:
    """Begin the way back."""
    if turn.transaction.phase is Phase.SOAKING:
        soak.end(turn, reason)
    rollback.begin(turn, reason)


def hold(turn: Turn, reason: str = "") -> None:
    """Leave what was done as it is, though not everything has arrived."""
    if turn.transaction.phase is Phase.SOAKING:
        soak.end(turn, reason or "not everything holds")
    for instance in tuple(turn.draft.instances.values()):
        plan = instance.in_place
        if plan is not None and plan.change and plan.fault is not None:  # nobody knows what is in effect
            turn.draft.put(replace(instance, in_place=None, next_spec=plan.spec, cause=plan.fault.summary))
    why = f"{reason}; " if reason else ""
    close(turn, Result.HELD, why + summary_of(turn, Result.HELD), turn.transaction.faults)


def commit(turn: Turn) -> None:
    """Let what was done be the one that is good."""
    if turn.transaction.phase is Phase.SOAKING:
        soak.end(turn)
    close(turn, Result.COMMITTED, summary_of(turn, Result.COMMITTED), {})


def close(turn: Turn, result: Result, summary: str, faults: dict[Address, Fault]) -> None:
    """Have an outcome made durable; it is told when it is."""
    transaction = turn.transaction
    outcome = Outcome(transaction.number, result, turn.state.generation, summary, faults)
    turn.record(ApplyEnded(transaction.number, result.value, summary))
    turn.change_transaction(phase=Phase.CLOSING, outcome=outcome)
    turn.want(KeepOutcome(outcome, transaction.proposal))


def tell(turn: Turn, outcome: Outcome) -> None:
    """Answer with an outcome that is sure now, and remember what it means for the next apply, whether or not it could be kept so far."""
    transaction = turn.transaction
    match transaction.outcome.result if transaction.outcome else outcome.result:
        case Result.COMMITTED:
            turn.change(held=False, good=_as_good(transaction), since_good={}, refused={})
        case _ if transaction.reason:  # it went back, whether or not the journal could keep that
            turn.change(held=bool(transaction.lost), good=transaction.back, since_good={})
        case Result.HELD if (
            transaction.is_kept
        ):  # it was good once, and is no less so because somebody does not come up now
            turn.change(held=True, good=_as_good(transaction), since_good={})
        case _:
            turn.change(held=True, since_good=transaction.before)
    if not any(_still_runs_as_before(instance) for instance in turn.draft.instances.values()):
        turn.change(previous=EMPTY)
    _answer(turn, outcome)


def _as_good(transaction: Transaction) -> Good:
    return Good(transaction.generation, transaction.proposal.graph, transaction.proposal.target)


def _still_runs_as_before(instance: Instance) -> bool:
    return instance.goal is Goal.GONE or instance.next_spec is not None or instance.in_place is not None


def _answer(turn: Turn, outcome: Outcome) -> None:
    transaction = turn.transaction
    if outcome.result in _REMEMBERED and not transaction.cancels:  # nothing is known against what somebody took back
        turn.change(refused={**turn.state.refused, transaction.proposal.target: outcome})
    for request in transaction.requests:
        turn.want(AnswerApply(request, outcome))
    turn.change(transaction=transaction.follows)
    turn.draft.dirty.update(dict.fromkeys(transaction.members))
    if transaction.follows is not None:  # what happened in it in the meantime was not looked at
        turn.draft.touched.update(dict.fromkeys(transaction.follows.members))
    take_next(turn)
