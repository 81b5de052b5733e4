"""Owns the HTTP servers of a runner, inside the runner's loop and on sockets that it binds itself."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ignrun.control.guard import App, Guard, TokenGate
from ignrun.control.peer import Loopback, bind_private, may_enter
from ignrun.control.port import Steering
from ignrun.control.routes import application
from ignrun.control.streams import Streams

_PATIENCE: Final = 1  # seconds that answers under way may take when the server closes
_PAUSE: Final = 0.005  # seconds between two looks at whether they have

REQUEST_PATIENCE: Final = 15.0
"""Seconds from the first byte of a request until all of it must be here."""

MOST: Final = 1024
"""Connections that one socket serves at once; others are hung up on."""

_HEAD_BYTES: Final = 32 * 1024


class _Patient(H11Protocol):
    """HTTP for those who say what they want in time; others are hung up on."""

    _giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST or not self.is_welcome(transport.get_extra_info("socket")):
            transport.abort()
            return
        self._give_up_later()

    def is_welcome(self, connection: socket.socket) -> bool:  # noqa: ARG002 - the token says who may enter
        return True

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
            self._give_up_later()
        else:
            self._wait_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_on()
        super().connection_lost(exc)

    def _give_up_later(self) -> None:
        if self._giving_up is None:
            self._giving_up = self.loop.call_later(REQUEST_PATIENCE, self.transport.abort)

    def _wait_on(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None


class _Private(_Patient):
    """HTTP for processes of this user; others are hung up on before a byte is read."""

    def is_welcome(self, connection: socket.socket) -> bool:
        return may_enter(connection)


class _Server(uvicorn.Server):
    """A server that leaves signals to the runner, and sleeps until somebody asks something: it has no clock of its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Have it listen no longer, and return from `serve` soon."""
        self.should_exit = True
        self._ending.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self.on_tick(0)  # what each answer begins with is made there
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what listens, let answers under way finish, then cut them off."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        until = asyncio.get_running_loop().time() + _PATIENCE
        while (state.connections or state.tasks) and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - uvicorn says nothing
            await asyncio.sleep(_PAUSE)
        for task in state.tasks:
            task.cancel()


class ControlServer:
    """The control API of one runner, while it is open: a socket in the file system and, where it is wanted, one on loopback."""

    def __init__(self, path: Path, steering: Steering) -> None:
        """Take where the socket lies and who is steered; `open` opens it."""
        self._path = path
        self._streams = Streams()
        self._app = application(steering, self._streams)
        self._servers: list[_Server] = []
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, path: Path, steering: Steering) -> Self:
        """Bind `path` and answer on it from now on; raises StateFolderFailure."""
        server = cls(path, steering)
        server._serve(bind_private(path), Guard(server._app), _Private)
        return server

    def listen(self, loopback: Loopback) -> None:
        """Answer on loopback too those who show the token."""
        self._serve(loopback.socket, Guard(TokenGate(self._app, loopback.token), pages=True), _Patient)

    def _serve(self, listening: socket.socket, app: App, protocol: type[H11Protocol]) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        server = _Server(uvicorn.Config(app, http=protocol, **_CONFIG))
        self._servers.append(server)
        self._tasks.append(asyncio.create_task(server.serve(sockets=[listening]), name="control"))

    async def close(self) -> None:
        """Stop listening, end the streams, let answers under way finish for a second, and remove the socket."""
        with suppress(OSError):
            self._path.unlink()
        self._streams.close()
        for server in self._servers:
            server.end()
        for task in self._tasks:
            await task


_CONFIG: Final[dict[str, Any]] = {
    "ws": "none",
    "lifespan": "off",
    "log_config": None,
    "access_log": False,
    "proxy_headers": False,
    "server_header": False,
    "date_header": False,
    "h11_max_incomplete_event_size": _HEAD_BYTES,
    "timeout_graceful_shutdown": _PATIENCE,
}
