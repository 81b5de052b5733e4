"""Owns ModuleLifecycleManager, the view a module has of its own lifecycle, and the record behind it."""

from datetime import datetime
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from ignrun.protocol.reports import Move
from ignrun.sdk.health import HealthResult
from ignrun.terms.clock import Clock
from ignrun.terms.events import Event, LifecycleEvent
from ignrun.terms.states import Health, ModuleState

KEPT: Final = 64
"""How many of its last events an instance remembers in its host."""


class ModuleStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of an instance over all its incarnations in this host; times are aware UTC, durations seconds.

    `uptime_seconds` is how long it has been running, all incarnations together: an error ends no uptime, it only adds none.
    `memory_usage` (bytes) and `cpu_usage` (percent) are those of the host process, None where it is shared or not sampled.
    """

    uptime_seconds: float
    restart_count: int
    error_count: int
    last_error: str
    last_error_time: datetime | None
    health_status: Health
    startup_time: datetime | None
    shutdown_time: datetime | None
    average_startup_time: float | None
    availability_percentage: float | None
    mean_time_between_failures: float | None
    event_count: int
    memory_usage: int | None = None
    cpu_usage: float | None = None


class LifecycleRecord:
    """What happened to one instance in this host; written by whoever drives it, read through the manager."""

    __slots__ = (
        "address", "began", "errors", "last_error", "last_error_at", "moves", "number", "running_since", "started_at",
        "starting_since", "starts", "startup_seconds", "state", "stopped_at", "up_seconds",
    )  # fmt: skip

    def __init__(self, address: str) -> None:
        self.address = address
        self.state = ModuleState.UNINITIALIZED
        self.moves: list[Move] = []
        self.number = 0
        self.began: float | None = None
        self.errors = 0
        self.last_error = ""
        self.last_error_at: datetime | None = None
        self.starts = 0
        self.started_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.starting_since = 0.0
        self.startup_seconds = 0.0
        self.running_since: float | None = None
        self.up_seconds = 0.0

    def note(self, move: Move) -> None:
        """Keep one move, but not its exports, and what follows from it for the statistics."""
        old, new, mono = move.old, move.new, move.mono
        self.state = new
        self.number += 1
        self.moves.append(move if move.exports is None else replace(move, exports=None))
        if len(self.moves) > KEPT:
            del self.moves[: KEPT // 2]
        if self.began is None:
            self.began = mono
        if old is ModuleState.RUNNING and self.running_since is not None:
            self.up_seconds += mono - self.running_since
            self.running_since = None
        if new is ModuleState.STARTING:
            self.starting_since = mono
        elif new is ModuleState.RUNNING:
            self.starts += 1
            self.started_at, self.running_since = move.at, mono
            self.startup_seconds += mono - self.starting_since
        elif new is ModuleState.ERROR:
            self.errors += 1
            self.last_error, self.last_error_at = (move.fault.summary if move.fault else "unknown"), move.at
        elif new is ModuleState.STOPPED:
            self.stopped_at = move.at


class Seen(Protocol):
    """What the view looks at."""

    record: LifecycleRecord
    health: HealthResult

    @property
    def clock(self) -> Clock:
        """Time."""


class ModuleLifecycleManager:
    """A view of a module's own lifecycle: where it is, what happened, and figures; it changes nothing."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    @property
    def state(self) -> ModuleState:
        """The state now."""
        return self._seen.record.state

    @property
    def events(self) -> tuple[Event, ...]:
        """The last moves in this host, oldest first, numbered from 1 by this host alone (the journal has numbers of its own)."""
        record = self._seen.record
        first = record.number - len(record.moves) + 1
        return tuple(
            Event(number, move.at, move.mono, record.address, 0, _told(move))
            for number, move in enumerate(record.moves, start=first)
        )

    @property
    def statistics(self) -> ModuleStatistics:
        """Figures up to now."""
        record, now = self._seen.record, self._seen.clock.monotonic()
        uptime = now - record.running_since if record.running_since is not None else 0.0
        up, known = record.up_seconds + uptime, now - record.began if record.began is not None else 0.0
        return ModuleStatistics(
            uptime_seconds=up,
            restart_count=max(0, record.starts - 1),
            error_count=record.errors,
            last_error=record.last_error,
            last_error_time=record.last_error_at,
            health_status=self._seen.health.health,
            startup_time=record.started_at,
            shutdown_time=record.stopped_at,
            average_startup_time=record.startup_seconds / record.starts if record.starts else None,
            availability_percentage=100.0 * up / known if known > 0 else None,
            mean_time_between_failures=up / record.errors if record.errors else None,
            event_count=record.number,
        )


def _told(move: Move) -> LifecycleEvent:
    return LifecycleEvent(move.old, move.new, move.cause, move.epoch, move.fault)
