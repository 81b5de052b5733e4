"""Owns Seat, the place of one instance in its host."""

from collections.abc import Mapping
from typing import Any

from ignrun.host.errands import Errand
from ignrun.host.importing import implements
from ignrun.host.incarnation import Incarnation
from ignrun.host.offers import COMPLETED, NOTHING, offer_of
from ignrun.protocol.orders import Assignment, Binding
from ignrun.sdk.lifecycle import LifecycleRecord
from ignrun.sdk.module import AbstractIgnitionModule
from ignrun.terms.states import RESTING, ModuleState

SERVING = frozenset({ModuleState.RUNNING, ModuleState.MAINTENANCE})
"""States in which others may call an instance."""


class Seat:
    """One instance of this host: what it is to run (`assignment`, `kind`), and the incarnation that runs now.

    `unmet` are the numbers of the bindings that hold it back, `stop_blockers` the dependents that have to stop first;
    `lingering` is an earlier incarnation of which a callback still runs; `driver`, `stopper` and `cleaning` are the errands that
    bring it up, stop it, and clean up behind a failure; `cleared` and `stop_cleared` are the last epochs that the runner has cleared.
    """

    __slots__ = (
        "address", "assignment", "cleaning", "cleared", "completed", "driver", "epoch", "incarnation",
        "kind", "lingering", "next_load", "offered", "record", "stop_blockers", "stop_cleared", "stop_wanted", "stopper", "unmet",
    )  # fmt: skip

    def __init__(self, assignment: Assignment, kind: type[AbstractIgnitionModule]) -> None:
        self.address = assignment.address
        self.assignment = assignment
        self.kind = kind
        self.next_load: tuple[Assignment, type[AbstractIgnitionModule]] | None = None
        self.record = LifecycleRecord(assignment.address)
        self.incarnation: Incarnation | None = None
        self.lingering: Incarnation | None = None
        self.epoch = -1
        self.driver: Errand | None = None
        self.stopper: Errand | None = None
        self.cleaning: Errand | None = None
        self.completed = False
        self.offered = NOTHING
        self.unmet: set[int] = set()
        self.cleared = self.stop_cleared = -1
        self.stop_wanted = False
        self.stop_blockers: set[str] = set()

    @property
    def state(self) -> ModuleState:
        """The state of the instance."""
        return self.record.state

    @property
    def local_bindings(self) -> list[tuple[int, Binding]]:
        """The bindings to providers in this host, with their numbers."""
        return [(index, one) for index, one in enumerate(self.assignment.bindings) if one.local]

    @property
    def due(self) -> bool:
        """Tell whether its start has been ordered and not begun."""
        return self.driver is not None and not self.driver.begun

    @property
    def rising(self) -> bool:
        """Tell whether it is being brought up."""
        return self.driver is not None and not self.stop_wanted and not self.driver.ended

    @property
    def settled(self) -> bool:
        """Tell whether nothing of it is under way and nothing of it runs."""
        return self.state in RESTING and not any(map(under_way, (self.driver, self.stopper, self.cleaning)))

    @property
    def serving(self) -> Incarnation | None:
        """The incarnation that others may call, if there is one."""
        running = self.incarnation
        if running is None:
            return None
        state = self.record.state
        return running if state is ModuleState.RUNNING or state is ModuleState.MAINTENANCE else None

    @property
    def exports(self) -> Mapping[str, Any]:
        """What it exports now; what has completed still does."""
        running = self.incarnation
        return running.exports if running is not None and (self.completed or running.state in SERVING) else {}

    def offer(self) -> int:
        """Say what the instance offers to those who depend on it, in the bits of `offers`."""
        running = self.incarnation
        if running is not None and self.record.state in SERVING:
            return offer_of(running.health.health, may_complete=implements(self.kind, "run"))
        hope = 0 if self.rising else NOTHING
        return hope | COMPLETED if self.completed else hope


def under_way(errand: Errand | None) -> bool:
    """Tell whether there is such an errand and it has not ended."""
    return errand is not None and not errand.ended
