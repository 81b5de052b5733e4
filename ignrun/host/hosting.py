"""Owns HostStage, on which the incarnations of a host play: turns what they tell into reports, and has done what follows from it."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from ignrun.host.bringing import COMPLETED, Bringing
from ignrun.host.callbacks import THREADS
from ignrun.host.deadlines import Deadlines
from ignrun.host.directory import Directory
from ignrun.host.faults import fault_of
from ignrun.host.incarnation import Incarnation
from ignrun.host.ledger import Ledger
from ignrun.host.masking import Masker
from ignrun.host.measuring import Meter
from ignrun.host.outbox import Outbox
from ignrun.host.provided import Streams
from ignrun.host.requests import Requests
from ignrun.host.seat import SERVING, Seat, under_way
from ignrun.host.steps import Left
from ignrun.protocol.orders import Assignment
from ignrun.protocol.reports import Exported, HealthReport, Move, Prepared, Revised, Unfinished
from ignrun.sdk.health import HealthResult
from ignrun.sdk.peer import Peer
from ignrun.sdk.timing import HostClock, ModuleClock
from ignrun.terms.fault import Fault
from ignrun.terms.states import RESTING, ModuleState

FindPeers = Callable[[Incarnation, str], Peer | tuple[Peer, ...]]

_UNCHANGED: Final = frozenset({ModuleState.INITIALIZING, ModuleState.INITIALIZED, ModuleState.STARTING})
"""States on the way up: what an instance offers is the same before and after it has moved there."""


class HostStage:
    """The stage of one host; everything here happens on its event loop, but for what says otherwise."""

    def __init__(
        self, seats: Mapping[str, Seat], outbox: Outbox, masker: Masker, ledger: Ledger, clock: ModuleClock | None
    ) -> None:
        """Take the seats of the host, and where it tells what happens in them."""
        self.masker = masker
        self.pool = ThreadPoolExecutor(THREADS, "callback")
        self.deadlines = Deadlines()
        self.clock: ModuleClock = clock or HostClock()
        self.directory = Directory(seats.get)
        self.streams = Streams()
        self.find_peers: FindPeers | None = None
        self._seats = seats
        self._outbox = outbox
        self._ledger = ledger
        ledger.on_left = self.left
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.meter = Meter(self._loop, outbox)
        self.requests = Requests(outbox)
        self.bringing = Bringing(seats, self, self.directory)

    def close(self) -> None:
        """Leave nothing behind in the process."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    # --- what incarnations tell ---------------------------------------------------------------------------------------

    def moved(self, incarnation: Incarnation, move: Move) -> None:
        """Report a move, and tell the dependents."""
        new = move.new
        if new is ModuleState.STARTING:
            self._outbox.move(move, [one.provider for one in incarnation.assignment.bindings])
        else:
            self._outbox.move(move)
        if new in _UNCHANGED:
            return
        seat = self._seats[incarnation.address]
        if new in SERVING:
            self.directory.changed(incarnation.address)
        elif move.old in SERVING:
            self.streams.end_of(incarnation)
        if new in RESTING:
            seat.completed = seat.completed or (new is ModuleState.STOPPED and move.cause == COMPLETED)
            self.meter.end_of(incarnation)
        self.bringing.ties.tell(seat)

    def checked(self, incarnation: Incarnation, result: HealthResult) -> None:
        """Report a check, and tell the dependents."""
        self._outbox.check(HealthReport(incarnation.address, incarnation.epoch, result.health, result.reason))
        self.bringing.ties.tell(self._seats[incarnation.address])

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
            self.bringing.failed(incarnation, fault)
        elif not under_way(seat.stopper):
            self.bringing.begin_stop(seat, COMPLETED)

    def gave_up(self, incarnation: Incarnation, fault: Fault) -> None:
        """Fail an incarnation one of whose callbacks does not let itself be cancelled."""
        self.bringing.gave_up(incarnation, fault)

    def answered(self, incarnation: Incarnation, answer: Prepared | Revised) -> None:
        """Report what became of a change in place; fail an incarnation of which nobody knows what is in effect."""
        self._outbox.say(answer)
        if isinstance(answer, Revised) and answer.fault is not None and incarnation.state in SERVING:
            self.bringing.failed(incarnation, answer.fault)

    def reassigned(self, incarnation: Incarnation, assignment: Assignment) -> None:
        """Keep what an incarnation is bound to from now on; who only waited for it to stop may stop."""
        seat = self._seats[incarnation.address]
        incarnation.assignment = assignment
        self.bringing.ties.rebind(seat, assignment)

    def left(self, address: str, left: Left) -> None:
        """Fail an instance one of whose tasks wanted to end the whole process."""
        seat = self._seats.get(address)
        if seat is not None and seat.serving is not None:
            self.bringing.failed(seat.serving, fault_of(left, "", self.masker))

    # --- what incarnations ask ----------------------------------------------------------------------------------------

    def exports_of(self, address: str) -> Mapping[str, Any]:
        """Give what a provider exports."""
        return self.directory.exports(address)

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
