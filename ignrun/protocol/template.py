"""Owns what runner and template say to each other, one msgpack message a packet of a SOCK_SEQPACKET socket.

A Launch carries three descriptors (the host's end of its socket, the write ends of its stdout and stderr), a Forked
one: a pidfd of the new host.
"""

import array
import socket
from typing import Final

import msgspec

VERSION: Final = 2
"""Version of the talk between runner and template; both must say the same one."""

LONGEST: Final = 64 * 1024
"""Largest packet in bytes."""

MOST_DESCRIPTORS: Final = 3
"""Descriptors that one packet carries at most."""

SERVE: Final = "ignrun.host.serve:main"
"""What a host runs: called with the socket, the host's id and the folder for its own sockets."""


GUARDIAN: Final = "guardian"
"""Role of the template that ends all that is left of the plant when the runner is gone."""

HELPER: Final = "helper"
"""Role of a template of another interpreter: it ends its own hosts, and the guardian knows of both."""

HOST_GRACE: Final = 2.5
"""Seconds that a host is left when the runner is gone; by itself it leaves within 2."""


class Launch(msgspec.Struct, frozen=True, tag="launch"):
    """Fork a host; answered by Forked. `marker` is the value of the environment marker that its children will carry.

    `memory` limits its address space in bytes, `descriptors` its open files, `processors` where it may run; None: no limit. `group` is the
    folder of the control group that it joins, empty for that of the template. All hold for what it starts, too.
    """

    host: str
    epoch: int
    run_dir: str
    marker: str
    memory: int | None = None
    descriptors: int | None = None
    processors: tuple[int, ...] | None = None
    group: str = ""


class Guard(msgspec.Struct, frozen=True, tag="guard"):
    """A process that leads a session of its own is to be ended when the runner is gone.

    `start` is its start time in clock ticks since boot; it is sent `stop_signal` (a number) and killed `grace` seconds later.
    """

    pid: int
    start: int
    marker: str
    stop_signal: int
    grace: float


class Release(msgspec.Struct, frozen=True, tag="release"):
    """A guarded process is gone."""

    pid: int
    start: int


class Dismiss(msgspec.Struct, frozen=True, tag="dismiss"):
    """The runner leaves in good order: end what may still be there without grace, and exit."""


TemplateOrder = Launch | Guard | Release | Dismiss


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The template has imported what hosts need; `abi` is its interpreter's, such as `cpython-311-x86_64-linux-gnu`."""

    version: int
    ignrun: str
    python: str
    abi: str


class Forked(msgspec.Struct, frozen=True, tag="forked"):
    """A host was forked; a pidfd comes along."""

    host: str
    epoch: int
    pid: int
    start: int


class NotForked(msgspec.Struct, frozen=True, tag="not-forked"):
    """A host could not be forked."""

    host: str
    epoch: int
    reason: str


class Exited(msgspec.Struct, frozen=True, tag="exited"):
    """A host and everything that it had started are gone; `status` is its wait status, as of `os.waitpid`."""

    pid: int
    status: int


TemplateReport = Ready | Forked | NotForked | Exited


def receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """Take one packet and its descriptors, closed on exec, without waiting; an empty one when the other side is gone; raises OSError.

    `socket.recv_fds` does not hand its flags on in every release.
    """
    room = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
    flags = socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
    packet, ancillary, _, _ = control.recvmsg(LONGEST, room, flags)
    fds = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return packet, [*fds]
