"""Decides what becomes of the open transaction when somebody does not want it any more."""

from typing import assert_never

from ignrun.runtime.apply import ends, rollback
from ignrun.runtime.apply.state import Phase
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import Result
from ignrun.runtime.supervise.messages import CancelAsked
from ignrun.terms.events import OperatorAsked


def cancel(turn: Turn, message: CancelAsked) -> None:
    """Give it up where nothing has been touched, else turn round; asked again, do not wait for the way back."""
    if turn.state.transaction is None:
        return
    turn.record(OperatorAsked("cancel", message.by))
    transaction = turn.change_transaction(cancels=turn.transaction.cancels + 1)
    reason = f"cancelled by {message.by}"
    match transaction.phase:
        case Phase.PREPARING | Phase.PREPARED:
            ends.abandon(turn, Result.REFUSED, f"nothing was touched; {reason}", {})
        case Phase.APPLYING | Phase.SOAKING if rollback.is_possible(transaction):
            ends.turn_round(turn, reason)
        case Phase.APPLYING | Phase.SOAKING:
            ends.hold(turn, reason)
        case Phase.ROLLING_BACK if transaction.cancels >= rollback.ENOUGH:
            rollback.give_up(turn, f"not waited for: {reason}")
        case Phase.ROLLING_BACK | Phase.CLOSING:
            pass  # what is asked for happens already
        case _:
            assert_never(transaction.phase)
