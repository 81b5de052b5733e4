"""Owns Peer, a provider as its dependent sees it, the same wherever the provider runs."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Literal, get_args

from ignrun.terms.states import ModuleState

WAIT: Final = 10.0
"""Seconds that a call waits for a provider that is restarting."""

Overflow = Literal["block", "drop_oldest"]
"""What happens when a stream's buffer is full: the provider waits, or the oldest value is dropped."""


def refuse_odd_stream(buffer: object, overflow: object) -> None:
    """Raise ValueError for a buffer or an overflow that there is not."""
    if not isinstance(buffer, int) or buffer < 1:
        message = f"the buffer of a stream is a whole number of values, 1 or more, not {buffer!r}"
        raise ValueError(message)
    if overflow not in get_args(Overflow):
        message = f"overflow is {' or '.join(map(repr, get_args(Overflow)))}, not {overflow!r}"
        raise ValueError(message)


class Peer(ABC):
    """A bound provider. Values are of msgpack's types and not to be mutated; only `@provides` methods can be called."""

    address: str
    slot: str

    @property
    @abstractmethod
    def exports(self) -> Mapping[str, Any]:
        """What the provider exports now; empty while it does not run."""

    @property
    @abstractmethod
    def state(self) -> ModuleState:
        """The state of the provider as far as it is known here."""

    @abstractmethod
    async def call(self, method: str, /, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:  # noqa: ASYNC109 - part of the contract
        """Call a method of the provider and give what it returns.

        Raises CallFailed when the method raised or is not provided, TimeoutError after `timeout` seconds (default 30),
        Unavailable when the provider was not there within 10 s or went away meanwhile.
        """

    @abstractmethod
    def stream(
        self, method: str, /, *args: Any, buffer: int = 256, overflow: Overflow = "block", **kwargs: Any
    ) -> AsyncGenerator[Any, None]:
        """Iterate over the values of an async generator of the provider.

        At most `buffer` values lie in between. When the provider restarts, the stream is opened anew and the log says so;
        values of the time between are lost. Raises ValueError for a `buffer` below 1 or another `overflow`, CallFailed and,
        when it cannot be opened within 10 s, Unavailable; each where the first value is asked for.
        """

    def call_blocking(self, method: str, /, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        """Call a method from a plain callback, which runs on a thread; otherwise as `call`."""
        loop = self._loop()
        try:
            running: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is loop:
            message = "call_blocking is for plain callbacks on threads; write `await peer.call(...)` here"
            raise RuntimeError(message)
        return asyncio.run_coroutine_threadsafe(self.call(method, *args, timeout=timeout, **kwargs), loop).result()

    @abstractmethod
    def _loop(self) -> asyncio.AbstractEventLoop:
        """Give the event loop on which calls are made."""

    def __repr__(self) -> str:
        return f"<Peer {self.address} in slot {self.slot!r}, {self.state.value}>"
