"""Owns limits: the runner's own of open descriptors, raised as far as the system lets it, and those of hosts and commands."""

import itertools
import math
import os
import resource
from contextlib import suppress
from typing import Final

import msgspec

from ignrun.manifest.model import Limits

_KIND: Final = resource.RLIMIT_NOFILE
_turn: Final = itertools.count()


class Hold(msgspec.Struct, frozen=True):
    """How the limits of one host or command are made to hold, and in `notes` what of them holds otherwise than it was said.

    `memory` limits the address space of each process (bytes), `descriptors` its open files, `processors` where they run; None: not at all.
    """

    memory: int | None = None
    descriptors: int | None = None
    processors: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


def hold_of(limits: Limits) -> Hold:
    """Say how limits are made to hold without a control group: by limits of each process, and by whole processors."""
    processors, notes = _processors(limits.cpu)
    return Hold(limits.memory, limits.files, processors, notes)


def _processors(wanted: float | None) -> tuple[tuple[int, ...] | None, tuple[str, ...]]:
    """Choose processors, others each time, so that those who are limited do not all share the first one."""
    if wanted is None:
        return None, ()
    if not hasattr(os, "sched_getaffinity"):
        return None, (f"`limits.cpu: {wanted:g}` does not hold: this system cannot keep a process to processors",)
    there = sorted(os.sched_getaffinity(0))
    count = max(1, math.ceil(wanted))
    if count >= len(there):
        exact = wanted >= len(there)
        return None, () if exact else (_note(wanted, len(there)),)
    first = next(_turn) * count
    chosen = tuple(sorted(there[(first + offset) % len(there)] for offset in range(count)))
    return chosen, () if wanted == count else (_note(wanted, count),)


def _note(wanted: float, count: int) -> str:
    one = "processor" if count == 1 else "processors"
    return f"`limits.cpu: {wanted:g}` holds as {count} whole {one}: processes are kept to processors, their time is not counted"


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


def apply(pid: int, hold: Hold) -> None:
    """Have limits hold for a child that has just been started, and for all that it starts."""
    for kind, value in ((resource.RLIMIT_AS, hold.memory), (_KIND, hold.descriptors)):
        if value is not None:
            with suppress(OSError, ValueError):
                resource.prlimit(pid, kind, (value, value))
    if hold.processors is not None:
        with suppress(OSError):
            os.sched_setaffinity(pid, hold.processors)
