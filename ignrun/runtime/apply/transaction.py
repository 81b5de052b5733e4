"""Owns the course of a transaction: preparing, applying once the intent is durable, closing with an outcome, answering."""

from typing import Final, assert_never

from msgspec.structs import replace

from ignrun.planner.graph.model import EMPTY, Graph, InstanceSpec
from ignrun.runtime.apply import gate, prepare
from ignrun.runtime.apply.holds import is_held_down
from ignrun.runtime.apply.propose import take_next
from ignrun.runtime.apply.state import Phase
from ignrun.runtime.apply.summary import summary_of
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import AnswerApply, KeepOutcome, Outcome, Result
from ignrun.runtime.supervise.messages import CancelAsked, IntentDurable, JournalRefused, OutcomeDurable
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.events import ApplyEnded, OperatorAsked, StepBegan
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address

_RUNNING_COURSE: Final = (Phase.PREPARING, Phase.APPLYING)


def deadline(turn: Turn) -> float | None:
    """Give the monotonic time at which the open transaction gives up; None where nothing can be late."""
    transaction = turn.state.transaction
    if transaction is None or transaction.phase not in _RUNNING_COURSE:
        return None
    return transaction.began + transaction.proposal.apply.deadline


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
        case Phase.PREPARED | Phase.SOAKING | Phase.ROLLING_BACK | Phase.CLOSING:
            return False
        case _:
            assert_never(transaction.phase)


def _is_late(turn: Turn) -> bool:
    due = deadline(turn)
    return due is not None and due <= turn.now.mono


def _prepare(turn: Turn) -> bool:
    faults = prepare.advance(turn)
    if faults is None and not _is_late(turn):
        return False
    if faults is None:
        late = Fault(FaultKind.TIMED_OUT, "its class was not imported when the deadline of the apply came")
        faults = {spec.address: late for spec, _ in prepare.fresh(turn)}
    if faults:
        names = ", ".join(sorted(faults))
        abandon(turn, Result.REJECTED, f"nothing was touched; cannot be run: {names}", faults)
    else:
        prepare.keep_intent(turn)
    return True


def _apply(turn: Turn) -> bool:
    settled = gate.settle(turn)
    if not settled and _is_late(turn):
        gate.give_up(turn)
        settled = True
    if not settled:
        return False
    transaction = turn.transaction
    result = Result.HELD if transaction.faults else Result.COMMITTED
    outcome = Outcome(transaction.number, result, transaction.generation, summary_of(turn, result), transaction.faults)
    turn.change(generation=transaction.generation)
    turn.record(ApplyEnded(transaction.number, result.value, outcome.summary))
    turn.change_transaction(phase=Phase.CLOSING, outcome=outcome)
    turn.want(KeepOutcome(outcome, transaction.proposal))
    return True


# --- what the journal answers -----------------------------------------------------------------------------------------


def intent_durable(turn: Turn, message: IntentDurable) -> None:
    """Begin to apply: set the goals; from here on supervision does the rest."""
    transaction = turn.state.transaction
    if transaction is None or transaction.number != message.transaction or transaction.phase is not Phase.PREPARED:
        return
    desired, alone = turn.desired, turn.staying_alone
    _rewire(turn, transaction.proposal.graph)
    turn.draft.set_alone({a: why for a, why in alone.items() if a in desired.instances})
    turn.change_transaction(
        phase=Phase.APPLYING, members=frozenset(transaction.steps), begun=frozenset(transaction.steps)
    )
    for address in transaction.steps:
        turn.record(StepBegan(transaction.number, transaction.actions[address]), address)
    for address, spec in desired.instances.items():
        _set_goal(turn, address, spec, planned=transaction.actions.get(address, "start") != "start")
    for address in [a for a in turn.draft.instances if a not in desired.instances]:
        turn.draft.put(replace(turn.draft.instances[address], goal=Goal.GONE, next_spec=None))
    turn.draft.touched.update(dict.fromkeys(transaction.steps))
    turn.draft.dirty_hosts.update(dict.fromkeys(turn.draft.hosts))


def _rewire(turn: Turn, graph: Graph) -> None:
    """Let leaving instances keep the graph that they run under, also those still left over from an apply before."""
    state = turn.state
    former = turn.draft.graph
    lingering = {
        address: instance.spec
        for address, instance in turn.draft.instances.items()
        if address not in state.graph.instances or instance.next_spec is not None
    }
    if not lingering:
        turn.change(previous=former, graph=graph)
        return
    edges = tuple(edge for edge in state.previous.edges if edge.dependent in lingering)
    others = tuple(edge for edge in state.graph.edges if edge.dependent not in lingering)
    turn.change(previous=Graph(state.graph.plant, {**former.instances, **lingering}, (*edges, *others)), graph=graph)


def _set_goal(turn: Turn, address: Address, spec: InstanceSpec, *, planned: bool) -> None:
    draft, no_start = turn.draft, turn.transaction.no_start
    present = draft.instances.get(address)
    if present is None:
        held_by = turn.state.holds.get(address, "")
        goal = Goal.DOWN if no_start or held_by else Goal.UP
        draft.put(Instance(spec, goal, since=turn.now.mono, held_by=held_by, cause=held_by and "stopped by hand"))
        return
    rests = is_held_down(present) or (no_start and present.goal is Goal.DOWN)
    goal = Goal.DOWN if rests else Goal.UP
    if planned:
        draft.put(replace(present, goal=goal, next_spec=spec))
    elif present.next_spec is None and _stays_put(spec, present.spec):
        draft.put(replace(present, goal=goal, spec=spec))
    elif goal is not present.goal:
        draft.put(replace(present, goal=goal))


def _stays_put(spec: InstanceSpec, present: InstanceSpec) -> bool:
    """Tell whether an unchanged instance can take the new words of its spec while it runs."""
    return spec.facets.identity == present.facets.identity and spec.body == present.body


def outcome_durable(turn: Turn, message: OutcomeDurable) -> None:
    """Answer with the outcome, which is now sure."""
    transaction = turn.state.transaction
    if transaction is None or transaction.outcome is None or transaction.number != message.transaction:
        return
    _close(turn, transaction.outcome)


def cancel(turn: Turn, message: CancelAsked) -> None:
    """Give the open transaction up while nothing has been touched by it."""
    transaction = turn.state.transaction
    if transaction is not None and transaction.phase in (Phase.PREPARING, Phase.PREPARED):
        turn.record(OperatorAsked("cancel", message.by))
        abandon(turn, Result.REFUSED, f"nothing was touched; cancelled by {message.by}", {})


def journal_refused(turn: Turn, message: JournalRefused) -> None:
    """Leave everything as it is when the intent cannot be kept; say so when only the outcome could not."""
    transaction = turn.state.transaction
    if transaction is None or transaction.number != message.transaction:
        return
    match transaction.phase:
        case Phase.PREPARED:
            abandon(turn, Result.REFUSED, f"nothing was touched; the journal cannot keep it: {message.reason}", {})
        case Phase.CLOSING if transaction.outcome is not None:
            summary = f"{transaction.outcome.summary}; but the journal could not keep the outcome: {message.reason}"
            _close(turn, replace(transaction.outcome, result=Result.REFUSED, summary=summary))
        case _:
            pass  # nothing is being kept


# --- ends -------------------------------------------------------------------------------------------------------------


def abandon(turn: Turn, result: Result, summary: str, faults: dict[Address, Fault]) -> None:
    """End the open transaction without its having come to pass."""
    prepare.end_staged(turn)
    number = turn.transaction.number
    turn.record(ApplyEnded(number, result.value, summary))
    outcome = Outcome(number, result, turn.state.generation, summary, faults)
    _answer(turn, outcome)


def _close(turn: Turn, outcome: Outcome) -> None:
    turn.change(held=outcome.result is not Result.COMMITTED)
    if not any(i.goal is Goal.GONE or i.next_spec is not None for i in turn.draft.instances.values()):
        turn.change(previous=EMPTY)
    _answer(turn, outcome)


def _answer(turn: Turn, outcome: Outcome) -> None:
    transaction = turn.transaction
    turn.want(AnswerApply(transaction.request, outcome))
    turn.change(transaction=None)
    turn.draft.dirty.update(dict.fromkeys(transaction.members))
    take_next(turn)
