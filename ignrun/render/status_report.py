"""Owns StatusReport, the public form of what a plant is doing now: versioned, additive, the same over the API and on paper."""

from datetime import datetime
from typing import Any, Final

import msgspec

from ignrun.runtime.watch.status import WatchStatus

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""


MATES_TOLD: Final = 20
"""How many of those who share its process an instance names: all of a crowd naming all others would be a book."""


class RunnerFacts(msgspec.Struct, frozen=True):
    """What only the runner itself knows of itself; paths are absolute, `started` is aware UTC."""

    name: str
    socket: str
    pid: int
    version: str
    started: datetime
    manifest: str
    state_dir: str
    listen: str = ""


class Usage(msgspec.Struct, frozen=True):
    """What one process takes: bytes of memory and per cent of one CPU."""

    memory: int
    cpu: float


class ApplyStatus(msgspec.Struct, frozen=True):
    """An apply under way: `settled` of `steps` instances have arrived, `waiting` are those that have not, or, in `soaking`, those that are degraded."""

    transaction: int
    generation: int
    phase: str
    trigger: str
    steps: int
    settled: int
    elapsed_seconds: float
    waiting: tuple[str, ...] = ()


class PlantStatus(msgspec.Struct, frozen=True):
    """One plant and its runner.

    `state` is `running`, `applying`, `held`, `idle` (nothing applied yet), `ending`, `down` (ended in good order) or `lost` (the
    runner ended without a word). Without a runner `socket`, `pid` and `started` are null. `listen` is the URL on loopback, empty for none.
    """

    name: str
    state: str
    socket: str | None
    generation: int
    pid: int | None
    version: str
    started: datetime | None
    uptime_seconds: float | None
    manifest: str
    state_dir: str
    apply: ApplyStatus | None = None
    note: str = ""
    listen: str = ""
    watch: WatchStatus | None = None


class FaultStatus(msgspec.Struct, frozen=True):
    """Why an instance cannot run: `upstream` is the address of the root cause where that is another one."""

    kind: str
    summary: str
    callback: str = ""
    upstream: str = ""
    detail: str = ""


class InstanceStatistics(msgspec.Struct, frozen=True):
    """Figures over all incarnations of an instance, by the names that the field knows; seconds, per cent, bytes, UTC.

    Means are null until there is something to take the mean of; memory and CPU are null where the process is shared.
    """

    uptime_seconds: float
    restart_count: int
    error_count: int
    last_error: str | None
    last_error_time: datetime | None
    health_status: str
    startup_time: datetime | None
    shutdown_time: datetime | None
    average_startup_time: float | None
    availability_percentage: float | None
    mean_time_between_failures: float | None
    event_count: int
    memory_usage: int | None
    cpu_usage: float | None


class InstanceStatus(msgspec.Struct, frozen=True):
    """One instance: where it is, how it does and why.

    `goal` is what it is meant to be (`up`, `down`, `gone`); `since` when it entered its state; `next_retry` when it will be tried again;
    `shares_with` the instances that live in the same process and would go down with it (the first 20 of them; they have the same `host`), `shared_by` how many there are, itself included (0: a command); `upstream` the root cause of waiting in vain
    for a required provider; `failures` how many health checks in a row have failed; `waits_for` the providers that hold it back;
    `lacks` the required providers that are in error while it runs; `alone` why it lives in a host of its own although the manifest has it share one;
    `notes` which of its limits do not hold as they were said.
    """

    address: str
    module: str
    scope: str
    state: str
    health: str
    health_reason: str
    goal: str
    pid: int | None
    host: str | None
    cause: str
    since: datetime | None
    fault: FaultStatus | None
    attempt: int
    next_retry: datetime | None
    parked: bool
    held_by: str
    completed: bool
    exports: dict[str, Any]
    shares_with: tuple[str, ...]
    statistics: InstanceStatistics
    upstream: str = ""
    failures: int = 0
    waits_for: tuple[str, ...] = ()
    alone: str = ""
    lacks: tuple[str, ...] = ()
    shared_by: int = 0
    notes: tuple[str, ...] = ()


class StatusReport(msgspec.Struct, frozen=True):
    """A plant and its instances, in the order in which they start."""

    format_version: str
    plant: PlantStatus
    instances: tuple[InstanceStatus, ...]


def report_of_nothing(name: str, note: str) -> StatusReport:
    """Describe a plant that has never run, or that nobody knows; `note` says which."""
    return StatusReport(FORMAT_VERSION, PlantStatus(name, "down", None, 0, None, "", None, None, "", "", note=note), ())


def encode_status(report: StatusReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode_status(data: bytes) -> StatusReport:
    """Turn public JSON back into a report; raises msgspec.ValidationError."""
    return msgspec.json.decode(data, type=StatusReport)
