"""Owns one incarnation of a command, from its start until nothing of it is left."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from ignrun.protocol import kin
from ignrun.protocol.kin import Identity
from ignrun.protocol.template import Guard
from ignrun.runtime.engines.accounts import Account, account_of
from ignrun.runtime.engines.attention import NotReadyInTime, Probes, ask_once, await_ready
from ignrun.runtime.engines.files import Content, contents_of, write_files
from ignrun.runtime.engines.launch import CommandLaunch, under
from ignrun.runtime.engines.limits import Hold, hold_of
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
    signal_child,
    signal_group,
    signal_number,
    start_process,
)
from ignrun.runtime.engines.reloading import Reload
from ignrun.runtime.engines.workshop import Workshop
from ignrun.runtime.supervise.messages import (
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandReloaded,
    CommandStarted,
    Probed,
)
from ignrun.terms.fault import Fault, FaultKind

CONFIG: Final = "IGNRUN_CONFIG"
"""Environment name of the file that holds the resolved config."""

NEVER_STARTED: Final = "never started"
"""How a command ended that was stopped before there was a process."""

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
        self._group = f"{launch.address}.{launch.epoch}"
        self._output = Output(launch.address, launch.address, workshop.on_lines, workshop.mask)
        self._child: Child | None = None
        self._code: int | None = None
        self._attention: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._kill_at: float | None = None
        self._is_killing = False
        self._watched: int | None = None
        self._config: Path | None = None
        self._account: Account | None = None
        self._hold = Hold()
        self._taken: int | None = None
        self._notify: NotifySocket | None = None
        self._probes: Probes | None = None
        self._heeded: Probes | None = None  # those that what it says is for: of the start, or of the reload under way
        self._site: Site | None = None
        self._is_ready = launch.oneshot
        self._preparing: asyncio.Task[None] | None = None
        self._reload: Reload | None = None
        self._pace = 0.0
        self._is_paced = asyncio.Event()
        self._reloads: set[asyncio.Task[None]] = set()

    # --- start --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process: CommandStarted is heard, or CommandFailed when there is none."""
        if self.launch.files or self._shop.written.holds(self.launch.address):
            self._preparing = self._loop.create_task(self._start_with_files())
        else:
            self._start()

    async def _start_with_files(self) -> None:
        try:
            await self._shop.off_loop(write_files, contents_of(self.launch))
            await self._tidy(self.launch)
        except (OSError, ValueError) as error:
            self._not_started(str(error))
        else:
            self._start()
        self._preparing = None

    async def _tidy(self, launch: CommandLaunch) -> None:
        """Take away what it does not declare any more, and say so."""
        gone = await self._shop.off_loop(self._shop.written.settle, (launch.address, contents_of(launch)))
        notes = tuple(f"`{path}` is not declared any more, and was taken away" for path in gone)
        self._shop.tell(launch.address, launch.address, notes)

    def _start(self) -> None:
        if self._kill_at is not None:
            self._not_started(NEVER_STARTED)
            return
        try:
            signal_number(self.launch.stop_signal)
            self._account = account_of(self.launch.user)
            self._hold = hold_of(self.launch.limits)
            self._probes = self._heeded = probes = Probes(self.launch)
            self._site = Site(self._environment(probes), self.launch.cwd, self._shop.children, self._shop.soft_limit)
            self._taken = _taken_port(probes)
            self._child = self._spawned(self._site)
        except (NotStartable, OSError, ValueError) as error:
            self._not_started(str(error))
            return
        self._shop.children.own(self._child.pid)
        self._shop.groups.join(self._group, self._child.pid)
        self._guard(self._child)
        self._loop.add_reader(self._child.pidfd, self._ended)
        self._shop.tell(self.launch.address, self.launch.address, self._hold.notes)
        self._shop.hear(CommandStarted(self.launch.address, self.launch.epoch, self._child.pid, self._hold.notes))
        if not self.launch.oneshot:
            self._output.watch = probes.watch
            self._attention = self._loop.create_task(self._attend(probes, self._site))

    def _not_started(self, why: str) -> None:
        self._let_go()
        self._on_gone(self)
        if self._kill_at is not None:
            self._shop.hear(CommandEnded(self.launch.address, self.launch.epoch, None, NEVER_STARTED))
        else:
            self._fail(FaultKind.NOT_STARTED, why)

    def _environment(self, probes: Probes) -> dict[str, str]:
        account = self._account
        env = self._shop.environment(self.launch, account) | self.launch.env
        env[kin.MARKER] = self._marker
        if self.launch.config is not None:
            self._config = self._shop.place(self.launch, "json", account)
            env[CONFIG] = str(self._config)
            _write_private(self._config, msgspec.json.encode(self.launch.config), self._owner)
        if probes.notified:
            place = self._shop.place(self.launch, "notify", account)
            self._notify = NotifySocket(place, self._notified, self._owner)
            env[VARIABLE] = str(self._notify.path)
        return env

    @property
    def _owner(self) -> tuple[int, int] | None:
        return self._account.owner if self._account else None

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
                terms=Terms(self._hold, self.launch.umask, self._account),
            )
        finally:
            for end in ends:
                os.close(end)

    def _fail(self, kind: FaultKind, summary: str) -> None:
        fault = Fault(kind, self._shop.mask(summary), detail=self._output.tail())
        self._shop.hear(CommandFailed(self.launch.address, self.launch.epoch, fault))

    @property
    def started(self) -> bool:
        """Whether there is a process or what it left behind, or there is about to be one."""
        return self._child is not None or self._preparing is not None

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
        self._is_ready = True
        self._shop.hear(CommandReady(launch.address, launch.epoch))
        if not probes.ready:  # nothing but the check can say that it is well
            await self._check(probes, site)
        await self._check_again_and_again(site)

    async def _check_again_and_again(self, site: Site) -> None:
        while self._probes and self._probes.check and self.launch.check_interval > 0:
            await self._rest()
            await self._check(self._probes, site)

    async def _rest(self) -> None:
        """Wait until the next check is due, or somebody wants one at once."""
        self._is_paced.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace or self.launch.check_interval):
                await self._is_paced.wait()

    def check_every(self, seconds: float) -> None:
        """Check so often from now on (0: as its policy says), the first time at once."""
        self._pace = seconds
        self._is_paced.set()

    async def _check(self, probes: Probes, site: Site) -> None:
        if probes.check and self.launch.check_interval > 0:
            reason = self._shop.mask(await ask_once(probes.check, site, self.launch.check_timeout))
            self._shop.hear(Probed(self.launch.address, self.launch.epoch, not reason, reason))

    def _notified(self, said: bytes) -> None:
        if self._heeded:
            self._heeded.hear(said)

    def _somebody_else(self) -> str:
        """Object to an answer on a port that somebody answered on before this command began, unless it is its own by now."""
        if self._taken is None:
            return ""
        ours = kin.kin_of(kin.process_table(), [self._child.identity] if self._child else [], self._marker.__eq__)
        if listens((one.pid for one in ours), self._taken):
            self._taken = None
            return ""
        return f"port {self._taken} is answered by another process"

    # --- reload -------------------------------------------------------------------------------------------------------

    def reload(self, launch: CommandLaunch, change: int) -> None:
        """Have it take its files anew; CommandReloaded is heard when it has, or says why not."""

        def say(fault: Fault | None) -> None:
            self._reloaded(reload, fault)

        reload = Reload(launch, change, say)
        if refusal := self._refusal(launch):
            reload.end(Fault(FaultKind.NOT_STARTED, refusal))
            return
        assert self._site
        if self._reload:
            self._reload.break_off("another reload came before it was done")
        self._reload = reload
        task = self._loop.create_task(reload.run(self, self._site, self._shop))
        self._reloads.add(task)
        task.add_done_callback(self._over)

    def _refusal(self, launch: CommandLaunch) -> str:
        if self._child is None or self._code is not None or self._kill_at is not None or not self._is_ready:
            return "it does not run"
        if launch.reload_signal is None:
            return "it declares no `reload`"
        is_notified = isinstance(launch.ready, dict) and "notify" in launch.ready
        if is_notified and launch.reload_ack == "ready" and self._notify is None:
            return "it was started without a socket to notify on"
        return ""

    def contents(self, launch: CommandLaunch) -> tuple[Content, ...]:
        """Render all that it is to read anew; raises ValueError."""
        config = (Content(self._config, msgspec.json.encode(launch.config), owner=self._owner),) if self._config else ()
        return (*contents_of(launch), *config)

    def expect(self, probes: Probes) -> None:
        """Let what it says from now on be judged by these probes."""
        self._output.catch_up()
        if self._notify:
            self._notify.catch_up()
        self._heeded = probes
        self._output.watch = probes.watch

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        if self._child:
            signal_child(self._child, number)

    def _reloaded(self, reload: Reload, fault: Fault | None) -> None:
        if reload is self._reload:
            self._reload = None
            self._output.watch = None
        if fault is None:
            self._adopt(reload.launch)
            tidying = self._loop.create_task(self._tidy(reload.launch))
            self._reloads.add(tidying)
            tidying.add_done_callback(self._over)
        else:
            fault = replace(fault, summary=self._shop.mask(fault.summary), detail=self._output.tail())
        self._shop.hear(CommandReloaded(self.launch.address, self.launch.epoch, reload.change, fault))

    def _over(self, task: asyncio.Task[None]) -> None:
        self._reloads.discard(task)
        if self._child is None:
            self._drop_config()

    def tell(self, launch: CommandLaunch) -> None:
        """Let another policy hold from now on; one that cannot be followed is named in the log, and the one before stays."""
        if self._child is None or self._site is None:
            self.launch = launch
            return
        try:
            signal_number(launch.stop_signal)
            self._adopt(launch)
        except ValueError as error:
            self._shop.tell(launch.address, launch.address, (f"its new policy cannot be followed: {error}",))
            return
        if self._reload:
            self._reload.launch = under(self._reload.launch, launch)
        self._guard(self._child)
        self._is_paced.set()

    def _guard(self, child: Child) -> None:
        identity, launch = child.identity, self.launch
        number = signal_number(launch.stop_signal)
        self._shop.guard(Guard(identity.pid, identity.start, self._marker, number, launch.stop_grace))

    def _adopt(self, launch: CommandLaunch) -> None:
        """Let a new launch hold for what lives already."""
        assert self._site
        self._probes = Probes(launch)
        self.launch = launch
        if self._attention and self._attention.done():
            self._attention = self._loop.create_task(self._check_again_and_again(self._site))

    # --- stop ---------------------------------------------------------------------------------------------------------

    def stop(self, grace: float) -> None:
        """Ask its group to stop and kill everything of it after `grace` seconds; asked again, the earlier time holds."""
        at = self._loop.time() + grace
        asked_before = self._kill_at is not None
        if self._reload:
            self._reload.break_off("it was stopped before it was done")
        if not asked_before and self._child and self._code is None:
            signal_group(self._child, signal_number(self.launch.stop_signal))
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
        if self._reload:
            self._reload.break_off(f"it ended before it was done: {how_of(self._code)}")
        self._clear()

    def _clear(self) -> None:
        """End what it left behind; when nothing is left, it is gone."""
        assert self._child
        self._unwatch()
        if self._is_killing:
            self._shop.groups.kill(self._group)
        left = self._shop.left_of(self._marker, self._child.pid, self._group)
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
            kin.ask(identity, signal_number(self.launch.stop_signal))
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
        self._shop.groups.remove(self._group)
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
        self._drop_config()

    def _drop_config(self) -> None:
        if self._config:
            with suppress(OSError):
                self._config.unlink()


def _taken_port(probes: Probes) -> int | None:
    """Give the port that is to tell when a command is ready, if somebody answers on it already."""
    endpoint = endpoint_of(probes.ready) if probes.ready else None
    return endpoint[1] if endpoint and is_answered(*endpoint) else None


def _write_private(path: Path, data: bytes, owner: tuple[int, int] | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if owner:
            os.fchown(descriptor, *owner)
        file.write(data)
