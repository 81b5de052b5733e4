"""Owns who in a host waits for whom: dependents for their providers on the way up, providers for their dependents on the way down."""

from collections.abc import Callable, Iterable, Mapping

from ignrun.host.offers import NOTHING, need_of
from ignrun.host.seat import Seat
from ignrun.protocol.orders import Assignment


class Ties:
    """Keeps `unmet` and `stop_blockers` of every seat as they should be, and says who may go on.

    `wake` is called with a seat that nothing in this host holds back any more on its way up, `try_stop` with one on its way down.
    """

    def __init__(
        self, seats: Mapping[str, Seat], wake: Callable[[Seat], None], try_stop: Callable[[Seat], None]
    ) -> None:
        self._seats = seats
        self._wake = wake
        self._try_stop = try_stop
        self._dependents: dict[str, dict[tuple[str, int], int]] = {}

    def bind(self, seat: Seat) -> None:
        """Let the seat hear of its providers."""
        for index, binding in seat.local_bindings:
            self._dependents.setdefault(binding.provider, {})[seat.address, index] = need_of(binding)

    def rebind(self, seat: Seat, assignment: Assignment) -> None:
        """Give the seat another assignment; a provider that only waited for this seat to stop may stop now."""
        before = {one.provider for _, one in seat.local_bindings}
        for index, binding in seat.local_bindings:
            self._dependents.get(binding.provider, {}).pop((seat.address, index), None)
        seat.assignment = assignment
        self.bind(seat)
        self.look(seat)
        for address in before - {one.provider for _, one in seat.local_bindings}:
            self._unblock(address, seat.address)

    def look(self, seat: Seat) -> None:
        """Note which providers hold the seat back now."""
        unmet = set()
        for index, binding in seat.local_bindings:
            provider = self._seats.get(binding.provider)
            if not need_of(binding) & (NOTHING if provider is None else provider.offer()):
                unmet.add(index)
        seat.unmet = unmet

    def tell(self, seat: Seat) -> None:
        """Tell the dependents when what the instance offers has changed."""
        offer = seat.offer()
        if offer == seat.offered:
            return
        seat.offered = offer
        dependents = self._dependents.get(seat.address)
        if dependents is None:
            return
        for (address, index), need in dependents.items():
            dependent = self._seats[address]
            if need & offer:
                dependent.unmet.discard(index)
                if dependent.driver is not None and dependent.driver.parked:
                    self._wake(dependent)
            else:
                dependent.unmet.add(index)

    def hold_back(self, seats: Iterable[Seat]) -> None:
        """Note who of those that are to stop has to wait for whom."""
        for seat in seats:
            for address, _ in self._dependents.get(seat.address, ()):
                if self._seats[address].stop_wanted and not self._seats[address].settled:
                    seat.stop_blockers.add(address)
            for _, binding in seat.local_bindings:
                provider = self._seats.get(binding.provider)
                if provider is not None and provider.stop_wanted and not seat.settled:
                    provider.stop_blockers.add(seat.address)

    def release(self, seat: Seat) -> None:
        """Let the providers stop as far as this seat goes."""
        for _, binding in seat.local_bindings:
            self._unblock(binding.provider, seat.address)

    def _unblock(self, address: str, dependent: str) -> None:
        provider = self._seats.get(address)
        if provider is not None and dependent in provider.stop_blockers:
            provider.stop_blockers.discard(dependent)
            self._try_stop(provider)
