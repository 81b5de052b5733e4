"""Owns where providers are to be found from this host: here, behind the socket of another host, or nowhere now."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ignrun.host.seat import SERVING, Seat
from ignrun.protocol.orders import Route
from ignrun.sdk.raised import Unavailable
from ignrun.terms.states import ModuleState

NOWHERE = Route("", None, ModuleState.UNINITIALIZED)


class Directory:
    """Answers where a provider is now, and wakes those who wait for it to come back."""

    def __init__(self, seat_of: Callable[[str], Seat | None]) -> None:
        self._seat_of = seat_of
        self._routes: dict[str, Route] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def route(self, route: Route) -> None:
        """Learn where a provider outside this host is."""
        self._routes[route.provider] = route
        self.changed(route.provider)

    def knows(self, address: str) -> bool:
        """Tell whether anything is known of a provider."""
        return address in self._routes or self._seat_of(address) is not None

    def state(self, address: str) -> ModuleState:
        """Give the state of a provider as far as it is known here."""
        seat = self._here(address)
        return seat.state if seat is not None else self._routes.get(address, NOWHERE).state

    def exports(self, address: str) -> Mapping[str, Any]:
        """Give what a provider exports."""
        seat = self._here(address)
        return seat.exports if seat is not None else self._routes.get(address, NOWHERE).exports

    def _here(self, address: str) -> Seat | None:
        """Give the seat of a provider, unless it has moved: then it serves elsewhere, and the seat it left is empty."""
        seat = self._seat_of(address)
        if seat is None or (seat.serving is None and self._routes.get(address, NOWHERE).state in SERVING):
            return None
        return seat

    def find(self, address: str) -> Seat | str | None:
        """Give the seat of a provider that runs here, or the socket it is reached by; None when it cannot be called."""
        seat = self._seat_of(address)
        if seat is not None and seat.serving is not None:
            return seat
        route = self._routes.get(address, NOWHERE)
        return route.socket if route.state in SERVING else None

    async def wait(self, address: str, seconds: float | None) -> Seat | str:
        """Wait until a provider can be called; raises Unavailable after so many seconds (None: never)."""
        place = self.find(address)
        if place is not None:
            return place
        try:
            async with asyncio.timeout(seconds):
                while (place := self.find(address)) is None:
                    await self._change_of(address)
        except TimeoutError:
            message = f"`{address}` did not come back within {seconds:.3g} s (state: {self.state(address).value})"
            raise Unavailable(message) from None
        return place

    def changed(self, address: str) -> None:
        """Wake those who wait for a provider."""
        for future in self._waiting.pop(address, ()):
            if not future.done():
                future.set_result(None)

    async def _change_of(self, address: str) -> None:
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(address, set())
        waiting.add(future)
        try:
            await future
        finally:
            waiting.discard(future)
