"""Turns two looks at a process into what it takes: memory, share of the processors, threads, descriptors, bytes a second."""

import msgspec

from ignrun.terms.sample import ProcessSample


class Figures(msgspec.Struct, frozen=True):
    """What one process takes now; None where it is not known (yet).

    `memory` in bytes, `cpu` in processors (1.0 is all of one), `read` and `written` in bytes a second from and to storage.
    """

    pid: int
    memory: int
    cpu: float | None = None
    threads: int | None = None
    descriptors: int | None = None
    read: float | None = None
    written: float | None = None


NAMES = tuple(name for name in Figures.__struct_fields__ if name != "pid")
"""What is known of a process, by name: each is a series."""


def figures_of(now: ProcessSample, before: ProcessSample | None = None) -> Figures:
    """Say what a process takes, its rates since the look before; one at another process gives none."""
    if before is None or before.pid != now.pid or now.mono <= before.mono:
        return Figures(now.pid, now.memory, None, now.threads, now.descriptors)
    seconds = now.mono - before.mono
    return Figures(
        pid=now.pid,
        memory=now.memory,
        cpu=max(0.0, now.cpu_seconds - before.cpu_seconds) / seconds,
        threads=now.threads,
        descriptors=now.descriptors,
        read=_rate(before.read, now.read, seconds),
        written=_rate(before.written, now.written, seconds),
    )


def _rate(before: int | None, now: int | None, seconds: float) -> float | None:
    return None if before is None or now is None else max(0, now - before) / seconds
