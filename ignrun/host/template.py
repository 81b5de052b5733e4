"""Owns the template, the small threadless program that forks hosts, sees their end, and ends everything when the runner is gone.

`python -m ignrun.host.template FD TOKEN PACKAGE.MODULE:FUNCTION ROLE`: FD is its end of a SOCK_SEQPACKET pair made by the runner,
TOKEN the plant's marker, the function what a host runs, ROLE whether it ends the whole plant (`guardian`) or its hosts (`helper`).
"""

import contextlib
import gc
import importlib
import os
import resource
import select
import signal
import socket
import struct
import sys
import sysconfig
import traceback
from collections.abc import Callable
from typing import Final, assert_never

import msgspec

import ignrun
from ignrun.host.guardian import Ward, end_plant
from ignrun.protocol import kin
from ignrun.protocol import template as talk
from ignrun.protocol.groups import kill_group, plant_group
from ignrun.protocol.kin import Identity

Serve = Callable[[socket.socket, str, str], int | None]

_ORDER: Final[msgspec.msgpack.Decoder[talk.TemplateOrder]] = msgspec.msgpack.Decoder(talk.TemplateOrder)
_BUG: Final = 70
_CLEARING: Final = 1.0
_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Template:
    """What the template knows: the hosts it forked, by pid, and the commands that it guards."""

    def __init__(self, control: socket.socket, token: str, serve: Serve, *, is_guardian: bool = True) -> None:
        """Take over the control socket; `serve` is imported already."""
        self._is_guardian = is_guardian
        self._group = plant_group(token) if is_guardian else None
        self._control = control
        self._token = token
        self._serve = serve
        self._runner = _pidfd_of_peer(control)
        self._wakeup, self._ends = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._hosts: dict[int, Ward] = {}
        self._guarded: dict[Identity, Ward] = {}
        self._dismissed = False

    def run(self) -> None:
        """Serve the runner until it leaves or is gone, then end what is left of the plant."""
        signal.set_wakeup_fd(self._ends, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._report(talk.Ready(talk.VERSION, ignrun.__version__, sys.version.split()[0], _abi()))
        poll = select.poll()
        for descriptor in (self._control.fileno(), self._wakeup, self._runner):
            poll.register(descriptor, select.POLLIN)
        while self._turn({descriptor for descriptor, _ in poll.poll()}):
            pass
        while self._heard(last_will=True):
            pass
        hosts = {ward.marker for ward in self._hosts.values()}
        is_ours = kin.of_plant(self._token) if self._is_guardian else hosts.__contains__
        end_plant([*self._hosts.values(), *self._guarded.values()], is_ours, hurried=self._dismissed)
        if self._group and self._is_guardian and not self._dismissed:
            kill_group(self._group)  # this process is in it: nothing comes after

    def _turn(self, readable: set[int]) -> bool:
        """Do what there is to do; False when the runner is gone."""
        if self._runner in readable:
            return False
        if self._wakeup in readable:
            self._reap()
        heard = self._control.fileno() not in readable or self._heard()
        return heard and not self._dismissed

    def _heard(self, *, last_will: bool = False) -> bool:
        """Obey one order; False when there is none. In the last will of a runner nobody is launched any more."""
        try:
            packet, fds = talk.receive(self._control)
        except ConnectionResetError:
            return last_will  # it left something unread; what it said before is still there
        except BlockingIOError:
            return not last_will
        try:
            order = _ORDER.decode(packet) if packet else None
            if order and not (last_will and isinstance(order, talk.Launch)):
                self._obey(order, fds)
        finally:
            for fd in fds:
                os.close(fd)
        return order is not None

    def _obey(self, order: talk.TemplateOrder, fds: list[int]) -> None:
        match order:
            case talk.Launch():
                self._launch(order, fds)
            case talk.Guard(pid, start, marker, stop_signal, grace):
                identity = Identity(pid, start)
                self._guarded[identity] = Ward(identity, marker, stop_signal, grace)
            case talk.Release(pid, start):
                self._guarded.pop(Identity(pid, start), None)
            case talk.Dismiss():
                self._dismissed = True
            case _:
                assert_never(order)

    # --- hosts --------------------------------------------------------------------------------------------------------

    def _launch(self, order: talk.Launch, fds: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._report(talk.NotForked(order.host, order.epoch, error.strerror or str(error)))
            return
        if pid == 0:
            self._become_host(order, fds)
        identity = kin.identity_of(pid) or Identity(pid, 0)
        self._hosts[pid] = Ward(identity, order.marker, 0, talk.HOST_GRACE)
        pidfd = os.pidfd_open(pid)
        self._report(talk.Forked(order.host, order.epoch, pid, identity.start), pidfd)
        os.close(pidfd)

    def _become_host(self, order: talk.Launch, fds: list[int]) -> None:
        """Leave the template behind and be a host; never returns."""
        code: int | None = _BUG
        try:
            self._leave()
            code = self._serve(_settle(order, fds), order.host, order.run_dir)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:  # noqa: BLE001 - the outermost frame of a host
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code or 0)

    def _leave(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *_IGNORED):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in (self._control.detach(), self._wakeup, self._ends, self._runner):
            os.close(descriptor)
        gc.enable()

    def _reap(self) -> None:
        """Wait for everybody who has ended: hosts are reported once what they left behind is gone, orphans just go."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, 4096)
        while (pid := _ended_child()) is not None:
            host = self._hosts.get(pid)
            if host:
                self._clear(host)
            _, status = os.waitpid(pid, 0)
            if host:
                del self._hosts[pid]
                self._report(talk.Exited(pid, status))

    def _clear(self, host: Ward) -> None:
        """Kill what a host left behind, while its own pid is still held by it."""
        orphans = {*kin.children_of(os.getpid())} - self._hosts.keys()
        if not orphans:
            return
        kin.kill_until_gone(
            lambda: kin.kin_of(kin.process_table(), (), host.marker.__eq__, held=[host.identity.pid]), _CLEARING
        )

    def _report(self, report: talk.TemplateReport, *fds: int) -> None:
        with contextlib.suppress(ConnectionError):
            socket.send_fds(self._control, [msgspec.msgpack.encode(report)], fds)


def _ended_child() -> int | None:
    """Give a child that has ended, without waiting for it."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found else None


def _settle(order: talk.Launch, fds: list[int]) -> socket.socket:
    """Make the forked process one of its own: session, output, name, marker; gives its socket to the runner."""
    os.setsid()
    link, out, err = fds
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    # New streams: those of the template may remember a file that they could seek in.
    sys.stdout, sys.stderr = (
        open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for fd in (1, 2)
    )
    os.environ[kin.MARKER] = order.marker
    _limit(order)
    kin.set_process_name(f"ignrun:{order.host}")
    return socket.socket(fileno=link)


def _limit(order: talk.Launch) -> None:
    """Take on the limits of this host before anything of it runs; what the system refuses does not hold."""
    for kind, value in ((resource.RLIMIT_AS, order.memory), (resource.RLIMIT_NOFILE, order.descriptors)):
        if value is not None:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, (value, value))
    if order.processors is not None:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, order.processors)
    if order.group:
        with contextlib.suppress(OSError), open(f"{order.group}/cgroup.procs", "w") as members:  # noqa: PTH123 - not a file of anybody's
            members.write("0")


def _pidfd_of_peer(control: socket.socket) -> int:
    """Give a pidfd of the runner, which tells of its end even where somebody else still holds its end of the socket.

    Where the runner is gone already, it is the readable end of a pipe: that tells of the same.
    """
    pid, _, _ = struct.unpack("3i", control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(pid)
        if os.getppid() == pid:
            return pidfd
        os.close(pidfd)
    reading, writing = os.pipe()
    os.close(writing)
    return reading


def _abi() -> str:
    return str(sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag)


def _load(name: str) -> Serve:
    module, _, function = name.partition(":")
    serve: Serve = getattr(importlib.import_module(module), function)
    return serve


def main(arguments: list[str]) -> None:
    """Be the template of the runner at the other end of the socket."""
    control = socket.socket(fileno=int(arguments[0]))
    control.set_inheritable(False)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    kin.adopt_orphans()
    kin.set_process_name(kin.TEMPLATE_NAME)
    serve = _load(arguments[2])
    gc.collect()
    gc.disable()
    gc.freeze()
    Template(control, arguments[1], serve, is_guardian=arguments[3] == talk.GUARDIAN).run()


if __name__ == "__main__":
    main(sys.argv[1:])
