"""Turns the real decisions into broken ones, each in one way: what a harness has to catch before its figures count."""

from typing import Any, Final
from unittest.mock import patch

from ignrun.runtime.apply import gate, prepare, rollback
from ignrun.runtime.apply.decide import decide
from ignrun.runtime.apply.state import State
from ignrun.runtime.supervise import moves
from ignrun.runtime.supervise.effects import Effect
from ignrun.runtime.supervise.messages import Message
from ignrun.runtime.supervise.now import Now
from tests.doubles.world import Decide


def broken(owner: object, name: str, instead: Any) -> Decide:
    """Give decisions in which one function is another."""

    def sabotaged(state: State, inbox: tuple[Message, ...], now: Now) -> tuple[State, tuple[Effect, ...]]:
        with patch.object(owner, name, instead):
            return decide(state, inbox, now)

    return sabotaged


SABOTAGES: Final[dict[str, Decide]] = {
    "forgets to turn round": broken(rollback, "is_possible", lambda _: False),
    "restores nothing": broken(rollback, "undo", lambda *_: True),
    "asks nobody": broken(prepare, "_ask", lambda _: False),
    "stops at the first": broken(rollback, "_in_reverse", lambda transaction: sorted(transaction.before)[:1]),
    "never judges": broken(gate, "judge", lambda _: True),
    "forgets that an incarnation is over": broken(moves, "_over", dict),
}
"""By what is wrong with them."""
