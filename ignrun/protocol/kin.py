"""Turns the process table into the processes that belong to a plant, and signals them without ever hitting a stranger.

Runner and guardian go by the same rule: a process is known by (pid, start time), and it is kin when it descends from kin, is
in a session that kin leads, or carries the plant's marker in the environment that it was started with. Linux only.
"""

import ctypes
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

MARKER: Final = "IGNRUN_INSTANCE"
"""Environment name whose value, `<token>/<instance or host>/<epoch>`, tells whose process it is."""

_ASSIGNED: Final = f"{MARKER}=".encode()
_BELIEVED: Final = 2
_SET_CHILD_SUBREAPER: Final = 36  # prctl(2)
_SET_NAME: Final = 15


class Identity(msgspec.Struct, frozen=True, order=True):
    """One process for good: a pid is used again, a pid with its start time (clock ticks since boot) is not."""

    pid: int
    start: int


class Process(msgspec.Struct, frozen=True):
    """One living process of the table; `marker` is empty where it carries none, `name` is 15 bytes long at most."""

    identity: Identity
    name: str
    parent: int
    group: int
    session: int
    marker: str = ""


Table = dict[int, Process]


def marker_of(token: str, name: str, epoch: int) -> str:
    """Write the marker of one incarnation of an instance or a host."""
    return f"{token}/{name}/{epoch}"


def of_plant(token: str) -> Callable[[str], bool]:
    """Make the test whether a marker is of this plant, whoever's it is."""
    beginning = f"{token}/"
    return lambda marker: marker.startswith(beginning)


def identity_of(pid: int) -> Identity | None:
    """Give the identity of a process, also of one that has ended and was not waited for; None when there is none."""
    fields = _fields(_read(f"/proc/{pid}/stat"))
    return Identity(pid, int(fields[19])) if fields else None


def process_table() -> Table:
    """Read every living process that this user may signal, with its marker; those that have ended are left out."""
    everybody = os.geteuid() == 0
    table: Table = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - read hundreds of times, names are enough
        if name.isdecimal() and (process := _process(int(name), everybody=everybody)):
            table[process.identity.pid] = process
    return table


def _process(pid: int, *, everybody: bool) -> Process | None:
    text = _read(f"/proc/{pid}/stat")
    fields = _fields(text)
    if not fields or fields[0] in ("Z", "X"):
        return None
    parent, group, session = (int(field) for field in fields[1:4])
    name = text[text.find(b"(") + 1 : text.rfind(b")")].decode(errors="replace")
    with suppress(OSError):
        if everybody or Path("/proc", str(pid)).stat().st_uid == os.geteuid():
            return Process(Identity(pid, int(fields[19])), name, parent, group, session, _marker(pid))
    return None


def _fields(stat: bytes) -> list[str]:
    """Give the fields of `/proc/PID/stat` that follow the program's name: state, parent, group, session, ..."""
    return stat[stat.rfind(b")") + 2 :].decode().split() if stat else []


def _marker(pid: int) -> str:
    environment = b"\0" + _read(f"/proc/{pid}/environ")
    at = environment.find(b"\0" + _ASSIGNED)
    if at < 0:
        return ""
    begin = at + 1 + len(_ASSIGNED)
    end = environment.find(b"\0", begin)
    return environment[begin : end if end >= 0 else None].decode(errors="replace")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - read thousands of times
            return file.read()
    except OSError:
        return b""


def kin_of(
    table: Table,
    known: Iterable[Identity] = (),
    is_ours: Callable[[str], bool] = lambda _: False,
    held: Iterable[int] = (),
) -> frozenset[Identity]:
    """Find who belongs to the `known` processes, carries a marker that `is_ours`, or is in a session of `held`.

    A held session is one whose leader has ended without having been waited for, so that nobody else can have its number.
    """
    found = {identity.pid for identity in known if _lives(table, identity)}
    found |= {pid for pid, process in table.items() if process.marker and is_ours(process.marker)}
    sessions = {pid for pid in found if table[pid].session == pid} | {*held}
    children: dict[int, list[int]] = {}
    for pid, process in table.items():
        children.setdefault(process.parent, []).append(pid)
        if process.session in sessions:
            found.add(pid)
    return frozenset(table[pid].identity for pid in _descended(found, children))


def _descended(found: set[int], children: dict[int, list[int]]) -> set[int]:
    waiting = list(found)
    while waiting:
        fresh = [pid for pid in children.get(waiting.pop(), ()) if pid not in found]
        found.update(fresh)
        waiting += fresh
    return found


def _lives(table: Table, identity: Identity) -> bool:
    process = table.get(identity.pid)
    return process is not None and process.identity == identity


def ancestors(table: Table, pid: int) -> Iterator[int]:
    """Give a process, its parent, and so on, as far as the table shows them."""
    while pid in table:
        yield pid
        pid = table[pid].parent


def send(identity: Identity, number: int) -> bool:
    """Signal this very process, whoever may have its pid by now; tells whether it was there."""
    try:
        pidfd = os.pidfd_open(identity.pid)
    except OSError:
        return False
    try:
        if identity_of(identity.pid) != identity:
            return False
        signal.pidfd_send_signal(pidfd, number)
    except OSError:
        return False
    finally:
        os.close(pidfd)
    return True


def ask(identity: Identity, number: int) -> bool:
    """Send a stop signal, and wake the process if it was stopped, so that it can act on it."""
    return send(identity, number) and send(identity, signal.SIGCONT)


def await_any(identities: Iterable[Identity], seconds: float) -> None:
    """Wait until one of these processes has ended, `seconds` at most; returns at once when one is gone already."""
    poll, pidfds = select.poll(), []
    try:
        for identity in identities:
            try:
                pidfds.append(os.pidfd_open(identity.pid))
            except OSError:
                return
            if identity_of(identity.pid) != identity:
                return
            poll.register(pidfds[-1], select.POLLIN)
        poll.poll(seconds * 1000)
    finally:
        for pidfd in pidfds:
            os.close(pidfd)


def kill_until_gone(find: Callable[[], frozenset[Identity]], seconds: float) -> frozenset[Identity]:
    """Kill everybody that `find` finds, again and again, until nobody is left; returns who resisted for `seconds`.

    Those who fork while they are being killed are found in the next round. A table is not read in one moment: one who forks and
    ends meanwhile can slip through, so that only two rounds without anybody are believed.
    """
    deadline = time.monotonic() + seconds
    empty_rounds = 0
    left: frozenset[Identity] = frozenset()
    while empty_rounds < _BELIEVED and time.monotonic() < deadline:
        left = find()
        empty_rounds = 0 if left else empty_rounds + 1
        for identity in left:
            send(identity, signal.SIGKILL)
        if left:
            await_any(left, 0.02)
    return left


def adopt_orphans(*, wanted: bool = True) -> None:
    """Become the parent of descendants whose own parents end (child subreaper), or no longer; raises OSError."""
    _prctl(_SET_CHILD_SUBREAPER, int(wanted))


TEMPLATE_NAME: Final = "ignrun:template"
"""Name of the template in the process table, which tells it from its hosts: they share its environment."""


def set_process_name(name: str) -> None:
    """Show this name (15 bytes of it) where processes are listed."""
    with suppress(OSError):
        _prctl(_SET_NAME, ctypes.c_char_p(name.encode()[:15]))


def _prctl(option: int, argument: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def children_of(pid: int) -> tuple[int, ...]:
    """Name the children of a process, ended ones included."""
    found: tuple[int, ...] = ()
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names are enough
            found += _children_of_thread(pid, int(thread))
    return found


def adopted_by(pid: int) -> tuple[int, ...]:
    """Name the children of a process that its first thread has, which is the one that orphans come to; ended ones included."""
    return _children_of_thread(pid, pid)


def _children_of_thread(pid: int, thread: int) -> tuple[int, ...]:
    return tuple(map(int, _read(f"/proc/{pid}/task/{thread}/children").split()))
