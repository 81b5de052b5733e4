"""Owns the datagram socket on which a command says that it is ready, as programs under systemd do (`sd_notify`)."""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

VARIABLE: Final = "NOTIFY_SOCKET"

_LONGEST: Final = 4096
_AT_ONCE: Final = 16


class NotifySocket:
    """One socket for one incarnation; `hear` is told each thing that is said on it, such as `READY=1`."""

    def __init__(self, path: Path, hear: Callable[[bytes], None], owner: tuple[int, int] | None = None) -> None:
        """Listen at `path` to its owner alone, who is the runner's own user where nobody else is named; raises OSError."""
        self.path = path
        self._tell = hear
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        with suppress(FileNotFoundError):
            path.unlink()
        try:
            self._socket.bind(os.fspath(path))
            path.chmod(0o600)
            if owner:
                os.chown(path, *owner)
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._hear)

    def _hear(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                said = self._socket.recv(_LONGEST)
            except OSError:
                return
            for one in said.split(b"\n"):
                self._tell(one)

    def catch_up(self) -> None:
        """Hear what has been said by now."""
        self._hear()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        with suppress(OSError):
            self.path.unlink()
