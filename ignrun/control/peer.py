"""Owns the sockets of the control API: how they are bound, and who is at the other end."""

import os
import socket
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from ignrun.control.token import LOOPBACK, Listening
from ignrun.terms.failure import Failure, StateFolderFailure

_CREDENTIALS: Final = struct.Struct("3i")  # Linux: pid, uid, gid
_LOCAL_PEERCRED: Final = 0x001  # macOS: `struct xucred`, whose second word is the uid
_XUCRED: Final = struct.Struct("2I")
_XUCRED_BYTES: Final = 76
_BACKLOG: Final = 128


def bind_private(path: Path) -> socket.socket:
    """Listen on a Unix socket that only its owner may open, in place of one that a dead runner left; raises StateFolderFailure."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
        with suppress(OSError):  # Linux makes the file with these rights, others take them below
            os.fchmod(listening.fileno(), 0o600)
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise StateFolderFailure(path.parent, f"`{path.name}` cannot be bound ({error.strerror or error})") from error
    return listening


class Loopback(NamedTuple):
    """A socket that listens on loopback, where that is (with the port that it became), and the token to show there."""

    socket: socket.socket
    listening: Listening
    token: str


def bind_loopback(wanted: Listening, token: str) -> Loopback:
    """Listen on an address of loopback; raises Failure."""
    family = socket.AF_INET6 if ":" in LOOPBACK[wanted.host] else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK[wanted.host], wanted.port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        where = f"{wanted.host}:{wanted.port}"
        raise Failure(f"`{where}` cannot be listened on: {error.strerror}", "name another port") from error
    return Loopback(listening, Listening(wanted.host, listening.getsockname()[1]), token)


def may_enter(connection: socket.socket) -> bool:
    """Tell whether the process at the other end runs as this user or as root."""
    return _uid_of(connection) in {0, os.geteuid()}


def _uid_of(connection: socket.socket) -> int:
    if sys.platform == "linux":
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        uid = _CREDENTIALS.unpack(found)[1]
    else:
        found = connection.getsockopt(0, _LOCAL_PEERCRED, _XUCRED_BYTES)
        uid = _XUCRED.unpack_from(found)[1]
    return int(uid)
