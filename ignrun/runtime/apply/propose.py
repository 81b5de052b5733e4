"""Decides what becomes of a proposal: refused, remembered, joined, queued, nothing to do, or a transaction of its own."""

from msgspec.structs import replace

from ignrun.planner.plan.model import Step
from ignrun.planner.proposal import Proposal
from ignrun.runtime.apply import prepare
from ignrun.runtime.apply.gate import faults_of
from ignrun.runtime.apply.goals import is_by_hand
from ignrun.runtime.apply.state import Good, Phase, Transaction
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import AnswerApply, Outcome, Result
from ignrun.runtime.supervise.messages import ApplyProposed
from ignrun.runtime.supervise.roster import Goal
from ignrun.terms.events import ApplyBegan
from ignrun.terms.leaves import Path
from ignrun.terms.names import Address


def propose(turn: Turn, message: ApplyProposed) -> None:
    """Take up a proposal now, keep it for later, or answer it with what is known of it."""
    state, target = turn.state, message.proposal.target
    if state.ending is not None:
        refuse(turn, message, "the plant is going down")
    elif _joins(turn, message):
        return
    elif target in state.refused and not message.retry and message.trigger != "rollback":
        turn.want(AnswerApply(message.request, _as_before(turn, state.refused[target])))
    elif state.transaction is None:
        _take_up(turn, message)
    else:
        turn.change(queue=(*state.queue, message))


def _joins(turn: Turn, message: ApplyProposed) -> bool:
    """Let who asks for what is under way already have its outcome."""
    transaction = turn.state.transaction
    if transaction is None:
        return False
    if transaction.proposal.target == message.proposal.target and transaction.no_start == message.no_start:
        turn.change_transaction(requests=(*transaction.requests, message.request))
        return True
    return False


def _as_before(turn: Turn, outcome: Outcome) -> Outcome:
    """Give a remembered outcome as the answer to one who asks again."""
    again = f"{outcome.summary} (not tried again: nothing has changed since)"
    return replace(outcome, generation=turn.state.generation, summary=again)


def take_next(turn: Turn) -> None:
    """Take up what waited, as far as its plan still compares with what is in force."""
    while turn.state.queue and turn.state.transaction is None and turn.state.ending is None:
        message, *rest = turn.state.queue
        turn.change(queue=tuple(rest))
        if message.proposal.plan.base == turn.state.generation:
            _take_up(turn, message)
        else:
            _refuse_stale(turn, message)


def take_up_the_next_edit(turn: Turn) -> bool:
    """Begin with a later edit while the open transaction is only watched; tell whether one was begun."""
    queue, generation = turn.state.queue, turn.state.generation
    if not queue or turn.state.ending is not None:
        return False
    message, *rest = queue
    turn.change(queue=tuple(rest))
    if message.proposal.plan.base != generation:
        _refuse_stale(turn, message)
        return True
    if actions := _actions(turn, message.proposal, no_start=message.no_start):
        _open(turn, message, actions)
    else:
        turn.change_transaction(requests=(*turn.transaction.requests, message.request))
    return True


def _refuse_stale(turn: Turn, message: ApplyProposed) -> None:
    base, generation = message.proposal.plan.base, turn.state.generation
    refuse(turn, message, f"the plan is stale: it compares with generation {base}, {generation} is in force")


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
    actions: dict[Address, str] = {step.address: step.action for step in proposal.plan.steps if step.action != "no-op"}
    for address in proposal.graph.instances:
        present = known.get(address)
        if present is None:
            actions.setdefault(address, "create")
        elif present.goal is Goal.DOWN and not (present.held_by or no_start or is_by_hand(present.spec)):
            actions.setdefault(address, "start")
    return actions


def _nothing_to_do(turn: Turn) -> Outcome:
    faults = faults_of(turn.draft, turn.draft.instances) if turn.state.held else {}
    if faults:
        names = ", ".join(sorted(faults))
        return Outcome(0, Result.HELD, turn.state.generation, f"nothing to change; still failing: {names}", faults)
    return Outcome(0, Result.UNCHANGED, turn.state.generation, "nothing to change")


def _open(turn: Turn, message: ApplyProposed, actions: dict[Address, str]) -> None:
    state, proposal = turn.state, message.proposal
    number, policy = state.last_transaction + 1, proposal.apply
    steps = {step.address: step for step in proposal.plan.steps}
    follows = state.transaction if state.transaction and state.transaction.phase is Phase.SOAKING else None
    transaction = Transaction(
        number=number,
        generation=message.kept if _is_kept(message) else state.last_generation + 1,
        proposal=proposal,
        trigger=message.trigger,
        requests=(message.request,),
        phase=Phase.PREPARING,
        began=turn.now.mono,
        no_start=message.no_start,
        is_kept=_is_kept(message),
        soak=0.0 if _is_kept(message) else policy.soak if message.soak is None else message.soak,
        on_failure="hold" if _is_kept(message) else message.on_failure or policy.on_failure,
        steps=tuple(actions),
        actions=actions,
        paths={address: paths for address in actions if (paths := _config_paths(steps.get(address)))},
        slots={address: step.slots for address in actions if (step := steps.get(address)) and step.slots},
        irreversible=frozenset(address for address in actions if address in steps and steps[address].irreversible),
        back=follows.back if follows else state.good or _way_back(message),
        follows=follows,
    )
    turn.change(transaction=transaction, last_transaction=number)
    turn.record(ApplyBegan(number, proposal.target, message.trigger, len(actions)))
    prepare.begin(turn)


def _is_kept(message: ApplyProposed) -> bool:
    """Tell whether what was good when the plant last ran is started as it is."""
    return message.kept > 0 and message.way_back is None


def _way_back(message: ApplyProposed) -> Good | None:
    return Good(message.kept, message.way_back) if message.way_back is not None else None


def _config_paths(step: Step | None) -> tuple[Path, ...]:
    """Give where the plan says that a config changes: of a secret only the plan can tell that its text is another."""
    changes = step.changes if step is not None else ()
    return tuple(one.path[1:] for one in changes if one.path and one.path[0] == "config")
