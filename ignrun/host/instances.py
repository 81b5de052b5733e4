"""Owns every instance of one host: brings them up and down in the order of their bindings, and reports."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from ignrun.host.callbacks import THREADS, Abandoned, whose
from ignrun.host.config import settle
from ignrun.host.deadlines import Deadlines
from ignrun.host.directory import Directory
from ignrun.host.due import Due
from ignrun.host.faults import Faulted, fault_of, one_line
from ignrun.host.incarnation import Incarnation
from ignrun.host.ledger import Ledger
from ignrun.host.loading import Loading
from ignrun.host.masking import Masker
from ignrun.host.measuring import Meter
from ignrun.host.outbox import Outbox
from ignrun.host.provided import Streams
from ignrun.host.requests import Requests
from ignrun.host.revising import Reviser, not_running
from ignrun.host.seat import SERVING, Seat, under_way
from ignrun.host.steps import Left, Marked
from ignrun.host.ties import Ties
from ignrun.protocol.orders import (
    Assignment,
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
from ignrun.protocol.reports import (
    Exported,
    HealthReport,
    Loaded,
    Move,
    Prepared,
    Revised,
    Unfinished,
)
from ignrun.sdk.health import HealthResult
from ignrun.sdk.peer import Peer
from ignrun.sdk.timing import HostClock, ModuleClock
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import RESTING, ModuleState

FindPeers = Callable[[Incarnation, str], Peer | tuple[Peer, ...]]
COMPLETED = "completed"
_ON_THE_WAY_UP: Final = frozenset({ModuleState.INITIALIZING, ModuleState.INITIALIZED, ModuleState.STARTING})
_ON_THE_WAY_DOWN: Final = frozenset({ModuleState.STOPPING})
_UNCHANGED: Final = _ON_THE_WAY_UP
"""States on the way up: what an instance offers is the same before and after it has moved there."""

_log = logging.getLogger("ignrun.host")


class Instances:
    """The stage of one host; everything here happens on its event loop."""

    def __init__(self, outbox: Outbox, masker: Masker, ledger: Ledger, clock: ModuleClock | None = None) -> None:
        self.masker = masker
        self.pool = ThreadPoolExecutor(THREADS, "callback")
        self.deadlines = Deadlines()
        self.clock: ModuleClock = clock or HostClock()
        self.directory = Directory(self.seat_of)
        self.streams = Streams()
        self.find_peers: FindPeers | None = None
        self._outbox = outbox
        self._ledger = ledger
        ledger.on_left = self.left
        self._loop = asyncio.get_running_loop()
        self.meter = Meter(self._loop, outbox)
        self.requests = Requests(outbox)
        self._thread = threading.get_ident()
        self._seats: dict[str, Seat] = {}
        self._ties = Ties(self._seats, self._wake, self._try_stop)
        self._loading = Loading(self._seats, masker, self._ties.bind)
        self._due = Due(self._loop, self._begin)
        self._awaits_routes: set[str] = set()
        self._rest: asyncio.Future[None] | None = None

    # --- orders -------------------------------------------------------------------------------------------------------

    def load(self, order: Load) -> Loaded:
        """Import the classes; those already known get their new assignment with their next incarnation."""
        return self._loading.load(order)

    def start(self, order: Start) -> None:
        """Begin to bring incarnations up."""
        cleared = frozenset(order.cleared)
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
            self._due.add(seat)
        for item in order.items:
            if (seat := self._seats.get(item.address)) is not None:
                self._ties.tell(seat)
        self._due.begin_some()

    def _begin(self, seat: Seat) -> None:
        seat.driver = self._task(self._drive(seat, seat.epoch), seat.address, "start")
        seat.driver.add_done_callback(partial(self._driven, seat))

    def clear(self, order: Clear) -> None:
        """Let incarnations start as far as the runner is concerned."""
        for item in order.items:
            if (seat := self._seats.get(item.address)) is not None:
                seat.cleared = max(seat.cleared, item.epoch)
                self._wake(seat)

    def stop(self, order: Stop) -> None:
        """Begin to stop incarnations, dependents first."""
        cleared = frozenset(order.cleared)
        seats = [seat for item in order.items if (seat := self._of_epoch(item.address, item.epoch)) is not None]
        for seat in seats:
            if seat.address in cleared:
                seat.stop_cleared = seat.epoch
        self._want_stopped(seats)

    def clear_stop(self, order: ClearStop) -> None:
        """Let incarnations stop as far as the runner is concerned."""
        for item in order.items:
            if (seat := self._of_epoch(item.address, item.epoch)) is not None:
                seat.stop_cleared = item.epoch
                self._try_stop(seat)

    def route(self, order: Routes) -> None:
        """Learn where providers outside this host are."""
        for route in order.routes:
            self.directory.route(route)
        for address in tuple(self._awaits_routes):
            self._wake(self._seats[address])

    def revise(self, order: Prepare | Revise) -> None:
        """Ask running incarnations whether they would accept a change, or change them in place."""
        prepares = isinstance(order, Prepare)
        for revision in order.revisions:
            reviser = self._reviser_of(revision)
            if reviser is None:
                fault = not_running(revision.address, self._state_of(revision.address).value)
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

    async def stop_all(self) -> None:
        """Stop everything in reverse order, waiting for nobody outside."""
        seats = [seat for seat in self._seats.values() if not seat.settled]
        for seat in seats:
            seat.stop_cleared = seat.epoch
        self._want_stopped(seats)
        for seat in seats:
            self._try_stop(seat)
        while not all(seat.settled for seat in seats):
            self._rest = self._loop.create_future()
            await self._rest

    # --- up -----------------------------------------------------------------------------------------------------------

    async def _drive(self, seat: Seat, epoch: int) -> None:
        """Bring one incarnation from where it is to running."""
        whose.set(seat.address)
        overdue = await self._vacated(seat)
        incarnation = self._new_incarnation(seat, epoch)
        try:
            incarnation.refuse_overlap(overdue)
            if seat.assignment.pending:
                await self._gate(seat)
            await incarnation.prepare(lambda: settle(seat.assignment, self.directory.exports, self.masker))
            await self._gate(seat)
            await incarnation.start()
        except Faulted as faulted:
            self._failed(incarnation, faulted.fault)
        except Abandoned:
            return

    def retime(self, timeouts: dict[str, Timeouts]) -> None:
        """Let other timeouts hold for these, and their checks go at another pace."""
        for address, fresh in timeouts.items():
            seat = self.seat_of(address)
            if seat is not None:
                seat.assignment = replace(seat.assignment, timeouts=fresh)
                if seat.incarnation is not None:
                    seat.incarnation.retime(fresh)

    async def _vacated(self, seat: Seat) -> str:
        """Wait until nothing of the incarnation before is under way; names what does not end."""
        before = [task for task in (seat.stopper, seat.cleaning) if task is not None and not task.done()]
        if before:
            await asyncio.wait(before)
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
            self._ties.rebind(seat, assignment)
        seat.completed = False
        seat.stop_blockers.clear()
        seat.incarnation = Incarnation(self, seat.assignment, seat.kind, epoch, seat.record)
        self._ties.look(seat)
        return seat.incarnation

    async def _gate(self, seat: Seat) -> None:
        """Wait until the providers have met their conditions and the runner has cleared the start."""
        if seat.assignment.pending:
            self._awaits_routes.add(seat.address)
        while not self._is_ready(seat):
            seat.gate = self._loop.create_future()
            await seat.gate
        self._awaits_routes.discard(seat.address)

    def _is_ready(self, seat: Seat) -> bool:
        if seat.unmet or seat.cleared < seat.epoch:
            return False
        return all(self.directory.knows(one) for pending in seat.assignment.pending for one in pending.providers)

    def _wake(self, seat: Seat) -> None:
        if seat.gate is not None and not seat.gate.done() and self._is_ready(seat):
            seat.gate.set_result(None)

    def _driven(self, seat: Seat, driver: "asyncio.Task[None]") -> None:
        """Tell the dependents when it is not on its way any more."""
        if seat.driver is driver:
            seat.driver = None
            self._fail_if_left(seat, driver, _ON_THE_WAY_UP)
        self._ties.tell(seat)
        self._look_for_rest()

    # --- down ---------------------------------------------------------------------------------------------------------

    def _want_stopped(self, seats: Iterable[Seat]) -> None:
        fresh = [seat for seat in seats if not seat.stop_wanted]
        for seat in fresh:
            seat.stop_wanted = True
        self._ties.hold_back(fresh)
        for seat in fresh:
            self._try_stop(seat)

    def _try_stop(self, seat: Seat) -> None:
        """Stop it now, unless it runs and somebody has to stop before it."""
        if not seat.stop_wanted or under_way(seat.stopper):
            return
        if seat.state in SERVING and (seat.stop_blockers or seat.stop_cleared < seat.epoch):
            return
        self._begin_stop(seat, "stop ordered")

    def _begin_stop(self, seat: Seat, cause: str) -> None:
        seat.due = False
        seat.stopper = self._task(self._stop(seat, seat.driver, seat.epoch, cause), seat.address, "stop")
        seat.stopper.add_done_callback(partial(self._stopper_done, seat))

    async def _stop(self, seat: Seat, driver: "asyncio.Task[None] | None", epoch: int, cause: str) -> None:
        whose.set(seat.address)
        incarnation = seat.incarnation
        if driver is not None and not driver.done():
            await self._halt(seat, driver, epoch)
        if seat.cleaning is not None and not seat.cleaning.done():
            await asyncio.wait({seat.cleaning})
        if incarnation is None or incarnation.epoch < epoch:
            incarnation = self._new_incarnation(seat, epoch)
        await incarnation.stop(cause)

    async def _halt(self, seat: Seat, driver: "asyncio.Task[None]", epoch: int) -> None:
        """Cancel a start that is under way, and wait for it as long as a stop may take."""
        running = seat.incarnation
        if running is not None and running.epoch == epoch and running.state not in RESTING:
            running.move(ModuleState.STOPPING, "stop ordered")
            running.stopping.set()
        driver.cancel()
        await asyncio.wait({driver}, timeout=seat.assignment.timeouts.stop)
        if not driver.done() and running is not None:
            running.caller.give_up(driver)

    def _stopper_done(self, seat: Seat, stopper: "asyncio.Task[None]") -> None:
        if seat.stopper is stopper:
            if seat.state in _ON_THE_WAY_DOWN:
                seat.stop_wanted = False
            self._fail_if_left(seat, stopper, _ON_THE_WAY_DOWN)
        self._stopped(seat)

    def _fail_if_left(self, seat: Seat, work: "asyncio.Task[None]", on_its_way: frozenset[ModuleState]) -> None:
        """Fail an instance that nobody brings any further: its module has cancelled the task it runs in, or the host has a bug."""
        running = seat.incarnation
        if running is None or running.epoch != seat.epoch or seat.state not in on_its_way or under_way(seat.stopper):
            return
        bug = None if work.cancelled() else work.exception()
        if bug is not None:
            _log.error("bringing `%s` on ended unexpectedly", seat.address, exc_info=bug)
        why = "its own code cancelled it" if bug is None else one_line(bug, self.masker)
        word = "start" if on_its_way is _ON_THE_WAY_UP else "stop"
        self._failed(running, Fault(FaultKind.RAISED, f"its {word} was broken off: {why}"))

    def left(self, address: str, left: Left) -> None:
        """Fail an instance one of whose tasks wanted to end the whole process."""
        seat = self._seats.get(address)
        if seat is not None and seat.serving is not None:
            self._failed(seat.serving, fault_of(left, "", self.masker))

    def _stopped(self, seat: Seat) -> None:
        """Let those go on who waited for this one to stop."""
        if seat.state in RESTING:
            seat.stop_wanted = False
        self._ties.release(seat)
        self._ties.tell(seat)
        self._look_for_rest()

    def _clean(self, seat: Seat, incarnation: Incarnation) -> None:
        seat.cleaning = self._task(incarnation.clean(), seat.address, "cleanup")
        seat.cleaning.add_done_callback(lambda _: self._look_for_rest())

    def _look_for_rest(self) -> None:
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)

    def _failed(self, incarnation: Incarnation, fault: Fault) -> None:
        seat = self._seats[incarnation.address]
        incarnation.fail(fault)
        self._clean(seat, incarnation)
        if seat.stop_wanted:
            self._try_stop(seat)

    # --- what incarnations tell ---------------------------------------------------------------------------------------

    def moved(self, incarnation: Incarnation, move: Move) -> None:
        """Report a move, and tell the dependents."""
        needed = incarnation.assignment.bindings if move.new is ModuleState.STARTING else ()
        self._outbox.move(move, [one.provider for one in needed])
        seat = self._seats[incarnation.address]
        if move.new is ModuleState.STOPPED and move.cause == COMPLETED:
            seat.completed = True
        if move.new not in SERVING:
            self.streams.end_of(incarnation)
        if move.new in RESTING:
            self.meter.end_of(incarnation)
        self.directory.changed(incarnation.address)
        if move.new not in _UNCHANGED:
            self._ties.tell(seat)

    def checked(self, incarnation: Incarnation, result: HealthResult) -> None:
        """Report a check, and tell the dependents."""
        self._outbox.check(HealthReport(incarnation.address, incarnation.epoch, result.health, result.reason))
        self._ties.tell(self._seats[incarnation.address])

    def exported(self, incarnation: Incarnation) -> None:
        """Report new exports; may be called from a thread."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.exported, incarnation)
            return
        self._outbox.say(Exported(incarnation.address, incarnation.epoch, incarnation.exports))

    def unfinished(self, incarnation: Incarnation, names: tuple[str, ...]) -> None:
        """Report what was left behind."""
        self._outbox.say(Unfinished(incarnation.address, incarnation.epoch, names))

    def measures(self, incarnation: Incarnation) -> None:
        """Look at its metrics from now on; may be called from a thread."""
        self._loop.call_soon_threadsafe(self.meter.add, incarnation)

    async def request(self, incarnation: Incarnation, path: str, value: Any) -> None:
        """Ask the runner for another value of its config; raises Refused."""
        await self.requests.put(incarnation, path, value)

    def run_ended(self, incarnation: Incarnation, fault: Fault | None) -> None:
        """Stop an incarnation whose main loop has returned; fail one whose main loop raised."""
        seat = self._seats[incarnation.address]
        if fault is not None:
            self._failed(incarnation, fault)
        elif not under_way(seat.stopper):
            self._begin_stop(seat, COMPLETED)

    def gave_up(self, incarnation: Incarnation, fault: Fault) -> None:
        """Fail an incarnation one of whose callbacks does not let itself be cancelled."""
        seat = self._seats[incarnation.address]
        for task in (seat.driver, seat.stopper):
            if under_way(task):
                _log.warning("`%s`: %s", seat.address, fault.summary)
        if under_way(seat.stopper):
            seat.stop_wanted = False
        seat.driver = seat.stopper = None
        self._failed(incarnation, fault)
        self._stopped(seat)

    def close(self) -> None:
        """Leave nothing behind in the process."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self._loading.close()

    def exports_of(self, address: str) -> Mapping[str, Any]:
        """Give what a provider exports."""
        return self.directory.exports(address)

    def answered(self, incarnation: Incarnation, answer: Prepared | Revised) -> None:
        """Report what became of a change in place; fail an incarnation of which nobody knows what is in effect."""
        self._outbox.say(answer)
        if isinstance(answer, Revised) and answer.fault is not None and incarnation.state in SERVING:
            self._failed(incarnation, answer.fault)

    def reassigned(self, incarnation: Incarnation, assignment: Assignment) -> None:
        """Keep what an incarnation is bound to from now on; who only waited for it to stop may stop."""
        seat = self._seats[incarnation.address]
        incarnation.assignment = assignment
        self._ties.rebind(seat, assignment)

    def peers(self, incarnation: Incarnation, slot: str) -> Peer | tuple[Peer, ...]:
        """Give what is bound to a slot."""
        assert self.find_peers is not None
        return self.find_peers(incarnation, slot)

    def tasks_of(self, address: str) -> "list[asyncio.Task[Any]]":
        """Give the tasks that the code of an instance has made and that are not done."""
        return self._ledger.tasks_of(address)

    def threads_of(self, address: str) -> list[threading.Thread]:
        """Give the threads that the code of an instance has started and that still run."""
        return self._ledger.threads_of(address)

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

    def _task(self, work: Coroutine[Any, Any, None], address: str, what: str) -> "asyncio.Task[None]":
        """Make a task of the host's own, which the ledger does not list, to do something for an instance."""
        return asyncio.Task(Marked(work, address), loop=self._loop, name=f"{address} {what}")
