"""Owns ProcessSample, what one process was found to take at one moment."""

import msgspec


class ProcessSample(msgspec.Struct, frozen=True):
    """One look at a host or a command, with whatever the kernel counts: totals since the process began, not rates.

    `memory` is resident memory in bytes, `cpu_seconds` the processor time spent so far (user and system), `descriptors` and
    `threads` how many it has; `read` and `written` are bytes moved from and to storage. `mono` is the monotonic clock in
    seconds at which it was looked at. What the system did not tell is None.
    """

    pid: int
    mono: float
    memory: int
    cpu_seconds: float
    threads: int
    descriptors: int | None = None
    read: int | None = None
    written: int | None = None
