"""Decides the way back of an apply: what it has done is undone in reverse, nobody else is touched, and what is lost is named."""

from typing import Final

from msgspec.structs import replace

from ignrun.runtime.apply.gate import judge
from ignrun.runtime.apply.goals import rewire, take_words
from ignrun.runtime.apply.state import Phase, Transaction
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.apply.undo import undo
from ignrun.runtime.supervise.effects import Result
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.events import RollbackBegan, RollbackEnded, StepUndone
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from ignrun.terms.states import ModuleState

ENOUGH: Final = 2
"""How often somebody has to ask for an end before the way back is not waited for."""


def is_possible(transaction: Transaction) -> bool:
    """Tell whether there is a generation to go back to, and nothing done that cannot be undone."""
    return transaction.back is not None and not transaction.irreversible & transaction.begun


def begin(turn: Turn, reason: str) -> None:
    """Turn round: from here on everybody becomes again what he was."""
    transaction, back = turn.transaction, turn.transaction.back
    assert back is not None
    turn.record(RollbackBegan(transaction.number, back.generation, reason))
    rewire(turn, back.graph)
    fallen = {
        a: why for a, why in turn.draft.alone.items() if a not in transaction.before
    }  # none of this apply's doing
    alone = {**transaction.alone, **fallen}
    turn.draft.set_alone({a: why for a, why in alone.items() if a in back.graph.instances})
    placed = turn.draft.graph.instances
    before: dict[Address, Instance | None] = dict(transaction.before)
    for address in (turn.draft.instances.keys() | before.keys()) - placed.keys():
        before[address] = None  # also who was there then, and already on his way out
    for address, spec in placed.items():
        absent = address not in turn.draft.instances and address not in before
        if absent or (address in before and before[address] is None):  # it was not up yet, but what is good runs
            goal = Goal.DOWN if address in turn.state.holds else Goal.UP
            before[address] = Instance(spec, goal, ModuleState.RUNNING, held_by=turn.state.holds.get(address, ""))
    turn.change(generation=back.generation)
    turn.change_transaction(
        phase=Phase.ROLLING_BACK, reason=reason, turned=turn.now.mono, before=before, members=frozenset(before)
    )
    for address, spec in placed.items():
        if address not in before:
            present = turn.draft.instances[address]
            take_words(turn, present, spec, present.goal)
    turn.draft.dirty_hosts.update(dict.fromkeys(turn.draft.hosts))
    turn.draft.touched.update(dict.fromkeys(before))


def advance(turn: Turn) -> bool:
    """Undo what can be undone now; tell whether everybody is back, or lost."""
    transaction = turn.transaction
    for address in _in_reverse(transaction):
        if address not in turn.draft.touched or address in transaction.undone or address in transaction.lost:
            continue
        found = undo(turn, address)
        if found is not False:
            _settled(turn, address, found if isinstance(found, Fault) else None)
    transaction = turn.transaction
    return len(transaction.undone) + len(transaction.lost) >= len(transaction.before)


def _in_reverse(transaction: Transaction) -> list[Address]:
    order = {address: number for number, address in enumerate(transaction.steps)}
    return sorted(transaction.before, key=lambda address: -order.get(address, -1))


def _settled(turn: Turn, address: Address, fault: Fault | None) -> None:
    transaction = turn.transaction
    if address in transaction.begun:
        turn.record(StepUndone(transaction.number, transaction.actions.get(address, "create"), fault), address)
    if fault is None:
        turn.change_transaction(undone=transaction.undone | {address})
    else:
        turn.change_transaction(lost={**transaction.lost, address: fault})


def give_up(turn: Turn, why: str) -> None:
    """Count everybody who is not back by now as lost."""
    transaction = turn.transaction
    for address in _in_reverse(transaction):
        if address not in transaction.undone and address not in transaction.lost:
            found = judge(turn.draft.instances.get(address))
            fault = found if isinstance(found, Fault) else Fault(FaultKind.TIMED_OUT, why)
            _begin_anew(turn, address)
            _settled(turn, address, fault)


def _begin_anew(turn: Turn, address: Address) -> None:
    """Let one whose change in place is not waited for begin anew with what is good: nobody knows what is in effect."""
    now, spec = turn.draft.instances.get(address), turn.draft.graph.instances.get(address)
    if now is not None and spec is not None and now.in_place is not None:
        turn.draft.put(replace(now, next_spec=spec, in_place=None))


def end(turn: Turn) -> tuple[Result, dict[Address, Fault]]:
    """Say how the way back ended, and whom the apply failed on, or could not bring back."""
    transaction = turn.transaction
    generation = transaction.back.generation if transaction.back else 0
    turn.record(RollbackEnded(transaction.number, generation, len(transaction.lost)))
    result = Result.ROLLBACK_PARTIAL if transaction.lost else Result.ROLLED_BACK
    return result, {**transaction.faults, **transaction.lost}
