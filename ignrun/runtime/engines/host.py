"""Owns one host process as the runner sees it: its socket, its output, its pidfd, and how it ended."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ignrun.protocol.frames import FrameError, Unframer, frame
from ignrun.protocol.kin import Identity
from ignrun.protocol.orders import HostOrder, Quit
from ignrun.protocol.reports import HostReport
from ignrun.runtime.engines.limits import Hold
from ignrun.runtime.engines.output import Output
from ignrun.runtime.engines.process import Child, signal_child
from ignrun.runtime.engines.pulse import Heart
from ignrun.runtime.engines.template import Template
from ignrun.terms.names import HostId

MOST_UNREAD: Final = 256 * 2**20
"""Bytes of orders that a host may leave unread before it is killed."""

_CHUNK: Final = 256 * 1024
_SILENT: Final = 2.0
_DRAIN: Final = 256


class Host:
    """One process of a host: before it is forked orders wait, after its end they are dropped."""

    def __init__(
        self, host: HostId, epoch: int, marker: str, output: Output, on_report: Callable[["Host", HostReport], None]
    ) -> None:
        """Make its socket; `theirs` is the host's end, which the caller hands over."""
        self.host = host
        self.epoch = epoch
        self.marker = marker
        self.output = output
        self.child: Child | None = None
        self.dead = False
        self.heart: Heart | None = None
        self.template: Template | None = None
        self.hold = Hold()
        self.blame = ""
        self._on_report = on_report
        self._loop = asyncio.get_running_loop()
        self._socket, self.theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._reports: Unframer[HostReport] = Unframer(HostReport)
        self._unsent = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._doomed_at: float | None = None
        self._eof = False

    def forked(self, identity: Identity, pidfd: int, on_death: Callable[["Host"], None]) -> None:
        """Its process exists: hear it from now on."""
        self.child = Child(identity, pidfd)
        self._loop.add_reader(self._socket, self._hear)
        self._loop.add_reader(pidfd, on_death, self)
        self._flush()
        self._arm()

    def give(self, order: HostOrder) -> None:
        """Send an order as soon as there is room."""
        try:
            self._unsent += frame(order)
        except FrameError as error:
            self.kill(f"an order for it is too long: {error}")
            return
        if len(self._unsent) > MOST_UNREAD:
            self.kill("it does not read its orders")
        elif self.child:
            self._flush()

    def end(self, grace: float) -> None:
        """Tell it to quit, and kill it after `grace` seconds."""
        self.give(Quit(grace))
        self._doom(grace)

    def kill(self, blame: str = "") -> None:
        """Kill it now; `blame` says what it did wrong."""
        self.blame = self.blame or blame
        self._doom(0.0)

    def _doom(self, seconds: float) -> None:
        at = self._loop.time() + seconds
        self._doomed_at = at if self._doomed_at is None else min(at, self._doomed_at)
        self._arm()

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self.child is None or self._doomed_at is None:
            return
        if self._doomed_at <= self._loop.time():
            signal_child(self.child, signal.SIGKILL)
        else:
            self._timer = self._loop.call_at(self._doomed_at, signal_child, self.child, signal.SIGKILL)

    def _flush(self) -> None:
        self._loop.remove_writer(self._socket)
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent[:_CHUNK])
            except BlockingIOError:
                self._loop.add_writer(self._socket, self._flush)
                return
            except OSError:
                self._unsent.clear()
                return
            del self._unsent[:sent]

    def _hear(self) -> bool:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._hung_up()
            return False
        try:
            for report in self._reports.feed(data):
                self._on_report(self, report)
        except FrameError as error:
            self.kill(f"it does not keep to the protocol: {error}")
            self._hung_up()
            return False
        return True

    def _hung_up(self) -> None:
        self._eof = True
        self._loop.remove_reader(self._socket)
        self._doom(_SILENT)

    def let_go(self) -> None:
        """It is gone: hear its last words and close everything."""
        for _ in range(_DRAIN):
            if self._eof or not self._hear():
                break
        self.output.close()
        self.discard()

    def discard(self) -> None:
        """Close everything, unheard; fine to call again."""
        if self.heart:
            self.heart.close()
            self.heart = None
        if self._timer:
            self._timer.cancel()
        for forget in (self._loop.remove_reader, self._loop.remove_writer):
            with suppress(ValueError):
                forget(self._socket)
        self._socket.close()
        self.theirs.close()
        if self.child:
            self._loop.remove_reader(self.child.pidfd)
            with suppress(OSError):
                os.close(self.child.pidfd)
            self.child = None
