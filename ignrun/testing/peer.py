"""Owns FakePeer, a provider that answers with what a test has put into it."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, NamedTuple

from ignrun.sdk.peer import Overflow, Peer, refuse_odd_stream
from ignrun.sdk.raised import CallFailed, Unavailable
from ignrun.terms.states import ModuleState
from ignrun.testing.carried import arguments, returned, yielded


class Recorded(NamedTuple):
    """One call that the module under test has made."""

    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class FakePeer(Peer):
    """A provider with canned answers.

    `answers`: method -> the value, or a function (plain or async) of the arguments. `streams`: method -> the values that
    come first; more come by `push`, and the stream ends by `finish`. `called` lists every call. While `state` is not
    running, calls raise Unavailable at once. What goes in and out is as it is between two hosts: tuples become lists, and what
    cannot be sent raises CallFailed.
    """

    def __init__(
        self,
        answers: Mapping[str, Any] | None = None,
        *,
        streams: Mapping[str, Iterable[Any]] | None = None,
        exports: Mapping[str, Any] | None = None,
        address: str = "",
    ) -> None:
        """Take what it answers."""
        self.address = address
        self.slot = ""
        self.called: list[Recorded] = []
        self._answers = dict(answers or {})
        self._values = {name: list(values) for name, values in (streams or {}).items()}
        self._finished: set[str] = set()
        self._exports = dict(exports or {})
        self._state = ModuleState.RUNNING
        self._readers: set[asyncio.Future[None]] = set()
        self._running_loop: asyncio.AbstractEventLoop | None = None

    @property
    def exports(self) -> Mapping[str, Any]:
        """What it exports."""
        return self._exports

    @property
    def state(self) -> ModuleState:
        """Running, until the test sets something else."""
        return self._state

    @state.setter
    def state(self, state: ModuleState) -> None:
        self._state = state

    def bind(self, slot: str) -> None:
        """Take the slot's name; called by the driver, on the event loop."""
        self.slot = slot
        self.address = self.address or f"{slot}@gateway"
        self._running_loop = asyncio.get_running_loop()

    def push(self, stream: str, *values: Any) -> None:
        """Add values to a stream."""
        self._values.setdefault(stream, []).extend(values)
        self._wake()

    def finish(self, stream: str) -> None:
        """End a stream after the values that it has."""
        self._finished.add(stream)
        self._wake()

    async def call(self, method: str, /, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:  # noqa: ARG002, ASYNC109 - part of the contract
        """Answer; raises CallFailed, or Unavailable while it is not running."""
        args, kwargs = arguments(args, kwargs)
        self.called.append(Recorded(method, args, kwargs))
        self._refuse(method, self._answers)
        return returned(method, await self._answer(method, args, kwargs))

    async def _answer(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        answer = self._answers[method]
        if not callable(answer):
            return answer
        try:
            found = answer(*args, **kwargs)
            return await found if inspect.isawaitable(found) else found
        except Exception as error:
            message = f"`{method}` of `{self.address}` raised {type(error).__name__}: {error}"
            raise CallFailed(message) from error

    async def stream(
        self,
        method: str,
        /,
        *args: Any,
        buffer: int = 256,
        overflow: Overflow = "block",
        **kwargs: Any,
    ) -> AsyncGenerator[Any, None]:
        """Give the values of a stream: those there at first, then what is pushed."""
        refuse_odd_stream(buffer, overflow)
        args, kwargs = arguments(args, kwargs)
        self.called.append(Recorded(method, args, kwargs))
        self._refuse(method, self._values)
        at = 0
        while True:
            values = self._values[method]
            while at < len(values):
                at += 1
                yield yielded(method, values[at - 1])
            if method in self._finished:
                return
            reader = asyncio.get_running_loop().create_future()
            self._readers.add(reader)
            await reader

    def _refuse(self, method: str, known: Mapping[str, Any]) -> None:
        if self._state is not ModuleState.RUNNING:
            message = f"`{self.address}` is {self._state.value}"
            raise Unavailable(message)
        if method not in known:
            message = f"`{self.address}` does not provide `{method}` (it provides {', '.join(known) or 'nothing'})"
            raise CallFailed(message)

    def _wake(self) -> None:
        for reader in self._readers:
            if not reader.done():
                reader.set_result(None)
        self._readers.clear()

    def _loop(self) -> asyncio.AbstractEventLoop:
        if self._running_loop is None:
            message = "a FakePeer is bound to a module first: `drive(..., peers={slot: peer})`"
            raise RuntimeError(message)
        return self._running_loop
