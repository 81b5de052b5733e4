"""Owns one incarnation of a command, from its start until nothing of it is left."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ignrun.protocol import kin
from ignrun.protocol.kin import Identity
from ignrun.protocol.template import Guard
from ignrun.runtime.engines.attention import NotReadyInTime, Probes, ask_once, await_ready
from ignrun.runtime.engines.files import write_files
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.engines.listeners import is_answered, listens
from ignrun.runtime.engines.notify import VARIABLE, NotifySocket
from ignrun.runtime.engines.output import Output
from ignrun.runtime.engines.probes import Site, endpoint_of
from ignrun.runtime.engines.process import (
    Child,
    NotStartable,
    Terms,
    how_of,
    peek_exit,
    reap,
    signal_group,
    start_process,
)
from ignrun.runtime.engines.workshop import Workshop
from ignrun.runtime.supervise.messages import (
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandStarted,
    Probed,
)
from ignrun.terms.fault import Fault, FaultKind

CONFIG: Final = "IGNRUN_CONFIG"
"""Environment name of the file that holds the resolved config."""

LEFT_BEHIND: Final = 2.0
"""Most seconds for what a command left behind when it ended unasked."""


class Incarnation:
    """One process group of a command; `on_gone` is told once when every process of it is gone."""

    def __init__(self, launch: CommandLaunch, workshop: Workshop, on_gone: Callable[["Incarnation"], None]) -> None:
        """Prepare; nothing runs before `start`."""
        self.launch = launch
        self._shop = workshop
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._marker = kin.marker_of(workshop.token, launch.address, launch.epoch)
        self._output = Output(launch.address, launch.address, workshop.on_lines, workshop.mask)
        self._child: Child | None = None
        self._code: int | None = None
        self._attention: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._kill_at: float | None = None
        self._is_killing = False
        self._watched: int | None = None
        self._config: Path | None = None
        self._taken: int | None = None
        self._notify: NotifySocket | None = None

    # --- start --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process: CommandStarted is heard, or CommandFailed when there is none."""
        try:
            number = _signal_number(self.launch.stop_signal)
            probes = Probes(self.launch)
            write_files(self.launch)
            site = Site(self._environment(probes), self.launch.cwd, self._shop.children, self._shop.soft_limit)
            self._taken = _taken_port(probes)
            self._child = self._spawned(site)
        except (NotStartable, OSError, ValueError) as error:
            self._let_go()
            self._on_gone(self)
            self._fail(FaultKind.NOT_STARTED, str(error))
            return
        self._shop.children.own(self._child.pid)
        identity = self._child.identity
        self._shop.guard(Guard(identity.pid, identity.start, self._marker, number, self.launch.stop_grace))
        self._loop.add_reader(self._child.pidfd, self._ended)
        self._shop.hear(CommandStarted(self.launch.address, self.launch.epoch, self._child.pid))
        if not self.launch.oneshot:
            self._output.watch = probes.watch
            self._attention = self._loop.create_task(self._attend(probes, site))

    def _environment(self, probes: Probes) -> dict[str, str]:
        env = self._shop.environment(self.launch.inherit_env) | self.launch.env
        env[kin.MARKER] = self._marker
        if self.launch.config is not None and self.launch.user is None:  # the run-time folder is nobody else's to enter
            self._config = self._shop.place(self.launch, "json")
            env[CONFIG] = str(self._config)
            _write_private(self._config, msgspec.json.encode(self.launch.config))
        if probes.notified:
            self._notify = NotifySocket(self._shop.place(self.launch, "notify"), probes.told.set)
            env[VARIABLE] = str(self._notify.path)
        return env

    def _spawned(self, site: Site) -> Child:
        ends: list[int] = []
        try:
            ends += [self._output.open("out")]
            ends += [self._output.open("err")]
            return start_process(
                self.launch.argv,
                env=site.env,
                cwd=site.cwd,
                out=ends[0],
                err=ends[1],
                soft_limit=site.soft_limit,
                terms=self._terms(),
            )
        finally:
            for end in ends:
                os.close(end)

    def _terms(self) -> Terms:
        launch = self.launch
        return Terms(launch.memory, launch.descriptors, launch.umask, launch.user)

    def _fail(self, kind: FaultKind, summary: str) -> None:
        fault = Fault(kind, self._shop.mask(summary), detail=self._output.tail())
        self._shop.hear(CommandFailed(self.launch.address, self.launch.epoch, fault))

    @property
    def started(self) -> bool:
        """Whether there is a process, or what it left behind."""
        return self._child is not None

    # --- while it lives -----------------------------------------------------------------------------------------------

    async def _attend(self, probes: Probes, site: Site) -> None:
        launch = self.launch
        try:
            await await_ready(probes, site, launch.ready_timeout, self._somebody_else)
        except NotReadyInTime as error:
            self._fail(FaultKind.TIMED_OUT, str(error))
            self.stop(launch.stop_grace)
            return
        self._output.watch = None
        self._shop.hear(CommandReady(launch.address, launch.epoch))
        pause = launch.check_interval if probes.ready else 0.0  # nothing but the check can say that it is well
        while probes.check and launch.check_interval > 0:
            await asyncio.sleep(pause)
            pause = launch.check_interval
            reason = self._shop.mask(await ask_once(probes.check, site, launch.check_timeout))
            self._shop.hear(Probed(launch.address, launch.epoch, not reason, reason))

    def _somebody_else(self) -> str:
        """Object to an answer on a port that somebody answered on before this command began, unless it is its own by now."""
        if self._taken is None:
            return ""
        ours = kin.kin_of(kin.process_table(), [self._child.identity] if self._child else [], self._marker.__eq__)
        if listens((one.pid for one in ours), self._taken):
            self._taken = None
            return ""
        return f"port {self._taken} is answered by another process"

    # --- stop ---------------------------------------------------------------------------------------------------------

    def stop(self, grace: float) -> None:
        """Ask its group to stop and kill everything of it after `grace` seconds; asked again, the earlier time holds."""
        at = self._loop.time() + grace
        asked_before = self._kill_at is not None
        if not asked_before and self._child and self._code is None:
            signal_group(self._child, _signal_number(self.launch.stop_signal))
            signal_group(self._child, signal.SIGCONT)
        self._kill_by(at)

    def _kill_by(self, at: float) -> None:
        if self._kill_at is not None and self._kill_at <= at:
            return
        self._kill_at = at
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._kill)

    def _kill(self) -> None:
        self._is_killing = True
        if self._child is None:
            return
        if self._code is None:
            signal_group(self._child, signal.SIGKILL)
        else:
            self._clear()

    def _ended(self) -> None:
        """The process itself has ended; it is not waited for until everything that it started is gone."""
        assert self._child
        self._loop.remove_reader(self._child.pidfd)
        self._code = peek_exit(self._child.pidfd) or 0
        if self._attention:
            self._attention.cancel()
        self._clear()

    def _clear(self) -> None:
        """End what it left behind; when nothing is left, it is gone."""
        assert self._child
        self._unwatch()
        left = self._shop.left_of(self._marker, self._child.pid)
        if not left:
            self._gone()
        elif self._is_killing:
            for identity in left:
                kin.send(identity, signal.SIGKILL)
            self._watch(min(left))
        else:
            if self._kill_at is None:
                self._ask_left(left)
            self._watch(min(left))

    def _ask_left(self, left: frozenset[Identity]) -> None:
        for identity in left:
            kin.ask(identity, _signal_number(self.launch.stop_signal))
        self._kill_by(self._loop.time() + min(self.launch.stop_grace, LEFT_BEHIND))

    def _watch(self, identity: Identity) -> None:
        """Look again when this process, one of those left, has ended."""
        try:
            self._watched = os.pidfd_open(identity.pid)
        except OSError:
            self._loop.call_soon(self._clear)
            return
        self._loop.add_reader(self._watched, self._clear)

    def _unwatch(self) -> None:
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            os.close(self._watched)
            self._watched = None

    def _gone(self) -> None:
        assert self._child
        assert self._code is not None
        reap(self._child.pidfd)
        self._shop.children.disown(self._child.pid)
        self._shop.release(self._child.identity)
        os.close(self._child.pidfd)
        self._child = None
        self._let_go()
        self._on_gone(self)
        code = self._code if self._code >= 0 else None
        launch = self.launch
        self._shop.hear(CommandEnded(launch.address, launch.epoch, code, how_of(self._code), self._output.tail()))

    def _let_go(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._output.close()
        if self._notify:
            self._notify.close()
        if self._config:
            with suppress(OSError):
                self._config.unlink()


def _taken_port(probes: Probes) -> int | None:
    """Give the port that is to tell when a command is ready, if somebody answers on it already."""
    endpoint = endpoint_of(probes.ready) if probes.ready else None
    return endpoint[1] if endpoint and is_answered(*endpoint) else None


def _signal_number(name: str) -> int:
    """Give the number of `TERM` or `SIGTERM`; raises ValueError."""
    try:
        return signal.Signals[f"SIG{name.removeprefix('SIG')}"]
    except KeyError:
        raise ValueError(f"there is no signal `{name}`") from None


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
