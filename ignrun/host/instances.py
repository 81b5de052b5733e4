"""Obeys the orders that concern the instances of one host: load, start, stop, change, check."""

import logging

from msgspec.structs import replace

from ignrun.host.hosting import HostStage
from ignrun.host.ledger import Ledger
from ignrun.host.loading import Loading
from ignrun.host.masking import Masker
from ignrun.host.outbox import Outbox
from ignrun.host.revising import Reviser, not_running
from ignrun.host.seat import Seat
from ignrun.protocol.orders import (
    Check,
    Clear,
    ClearStop,
    Load,
    Prepare,
    Revise,
    Revision,
    Routes,
    Start,
    Stop,
    Timeouts,
)
from ignrun.protocol.reports import Loaded, Prepared, Revised
from ignrun.sdk.timing import ModuleClock
from ignrun.terms.states import ModuleState

_log = logging.getLogger("ignrun.host")


class Instances:
    """The instances of one host, which play on its `stage`; everything here happens on its event loop."""

    def __init__(self, outbox: Outbox, masker: Masker, ledger: Ledger, clock: ModuleClock | None = None) -> None:
        """Begin with none."""
        self._outbox = outbox
        self._seats: dict[str, Seat] = {}
        self.stage = HostStage(self._seats, outbox, masker, ledger, clock)
        self._bringing = self.stage.bringing
        self._loading = Loading(self._seats, masker, self._bringing.ties.bind)

    def close(self) -> None:
        """Leave nothing behind in the process."""
        self.stage.close()
        self._loading.close()

    def load(self, order: Load) -> Loaded:
        """Import the classes; those already known get their new assignment with their next incarnation."""
        return self._loading.load(order)

    # --- up and down --------------------------------------------------------------------------------------------------

    def start(self, order: Start) -> None:
        """Begin to bring incarnations up."""
        cleared = frozenset(order.cleared)
        begun = []
        for item in order.items:
            seat = self._seats.get(item.address)
            if seat is None:
                _log.error("there is an order to start `%s`, which was never loaded", item.address)
                continue
            if item.epoch <= seat.epoch:
                continue
            seat.epoch = item.epoch
            if item.address in cleared:
                seat.cleared = item.epoch
            begun.append(seat)
        self._bringing.start(begun)

    def clear(self, order: Clear) -> None:
        """Let incarnations start as far as the runner is concerned."""
        for item in order.items:
            if (seat := self._seats.get(item.address)) is not None:
                seat.cleared = max(seat.cleared, item.epoch)
                self._bringing.wake(seat)

    def stop(self, order: Stop) -> None:
        """Begin to stop incarnations, dependents first."""
        cleared = frozenset(order.cleared)
        seats = [seat for item in order.items if (seat := self._of_epoch(item.address, item.epoch)) is not None]
        for seat in seats:
            if seat.address in cleared:
                seat.stop_cleared = seat.epoch
        self._bringing.want_stopped(seats)

    def clear_stop(self, order: ClearStop) -> None:
        """Let incarnations stop as far as the runner is concerned."""
        for item in order.items:
            if (seat := self._of_epoch(item.address, item.epoch)) is not None:
                seat.stop_cleared = item.epoch
                self._bringing.try_stop(seat)

    async def stop_all(self) -> None:
        """Stop everything in reverse order, waiting for nobody outside."""
        await self._bringing.stop_all()

    # --- while they run -----------------------------------------------------------------------------------------------

    def route(self, order: Routes) -> None:
        """Learn where providers outside this host are."""
        for route in order.routes:
            self.stage.directory.route(route)
        self._bringing.routed()

    def revise(self, order: Prepare | Revise) -> None:
        """Ask running incarnations whether they would accept a change, or change them in place."""
        prepares = isinstance(order, Prepare)
        for revision in order.revisions:
            reviser = self._reviser_of(revision)
            if reviser is None:
                gone = not_running(revision.address, self._state_of(revision.address).value)
                fault = None if revision.anew else gone  # one that is to be restarted may have ended in the meantime
                answer = Prepared if prepares else Revised
                self._outbox.say(answer(revision.address, revision.epoch, revision.change, fault))
            elif prepares:
                reviser.prepare(revision)
            else:
                reviser.revise(revision)

    def check(self, order: Check) -> None:
        """Ask the health of running incarnations more often, or as usual again."""
        for item in order.items:
            seat = self._of_epoch(item.address, item.epoch)
            if seat is not None and seat.incarnation is not None and seat.incarnation.checks is not None:
                seat.incarnation.checks.pace(order.interval)

    def retime(self, timeouts: dict[str, Timeouts]) -> None:
        """Let other timeouts hold for these, and their checks go at another pace."""
        for address, fresh in timeouts.items():
            seat = self.seat_of(address)
            if seat is not None:
                seat.assignment = replace(seat.assignment, timeouts=fresh)
                if seat.incarnation is not None:
                    seat.incarnation.retime(fresh)

    # --- small things -------------------------------------------------------------------------------------------------

    def seat_of(self, address: str) -> Seat | None:
        """Give the seat of an instance of this host."""
        return self._seats.get(address)

    def _state_of(self, address: str) -> ModuleState:
        seat = self._seats.get(address)
        return seat.state if seat is not None else ModuleState.UNINITIALIZED

    def _reviser_of(self, revision: Revision) -> Reviser | None:
        """Give who changes this incarnation; None where it does not run here."""
        seat = self._of_epoch(revision.address, revision.epoch)
        running = seat.serving if seat is not None else None
        if running is None or running.epoch != revision.epoch:
            return None
        if running.reviser is None:
            running.reviser = Reviser(running)
        return running.reviser

    def _of_epoch(self, address: str, epoch: int) -> Seat | None:
        """Give the seat if this is its incarnation; an order for another one is stale."""
        seat = self._seats.get(address)
        return seat if seat is not None and seat.epoch == epoch else None
