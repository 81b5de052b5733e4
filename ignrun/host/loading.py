"""Turns assignments into seats: classes imported, configs looked at, what is equal kept once."""

from collections.abc import Callable

from ignrun.host.config import unfit
from ignrun.host.importing import Importer, traits_of
from ignrun.host.logs import set_level
from ignrun.host.masking import Masker
from ignrun.host.seat import Seat
from ignrun.host.sharing import Sharing
from ignrun.host.steps import mark
from ignrun.protocol.orders import Assignment, Load
from ignrun.protocol.reports import ImportFault, Loaded, Traits


class Loading:
    """Owns what a host has imported; `seats` are those of the host, `bind` is told of each new one."""

    def __init__(self, seats: dict[str, Seat], masker: Masker, bind: Callable[[Seat], None]) -> None:
        self._seats = seats
        self._masker = masker
        self._bind = bind
        self._importer = Importer(masker)
        self._sharing = Sharing()

    def load(self, order: Load) -> Loaded:
        """Import the classes; those already known get their new assignment with their next incarnation."""
        self._importer.begin(order.assignments)
        loaded = [self._seated(assignment) for assignment in order.assignments]
        faults = tuple(one for one in loaded if isinstance(one, ImportFault))
        return Loaded(faults, tuple(one for one in loaded if isinstance(one, Traits)))

    def close(self) -> None:
        """Import nothing any more."""
        self._importer.end()

    def _seated(self, assignment: Assignment) -> Traits | ImportFault:
        """Give one instance its seat, or what it is to become."""
        mark(assignment.address)
        self._sharing.share(assignment)
        kind = self._importer.load(assignment)
        if isinstance(kind, ImportFault):
            return kind
        if refused := unfit(assignment, kind.Config, self._masker):
            return refused
        set_level(assignment.address, assignment.level)
        seat = self._seats.get(assignment.address)
        if seat is None:
            seat = self._seats[assignment.address] = Seat(assignment, kind)
            self._bind(seat)
        else:
            seat.next_load = (assignment, kind)
        return traits_of(assignment.address, kind)
