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

_RESTARTED = dict.fromkeys(("reconfigure", "rebind", "reload", "policy"), "restart")
"""What is planned in place, until the transaction changes in place."""


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
    actions = _actions(turn, message.proposal, no_start=message.no_start)
    if actions:
        _open(turn, message, actions)
    else:
        turn.want(AnswerApply(message.request, _nothing_to_do(turn)))


def _actions(turn: Turn, proposal: Proposal, *, no_start: bool) -> dict[Address, str]:
    """Say what is done to whom: the steps of the plan, and whoever should be there, or up, and is not."""
    known = turn.draft.instances
    actions: dict[Address, str] = {
        step.address: _RESTARTED.get(step.action, step.action) for step in proposal.plan.steps if step.action != "no-op"
    }
    for address in proposal.graph.instances:
        present = known.get(address)
        if present is None:
            actions.setdefault(address, "create")
        elif present.goal is Goal.DOWN and not present.held_by and not no_start:
            actions.setdefault(address, "start")
    return actions


def _nothing_to_do(turn: Turn) -> Outcome:
    faults = faults_of(turn.draft, turn.draft.instances) if turn.state.held else {}
    if faults:
        names = ", ".join(sorted(faults))
        return Outcome(0, Result.HELD, turn.state.generation, f"nothing to change; still failing: {names}", faults)
    return Outcome(0, Result.UNCHANGED, turn.state.generation, "nothing to change")


def _open(turn: Turn, message: ApplyProposed, actions: dict[Address, str]) -> None:
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
        steps=tuple(actions),
        actions=actions,
    )
    turn.change(transaction=transaction, last_transaction=number)
    turn.record(ApplyBegan(number, message.proposal.target, message.trigger, len(actions)))
    prepare.begin(turn)
