"""Owns HostPeer, a provider as a module of this host sees it, here or in another host."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from typing import Any

from ignrun.host.directory import Directory
from ignrun.host.feed import Gone
from ignrun.host.incarnation import Incarnation
from ignrun.host.provided import Streams, call_provided, open_provided
from ignrun.host.seat import Seat
from ignrun.host.wanted import Wanted
from ignrun.host.wire import NotThere, Stream, Wires
from ignrun.sdk.peer import WAIT, Overflow, Peer, refuse_odd_stream
from ignrun.sdk.raised import Unavailable
from ignrun.sdk.surroundings import logger_of
from ignrun.terms.states import ModuleState

PAUSE = 0.05
"""Seconds between two attempts to reach a provider that should be there and is not."""


class Switchboard:
    """Makes the peers of this host's modules, and connects them."""

    def __init__(self, directory: Directory, wires: Wires, streams: Streams) -> None:
        self.directory = directory
        self.wires = wires
        self.streams = streams

    def peers(self, owner: Incarnation, slot: str) -> Peer | tuple[Peer, ...]:
        """Give what is bound to a slot; raises LookupError for a slot that the instance does not have."""
        bound = [one for one in owner.assignment.bindings if one.slot == slot]
        if not bound:
            known = ", ".join(sorted({one.slot for one in owner.assignment.bindings if one.slot})) or "none"
            message = f"`{owner.address}` has no slot `{slot}` (its slots: {known})"
            raise LookupError(message)
        peers = tuple(HostPeer(self, owner, slot, one.provider) for one in bound)
        return peers if bound[0].many else peers[0]


class HostPeer(Peer):
    """A bound provider; where it runs is looked up at each call, because it may move."""

    def __init__(self, switchboard: Switchboard, owner: Incarnation, slot: str, address: str) -> None:
        self.address = address
        self.slot = slot
        self._board = switchboard
        self._owner = owner

    @property
    def exports(self) -> Mapping[str, Any]:
        """What the provider exports now."""
        return MappingProxyType(dict(self._board.directory.exports(self.address)))

    @property
    def state(self) -> ModuleState:
        """The state of the provider as far as it is known here."""
        return self._board.directory.state(self.address)

    def _loop(self) -> asyncio.AbstractEventLoop:
        return self._board.wires.loop

    async def call(self, method: str, /, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:  # noqa: ASYNC109 - part of the contract
        """Call a method of the provider; see Peer."""
        loop = asyncio.get_running_loop()
        patience = loop.time() + WAIT
        while True:
            place = await self._board.directory.wait(self.address, max(0.0, patience - loop.time()))
            try:
                return await self._call_at(place, Wanted(self.address, method, args, kwargs), timeout)
            except NotThere as absent:
                if loop.time() + PAUSE >= patience:
                    raise Unavailable(str(absent)) from absent
                await asyncio.sleep(PAUSE)

    async def _call_at(self, place: Seat | str, wanted: Wanted, seconds: float | None) -> Any:
        limit = self._owner.assignment.timeouts.call if seconds is None else seconds
        timeout = asyncio.timeout(limit)
        try:
            async with timeout:
                if isinstance(place, str):
                    return await self._board.wires.call(place, wanted)
                if place.serving is None:
                    raise NotThere(self.address)
                return await call_provided(place.serving, wanted)
        except TimeoutError as error:
            if not timeout.expired():
                raise
            message = f"`{wanted.method}` of `{self.address}` did not answer within {limit:g} s"
            raise TimeoutError(message) from error

    async def stream(
        self, method: str, /, *args: Any, buffer: int = 256, overflow: Overflow = "block", **kwargs: Any
    ) -> AsyncGenerator[Any, None]:
        """Iterate over the values of a stream of the provider; see Peer."""
        refuse_odd_stream(buffer, overflow)
        wait: float | None = WAIT
        while True:
            came = False
            place = await self._board.directory.wait(self.address, wait)
            if wait is None:
                logger_of(self._owner.address).info("stream `%s` of `%s` resumed", method, self.address)
            wait = None
            try:
                feed = await self._open_at(place, Wanted(self.address, method, args, kwargs), buffer, overflow)
            except NotThere:
                await asyncio.sleep(PAUSE)
                continue
            try:
                while values := await feed.take():
                    came = True
                    for value in values:
                        yield value
                return
            except Gone:
                logger_of(self._owner.address).info("stream `%s` of `%s` interrupted", method, self.address)
            finally:
                feed.close()
            if not came:
                await asyncio.sleep(PAUSE)

    async def _open_at(self, place: Seat | str, wanted: Wanted, buffer: int, overflow: Overflow) -> Stream:
        if isinstance(place, str):
            return await self._board.wires.open(place, wanted, buffer, overflow)
        if place.serving is None:
            raise NotThere(self.address)
        feed, task = open_provided(
            place.serving, wanted, max(1, buffer // 2), overflow
        )  # the rest is in the reader's hands
        self._board.streams.add(place.serving, task)
        return Stream(feed, lambda _: None, task.cancel)
