"""Decides what becomes of a proposal: refused, queued, nothing to do, or a transaction of its own."""

from ignrun.planner.proposal import Proposal
from ignrun.runtime.apply import prepare
from ignrun.runtime.apply.gate import faults_of
from ignrun.runtime.apply.state import Phase, Transaction
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import AnswerApply, Outcome, Result
from ignrun.runtime.supervise.messages import ApplyProposed
from ignrun.runtime.supervise.roster import Goal
from ignrun.terms.events import ApplyBegan
from ignrun.terms.names import Address


def propose(turn: Turn, message: ApplyProposed) -> None:
    """Take up a proposal now, or keep it for later."""
    if turn.state.ending is not None:
        refuse(turn, message, "the plant is going down")
    elif turn.state.transaction is not None:
        turn.change(queue=(*turn.state.queue, message))
    else:
        _take_up(turn, message)


def take_next(turn: Turn) -> None:
    """Take up what waited, as far as its plan still compares with what is in force."""
    while turn.state.queue and turn.state.transaction is None and turn.state.ending is None:
        message, *rest = turn.state.queue
        turn.change(queue=tuple(rest))
        base = message.proposal.plan.base
        if base == turn.state.generation:
            _take_up(turn, message)
        else:
            refuse(
                turn,
                message,
                f"the plan is stale: it compares with generation {base}, {turn.state.generation} is in force",
            )


def refuse(turn: Turn, message: ApplyProposed, summary: str) -> None:
    """Answer that a proposal is not applied, without its having been touched."""
    turn.want(AnswerApply(message.request, Outcome(0, Result.REFUSED, turn.state.generation, summary)))


def _take_up(turn: Turn, message: ApplyProposed) -> None:
    steps = _steps(turn, message.proposal, no_start=message.no_start)
    if steps:
        _open(turn, message, steps)
    else:
        turn.want(AnswerApply(message.request, _nothing_to_do(turn)))


def _steps(turn: Turn, proposal: Proposal, *, no_start: bool) -> tuple[Address, ...]:
    """List whom the proposal changes: the steps of its plan, and whoever should be there, or up, and is not."""
    planned = [step.address for step in proposal.plan.steps if step.action != "no-op"]
    known = turn.draft.instances
    missing = [address for address in proposal.graph.instances if address not in known]
    resting = [a for a, i in known.items() if i.goal is Goal.DOWN and not i.held_by and a in proposal.graph.instances]
    return tuple(dict.fromkeys((*planned, *missing, *(() if no_start else resting))))


def _nothing_to_do(turn: Turn) -> Outcome:
    faults = faults_of(turn.draft, turn.draft.instances) if turn.state.held else {}
    if faults:
        names = ", ".join(sorted(faults))
        return Outcome(0, Result.HELD, turn.state.generation, f"nothing to change; still failing: {names}", faults)
    return Outcome(0, Result.UNCHANGED, turn.state.generation, "nothing to change")


def _open(turn: Turn, message: ApplyProposed, steps: tuple[Address, ...]) -> None:
    number = turn.state.last_transaction + 1
    transaction = Transaction(
        number=number,
        generation=turn.state.last_generation + 1,
        proposal=message.proposal,
        trigger=message.trigger,
        request=message.request,
        phase=Phase.PREPARING,
        began=turn.now.mono,
        no_start=message.no_start,
        steps=steps,
    )
    turn.change(transaction=transaction, last_transaction=number)
    turn.record(ApplyBegan(number, message.proposal.target, message.trigger, len(steps)))
    prepare.begin(turn)
