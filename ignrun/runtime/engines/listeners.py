"""Tells who listens on a port of this machine, so that a probe is not taken in by somebody else's answer."""

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

_LISTENING: Final = "0A"
_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def is_answered(host: str, port: int) -> bool:
    """Tell whether somebody accepts connections there already; asked of this machine's loopback only, which answers at once."""
    if host not in _HERE:
        return False
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(0.05)
        with suppress(OSError, OverflowError):
            return probe.connect_ex((host, port)) == 0
    return False


def listens(pids: Iterable[int], port: int) -> bool:
    """Tell whether one of these processes listens on `port`; what cannot be read counts as nobody."""
    inodes = {f"socket:[{inode}]" for inode in _listeners(port)}
    return bool(inodes) and any(_holds(pid, inodes) for pid in pids)


def _listeners(port: int) -> set[str]:
    """Read the inodes of the sockets that listen on `port` (`/proc/net/tcp`, see proc_net_tcp of the kernel's documents)."""
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError), open(table) as lines:  # noqa: PTH123 - not a file of anybody's
            for line in lines:
                fields = line.split()
                if fields[3] == _LISTENING and fields[1].endswith(f":{port:04X}"):
                    found.add(fields[9])
    return found


def _holds(pid: int, inodes: set[str]) -> bool:
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as descriptors:
        for entry in descriptors:
            with suppress(OSError):
                if os.readlink(entry.path) in inodes:  # noqa: PTH115 - called for every descriptor
                    return True
    return False
