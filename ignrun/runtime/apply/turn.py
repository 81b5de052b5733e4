"""Owns Turn, one call of `decide` under way: the state as far as it has come, and the draft of its roster."""

from typing import Any, Final

from msgspec.structs import replace

from ignrun.planner.graph.model import Graph
from ignrun.runtime.apply.state import Phase, State, Transaction
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.effects import Effect
from ignrun.runtime.supervise.now import Now
from ignrun.runtime.supervise.placing import placed
from ignrun.terms.events import Body
from ignrun.terms.names import Address

AS_IT_IS: Final = frozenset({"reconfigure", "rebind", "reload", "policy", "start"})
"""Actions that leave an instance where it lives."""

_APPLIED = (Phase.APPLYING, Phase.SOAKING, Phase.ROLLING_BACK, Phase.CLOSING)
_STAGING = (Phase.PREPARING, Phase.PREPARED)


class Turn:
    """Owns the one copy that a turn works on; what it began with is left alone."""

    def __init__(self, state: State, now: Now) -> None:
        self.state = state
        self.now = now
        self.draft = Draft(state.roster, now, state.graph, state.previous)
        self._inform_draft()

    def change(self, **fields: Any) -> None:
        """Replace fields of the state, and let the draft know what it has to know of them."""
        self.state = replace(self.state, **fields)
        self._inform_draft()

    def change_transaction(self, **fields: Any) -> Transaction:
        """Replace fields of the open transaction."""
        transaction = replace(self.transaction, **fields)
        self.change(transaction=transaction)
        return transaction

    @property
    def transaction(self) -> Transaction:
        """The open transaction, where the caller knows that there is one."""
        assert self.state.transaction is not None
        return self.state.transaction

    @property
    def desired(self) -> Graph:
        """What the open transaction brings, as it will be placed: whom it changes gets another chance among the others."""
        return placed(self.transaction.proposal.graph, self.staying_alone)

    @property
    def staying_alone(self) -> dict[Address, str]:
        """Who goes on living alone, and why, once the open transaction is being applied."""
        actions = self.transaction.actions
        return {a: why for a, why in self.draft.alone.items() if actions.get(a, "start") in AS_IT_IS}

    def record(self, body: Body, subject: str = "") -> None:
        """Let the journal keep that something happened."""
        self.draft.record(subject, body)

    def want(self, effect: Effect) -> None:
        """Have an effect performed."""
        self.draft.effects.append(effect)

    def result(self) -> State:
        """Give the state after the turn."""
        return replace(self.state, roster=self.draft.roster())

    def _inform_draft(self) -> None:
        state, draft = self.state, self.draft
        transaction = state.transaction
        draft.set_graphs(state.graph, state.previous)
        applied = transaction if transaction and transaction.phase in _APPLIED else transaction and transaction.follows
        draft.suspended = applied.members if applied else frozenset()
        draft.staged = transaction.staged if transaction and transaction.phase in _STAGING else ()
        draft.down = state.ending is not None
        draft.hurried = state.hurried
