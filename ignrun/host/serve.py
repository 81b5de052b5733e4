"""Owns the front door of a host process: it says hello, obeys its runner's orders, and ends when there is no runner."""

import asyncio
import faulthandler
import gc
import os
import platform
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import BinaryIO, Final, assert_never

import ignrun
from ignrun.host.door import Door
from ignrun.host.instances import Instances
from ignrun.host.ledger import Ledger
from ignrun.host.logs import LinesHandler, listen, set_level
from ignrun.host.masking import Masker
from ignrun.host.outbox import Outbox
from ignrun.host.peers import Switchboard
from ignrun.host.stall import StallWatch
from ignrun.host.steps import Here, PulsingSelector
from ignrun.host.watchdog import ORPHAN_GRACE, Watchdog
from ignrun.host.wire import Wires
from ignrun.protocol.frames import FrameError, Unframer, decoder_of
from ignrun.protocol.orders import (
    Answer,
    Check,
    Clear,
    ClearStop,
    HostOrder,
    Levels,
    Load,
    Measure,
    Prepare,
    Quit,
    Revise,
    Routes,
    Start,
    Stop,
    Timings,
)
from ignrun.protocol.pulse import Pulse, dump_path, pulse_path
from ignrun.protocol.reports import PROTOCOL, Hello

BROKEN: Final = 70
"""Exit code of a host that found a bug in itself."""

_COLLECTING: Final = (10_000, 20, 50)
"""Thresholds of the collector: with the usual ones bringing thousands of instances up spends a third of its time in it."""

_READ: Final = 256 * 1024

decoder_of(HostOrder)  # made once, in the template: the hosts that it forks have it


def main(sock: socket.socket, host_id: str, run_dir: str) -> int:
    """Be the host `host_id` until the runner behind `sock` says Quit or goes away; gives the exit code.

    `run_dir` is an existing folder for the socket of its peers. Called in a process without threads and without an
    event loop; the caller ends the process with `os._exit`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to hear
    faulthandler.enable()
    gc.freeze()
    gc.set_threshold(*_COLLECTING)
    Here.pulse = Pulse.make(pulse_path(run_dir, os.getpid()))
    watchdog = Watchdog(sock, StallWatch(Here.pulse, threading.get_ident()).look)
    watchdog.begin()
    stacks = _answer_when_asked(dump_path(run_dir, os.getpid()))
    loop = asyncio.SelectorEventLoop(PulsingSelector())
    try:
        # Not asyncio.run: it would wait for tasks of modules that swallow their cancellation.
        return loop.run_until_complete(Host(sock, host_id, run_dir, watchdog).serve(signals=True))
    except BaseException as error:  # noqa: BLE001 - the outermost frame; SystemExit escapes from what module code schedules
        sys.stderr.write(f"host {host_id} ended: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
        return error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else BROKEN
    finally:
        for path in (pulse_path(run_dir, os.getpid()), dump_path(run_dir, os.getpid())):
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - the runner may have done so already
        if stacks is not None:
            faulthandler.unregister(signal.SIGUSR2)
            stacks.close()


def _answer_when_asked(path: str) -> BinaryIO | None:
    """Have SIGUSR2 answered with where all threads are, outside Python, so also while somebody holds the interpreter."""
    try:
        stacks = open(path, "ab", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115 - open as long as the host lives
    except OSError:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        return None
    faulthandler.register(signal.SIGUSR2, file=stacks, all_threads=True)
    return stacks


class Host(asyncio.Protocol):
    """The connection to the runner, and everything that hangs on it."""

    def __init__(self, sock: socket.socket, host_id: str, run_dir: str, watchdog: Watchdog | None = None) -> None:
        self._sock = sock
        self._host_id = host_id
        self._watchdog = watchdog
        self._path = f"{run_dir}/{os.getpid()}.peers"
        self._orders: Unframer[HostOrder] = Unframer(HostOrder)
        self._transport: asyncio.Transport | None = None
        self._masker = Masker()
        self._ended: asyncio.Future[int] | None = None
        self._ending = False

    async def serve(self, *, signals: bool = False) -> int:
        """Serve until the end; gives the exit code."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        ledger = Ledger()
        self._loop.set_task_factory(ledger)
        self._outbox = Outbox(self._loop, self._write, self._unsent)
        self._instances = Instances(self._outbox, self._masker, ledger)
        door = self._connect()
        self._lines = LinesHandler(self._masker, self._wake)
        if signals:
            ledger.watch_threads()
            listen(self._lines)
            self._loop.add_signal_handler(signal.SIGTERM, self._end, ORPHAN_GRACE)
        await door.open()
        self._sock.setblocking(False)
        self._transport, _ = await self._loop.create_unix_connection(lambda: self, sock=self._sock)
        try:
            return await self._ended
        finally:
            door.close()
            self._wires.close()
            if self._transport is not None:
                self._transport.close()
            self._instances.close()

    def _connect(self) -> Door:
        """Make the peers' side: what modules here call, and what others call here."""
        self._wires = Wires(self._loop)
        stage = self._instances.stage
        stage.find_peers = Switchboard(stage.directory, self._wires, stage.streams).peers
        return Door(self._path, self._instances.seat_of, stage.streams)

    # --- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_READ)
        self._outbox.say(Hello(PROTOCOL, ignrun.__version__, os.getpid(), platform.python_version(), self._path))
        self._outbox.flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Stop everything: there is no runner any more."""
        self._transport = None
        self._end(ORPHAN_GRACE)

    def data_received(self, data: bytes) -> None:
        """Obey."""
        try:
            for order in self._orders.feed(data):
                self._obey(order)
        except FrameError as error:
            sys.stderr.write(f"host {self._host_id}: {error}\n")
            self._end(ORPHAN_GRACE)

    def _obey(self, order: HostOrder) -> None:  # noqa: C901, PLR0912 - one case for each order
        match order:
            case Load():
                self._outbox.say(self._instances.load(order))
            case Start():
                self._instances.start(order)
            case Clear():
                self._instances.clear(order)
            case Stop():
                self._instances.stop(order)
            case ClearStop():
                self._instances.clear_stop(order)
            case Routes():
                self._instances.route(order)
            case Prepare() | Revise():
                self._instances.revise(order)
            case Check():
                self._instances.check(order)
            case Measure(interval):
                self._instances.stage.meter.pace(interval)
            case Answer():
                self._instances.stage.requests.answered(order)
            case Levels(levels):
                for address, level in levels.items():
                    set_level(address, level)
            case Timings(timeouts):
                self._instances.retime(timeouts)
            case Quit(grace):
                self._end(grace)
            case _:
                assert_never(order)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _unsent(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def _wake(self) -> None:
        """Have log lines sent; called from any thread, also while the loop is going away."""
        try:
            self._loop.call_soon_threadsafe(self._send_lines)
        except RuntimeError:
            pass  # the loop is closed: nobody listens any more

    def _send_lines(self) -> None:
        lines = self._lines.take()
        if lines and not self._outbox.log(lines):
            self._lines.refused(lines)
            self._loop.call_later(0.1, self._send_lines)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _end(self, grace: float) -> None:
        """Stop everything in order, then leave; after `grace` seconds leave anyway."""
        if self._watchdog is not None:
            self._watchdog.end_within(grace + 0.5)
        if not self._ending:
            self._ending = True
            self._leaving = asyncio.Task(self._leave(grace), loop=self._loop)

    async def _leave(self, grace: float) -> None:
        try:
            async with asyncio.timeout(grace):
                await self._instances.stop_all()
        except TimeoutError:
            pass  # what has not stopped ends with the process
        self._send_lines()
        self._outbox.flush()
        await self._sent(min(1.0, grace))
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(0)

    async def _sent(self, seconds: float) -> None:
        """Wait until the runner has read what was said."""
        end = self._loop.time() + seconds
        while self._unsent() and self._loop.time() < end:  # noqa: ASYNC110 - a transport has no event for it
            await asyncio.sleep(0.005)
