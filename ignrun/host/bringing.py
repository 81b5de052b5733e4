"""Brings the instances of one host up and down in the order of their bindings."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from ignrun.host.callbacks import Abandoned
from ignrun.host.config import settle
from ignrun.host.directory import Directory
from ignrun.host.errands import Errand, Errands, parking
from ignrun.host.faults import Faulted, one_line
from ignrun.host.incarnation import Incarnation
from ignrun.host.seat import SERVING, Seat, under_way
from ignrun.host.stage import Stage
from ignrun.host.ties import Ties
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import RESTING, ModuleState

COMPLETED: Final = "completed"
_ON_THE_WAY_UP: Final = frozenset({ModuleState.INITIALIZING, ModuleState.INITIALIZED, ModuleState.STARTING})
_ON_THE_WAY_DOWN: Final = frozenset({ModuleState.STOPPING})

_log = logging.getLogger("ignrun.host")


class Bringing:
    """Carries out starts and stops as errands; its incarnations play on `stage`. Used on the event loop only."""

    def __init__(self, seats: Mapping[str, Seat], stage: Stage, directory: Directory) -> None:
        """Take the seats of a host, and what the incarnations in them are given."""
        self._seats = seats
        self._stage = stage
        self._directory = directory
        self._loop = asyncio.get_running_loop()
        self._errands = Errands(self._loop)
        self._awaits_routes: set[str] = set()
        self._rest: asyncio.Future[None] | None = None
        self.ties = Ties(seats, self.wake, self.try_stop)

    # --- up -----------------------------------------------------------------------------------------------------------

    def start(self, seats: Iterable[Seat]) -> None:
        """Begin to bring these up, each as the incarnation of its `epoch`."""
        fresh = [seat for seat in seats if not seat.due]
        for seat in fresh:
            seat.driver = Errand(seat.address, "start", partial(self._drive, seat), partial(self._driven, seat))
            self._errands.add(seat.driver)
        for seat in fresh:
            self.ties.tell(seat)

    def routed(self) -> None:
        """Let those go on who waited to hear where providers outside this host are."""
        for address in tuple(self._awaits_routes):
            self.wake(self._seats[address])

    async def _drive(self, seat: Seat) -> None:
        """Bring one incarnation from where it is to running."""
        overdue = await self._vacated(seat) if seat.incarnation is not None else ""
        incarnation = self._new_incarnation(seat, seat.epoch)
        try:
            incarnation.refuse_overlap(overdue)
            if seat.assignment.pending:
                await self._gate(seat)
            await incarnation.prepare(partial(settle, seat.assignment, self._directory.exports, self._stage.masker))
            if not self._is_ready(seat):
                await self._gate(seat)
            await incarnation.start()
        except Faulted as faulted:
            self.failed(incarnation, faulted.fault)
        except Abandoned:
            return

    async def _vacated(self, seat: Seat) -> str:
        """Wait until nothing of the incarnation before is under way; names what does not end."""
        for before in (seat.stopper, seat.cleaning):
            if before is not None:
                await before.over()
        old = seat.lingering or seat.incarnation
        if old is None or not old.overdue:
            seat.lingering = None
            return ""
        await old.caller.thread_ended(seat.assignment.timeouts.stop)
        seat.lingering = old if old.overdue else None
        return old.overdue

    def _new_incarnation(self, seat: Seat, epoch: int) -> Incarnation:
        if seat.next_load is not None:
            assignment, seat.kind = seat.next_load
            seat.next_load = None
            self.ties.rebind(seat, assignment)
        seat.completed = False
        seat.stop_blockers.clear()
        seat.incarnation = Incarnation(self._stage, seat.assignment, seat.kind, epoch, seat.record)
        self.ties.look(seat)
        return seat.incarnation

    async def _gate(self, seat: Seat) -> None:
        """Wait until the providers have met their conditions and the runner has cleared the start."""
        if seat.assignment.pending:
            self._awaits_routes.add(seat.address)
        while not self._is_ready(seat):
            await parking
        self._awaits_routes.discard(seat.address)

    def _is_ready(self, seat: Seat) -> bool:
        if seat.unmet or seat.cleared < seat.epoch:
            return False
        pending = seat.assignment.pending
        return not pending or all(self._directory.knows(one) for leaf in pending for one in leaf.providers)

    def wake(self, seat: Seat) -> None:
        """Let one go on that waited for others, if it does not any more."""
        if seat.driver is not None and seat.driver.parked and self._is_ready(seat):
            self._errands.resume(seat.driver)

    def _driven(self, seat: Seat, driver: Errand) -> None:
        """Tell the dependents when it is not on its way any more."""
        if seat.driver is driver:
            seat.driver = None
            self._fail_if_left(seat, driver.error, _ON_THE_WAY_UP)
        if seat.state not in SERVING:  # else they have heard of it
            self.ties.tell(seat)
        self._look_for_rest()

    # --- down ---------------------------------------------------------------------------------------------------------

    async def stop_all(self) -> None:
        """Stop everything in reverse order, waiting for nobody outside."""
        seats = [seat for seat in self._seats.values() if not seat.settled]
        for seat in seats:
            seat.stop_cleared = seat.epoch
        self.want_stopped(seats)
        for seat in seats:
            self.try_stop(seat)
        while not all(seat.settled for seat in seats):
            self._rest = self._loop.create_future()
            await self._rest

    def want_stopped(self, seats: Iterable[Seat]) -> None:
        """Begin to stop these, dependents first."""
        fresh = [seat for seat in seats if not seat.stop_wanted]
        for seat in fresh:
            seat.stop_wanted = True
        self.ties.hold_back(fresh)
        for seat in fresh:
            self.try_stop(seat)

    def try_stop(self, seat: Seat) -> None:
        """Stop it now if that is wanted, unless it runs and somebody has to stop before it."""
        if not seat.stop_wanted or under_way(seat.stopper):
            return
        if (seat.stop_blockers or seat.stop_cleared < seat.epoch) and seat.state in SERVING:
            return
        self.begin_stop(seat, "stop ordered")

    def begin_stop(self, seat: Seat, cause: str) -> None:
        """Stop it now."""
        if seat.driver is not None and seat.due:
            seat.driver.drop()
            seat.driver = None
        work = partial(self._stop, seat, seat.driver, seat.epoch, cause)
        seat.stopper = Errand(seat.address, "stop", work, partial(self._stopper_done, seat))
        self._errands.add(seat.stopper, urgent=True)

    async def _stop(self, seat: Seat, driver: Errand | None, epoch: int, cause: str) -> None:
        incarnation = seat.incarnation
        if driver is not None and not driver.ended:
            await self._halt(seat, driver, epoch)
        if seat.cleaning is not None:
            await seat.cleaning.over()
        if incarnation is None or incarnation.epoch < epoch:
            incarnation = self._new_incarnation(seat, epoch)
        await incarnation.stop(cause)

    async def _halt(self, seat: Seat, driver: Errand, epoch: int) -> None:
        """Cancel a start that is under way, and wait for it as long as a stop may take."""
        running = seat.incarnation
        if running is not None and running.epoch == epoch and running.state not in RESTING:
            running.move(ModuleState.STOPPING, "stop ordered")
            running.stopping.set()
        self._errands.cancel(driver)
        ended = await driver.over(seat.assignment.timeouts.stop)
        if not ended and running is not None and driver.task is not None:
            running.caller.give_up(driver.task)

    def _stopper_done(self, seat: Seat, stopper: Errand) -> None:
        if seat.stopper is stopper:
            seat.stopper = None
            if seat.state in _ON_THE_WAY_DOWN:
                seat.stop_wanted = False
            self._fail_if_left(seat, stopper.error, _ON_THE_WAY_DOWN)
        self.stopped(seat)

    def stopped(self, seat: Seat) -> None:
        """Let those go on who waited for this one to stop."""
        if seat.state in RESTING:
            seat.stop_wanted = False
        self.ties.release(seat)
        self.ties.tell(seat)
        self._look_for_rest()

    # --- what went wrong ----------------------------------------------------------------------------------------------

    def _fail_if_left(self, seat: Seat, error: BaseException | None, on_its_way: frozenset[ModuleState]) -> None:
        """Fail an instance that nobody brings any further: its module has cancelled the task it runs in, or the host has a bug."""
        bug = _log_bug(seat, error)
        running = seat.incarnation
        if running is None or running.epoch != seat.epoch or seat.state not in on_its_way or under_way(seat.stopper):
            return
        why = "its own code cancelled it" if bug is None else one_line(bug, self._stage.masker)
        word = "start" if on_its_way is _ON_THE_WAY_UP else "stop"
        self.failed(running, Fault(FaultKind.RAISED, f"its {word} was broken off: {why}"))

    def failed(self, incarnation: Incarnation, fault: Fault) -> None:
        """Move an incarnation to error, and clean up behind it."""
        seat = self._seats[incarnation.address]
        incarnation.fail(fault)
        seat.cleaning = Errand(seat.address, "cleanup", incarnation.clean, partial(self._cleaned, seat))
        self._errands.add(seat.cleaning, urgent=True)
        if seat.stop_wanted:
            self.try_stop(seat)

    def _cleaned(self, seat: Seat, cleaning: Errand) -> None:
        if seat.cleaning is cleaning:
            seat.cleaning = None
        _log_bug(seat, cleaning.error)
        self._look_for_rest()

    def gave_up(self, incarnation: Incarnation, fault: Fault) -> None:
        """Fail an incarnation one of whose callbacks does not let itself be cancelled."""
        seat = self._seats[incarnation.address]
        for errand in (seat.driver, seat.stopper):
            if under_way(errand):
                _log.warning("`%s`: %s", seat.address, fault.summary)
        if under_way(seat.stopper):
            seat.stop_wanted = False
        seat.driver = seat.stopper = None
        self.failed(incarnation, fault)
        self.stopped(seat)

    def _look_for_rest(self) -> None:
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)


def _log_bug(seat: Seat, error: BaseException | None) -> BaseException | None:
    """Say in the log what ended an errand and should not have; gives it."""
    bug = None if isinstance(error, asyncio.CancelledError) else error
    if bug is not None:
        _log.error("bringing `%s` on ended unexpectedly", seat.address, exc_info=bug)
    return bug
