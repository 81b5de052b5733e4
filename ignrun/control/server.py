"""Owns the HTTP server of a runner, inside the runner's loop and on a socket that it binds itself."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ignrun.control.peer import bind_private, may_enter
from ignrun.control.port import Steering
from ignrun.control.routes import application
from ignrun.control.streams import Streams

_PATIENCE: Final = 1  # seconds that answers under way may take when the server closes


class _Door(H11Protocol):
    """HTTP for those who may enter; others are hung up on before a byte is read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not may_enter(transport.get_extra_info("socket")):
            transport.abort()


class _Server(uvicorn.Server):
    """A server that leaves signals to the runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ControlServer:
    """The control socket of one runner, while it is open."""

    def __init__(self, path: Path, server: _Server, streams: Streams, task: "asyncio.Task[None]") -> None:
        """Take what `open` made."""
        self._path = path
        self._server = server
        self._streams = streams
        self._task = task

    @classmethod
    async def open(cls, path: Path, steering: Steering) -> Self:
        """Bind `path` and answer on it from now on; raises StateFolderFailure."""
        listening = bind_private(path)
        streams = Streams()
        config = uvicorn.Config(
            application(steering, streams),
            http=_Door,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]), name="control")
        return cls(path, server, streams, task)

    async def close(self) -> None:
        """Stop listening, end the streams, let answers under way finish for a second, and remove the socket."""
        with suppress(OSError):
            self._path.unlink()
        self._streams.close()
        self._server.should_exit = True
        await self._task
