"""Owns limits: the runner's own of open descriptors, raised as far as the system lets it, and those of its children."""

import resource
from contextlib import suppress
from typing import Final

_KIND: Final = resource.RLIMIT_NOFILE


def raise_descriptor_limit() -> int:
    """Raise the soft limit to the hard one and return what it was."""
    soft, hard = resource.getrlimit(_KIND)
    with suppress(OSError, ValueError):
        resource.setrlimit(_KIND, (hard, hard))
    return soft


def restore_descriptor_limit(pid: int, soft: int) -> None:
    """Give a child the soft limit that it would have had; programs that use `select` rely on a low one."""
    with suppress(OSError, ValueError):
        resource.prlimit(pid, _KIND, (soft, resource.prlimit(pid, _KIND)[1]))


def limit(pid: int, *, memory: int | None, descriptors: int | None) -> None:
    """Limit a child that has just been started, and all that it starts: bytes of address space, open descriptors; None: no limit."""
    for kind, value in ((resource.RLIMIT_AS, memory), (_KIND, descriptors)):
        if value is not None:
            with suppress(OSError, ValueError):
                resource.prlimit(pid, kind, (value, value))
