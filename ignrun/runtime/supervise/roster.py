"""Owns the Roster: every instance and every host as the runner knows them."""

import enum
from datetime import datetime
from typing import Any

import msgspec

from ignrun.planner.graph.model import Facets, InstanceSpec
from ignrun.terms.fault import Fault
from ignrun.terms.leaves import Path
from ignrun.terms.names import Address, HostId, ModuleScope
from ignrun.terms.states import Health, ModuleState


class Goal(enum.Enum):
    """What an instance is meant to be."""

    UP = "up"
    DOWN = "down"
    GONE = "gone"  # stopped, then forgotten


class Statistics(msgspec.Struct, frozen=True):
    """Figures of one instance over all its incarnations, from which the original's names are derived; times are UTC."""

    restart_count: int = 0
    error_count: int = 0
    last_error: str = ""
    last_error_time: datetime | None = None
    startup_time: datetime | None = None
    shutdown_time: datetime | None = None
    startups: int = 0
    startup_seconds: float = 0.0
    up_seconds: float = 0.0
    down_seconds: float = 0.0
    event_count: int = 0


class Backoff(msgspec.Struct, frozen=True):
    """How often something failed lately: `intensity` decays from `at` on (monotonic); `attempt` counts retries in a row."""

    attempt: int = 0
    intensity: float = 0.0
    at: float = 0.0
    parked: bool = False
    parkings: int = 0
    next_retry: float | None = None


class InPlace(msgspec.Struct, frozen=True):
    """What an incarnation is to become without ending.

    `change` is the number of the order, 0 before it was given; `paths` (beyond those in which the configs differ) and `slots` read
    as in a Revision. A `fault` before the order says in vain for whom it waits, after it what broke the change off.
    """

    spec: InstanceSpec
    paths: tuple[Path, ...] = ()
    slots: tuple[str, ...] = ()
    change: int = 0
    fault: Fault | None = None


class Instance(msgspec.Struct, frozen=True):
    """One module in one scope, as it is now.

    `epoch` counts incarnations; reports of another epoch are stale. `next_spec` is what it becomes once stopped, `in_place` what it
    becomes without that. `asked` is the number of a change that it has not yet agreed to, `revised` counts those made in this
    incarnation; `good_checks` its good answers in a row since then, two at most.
    `bounce` asks for a stop and a fresh start. `ordered`, `cleared`, `stopping` and `stop_cleared` say which orders of this epoch
    have been given; `ordered` and `pid` last as long as the incarnation. `completed` is set when a oneshot or a main loop ended well.
    `pid` is that of a command; `named` is when it was last named for being slow to start. `upstream` is the root cause of waiting in vain for a required provider. A `fault` of None in `error`
    means that the instance is about to be tried again.
    """

    spec: InstanceSpec
    goal: Goal = Goal.DOWN
    state: ModuleState = ModuleState.UNINITIALIZED
    since: float = 0.0
    health: Health = Health.UNKNOWN
    health_reason: str = ""
    failures: int = 0
    cause: str = ""
    fault: Fault | None = None
    exports: dict[str, Any] = {}
    epoch: int = 0
    pid: int | None = None
    next_spec: InstanceSpec | None = None
    in_place: InPlace | None = None
    asked: int = 0
    revised: int = 0
    good_checks: int = 0
    bounce: bool = False
    ordered: bool = False
    cleared: bool = False
    stopping: bool = False
    stop_cleared: bool = False
    completed: bool = False
    upstream: str = ""
    held_by: str = ""
    named: float = 0.0
    notes: tuple[str, ...] = ()
    backoff: Backoff = Backoff()
    statistics: Statistics = Statistics()


class HostPhase(enum.Enum):
    """How far one host process has come."""

    ABSENT = "absent"
    LAUNCHING = "launching"
    LOADING = "loading"
    SERVING = "serving"
    ENDING = "ending"


class Assigned(msgspec.Struct, frozen=True):
    """With what a host was last told to load an instance: its facets, and which of its providers share the host.

    `patience` is how long its import may take, in seconds: as long as its `initialize`.
    """

    facets: Facets
    local: tuple[Address, ...]
    patience: float = 30.0


class Stall(msgspec.Struct, frozen=True):
    """In what the event loop of a host is stuck since `began` (monotonic); `address` is empty where nobody is known to keep it."""

    address: str
    where: str
    began: float


class HostRecord(msgspec.Struct, frozen=True):
    """One host: its process, what has been loaded into it, and where its peers are reached (`socket`).

    `epoch` counts its processes; `loaded` holds the addresses whose classes it has imported, `refused` those it could not.
    `assigned` is what it was told to load, `checked` who of them has a health check. `heard` is when it last got on with
    something, or was told to (monotonic).
    `blame` is why it is being ended: a rule of the protocol that it broke, or its silence. `stall` stands while its loop is stuck.
    `notes` say which of its limits do not hold as they were said. `unexplained` counts how often its process has ended in a row
    without anybody knowing because of whom.
    """

    host: HostId
    scope: ModuleScope
    own: bool
    phase: HostPhase = HostPhase.ABSENT
    epoch: int = 0
    pid: int | None = None
    socket: str = ""
    loaded: frozenset[Address] = frozenset()
    refused: dict[Address, Fault] = {}
    assigned: dict[Address, Assigned] = {}
    checked: frozenset[Address] = frozenset()
    heard: float = 0.0
    blame: Fault | None = None
    stall: Stall | None = None
    notes: tuple[str, ...] = ()
    unexplained: int = 0
    backoff: Backoff = Backoff()


class Roster(msgspec.Struct, frozen=True):
    """All instances and hosts; changed only by `decide`, which copies once for a whole inbox.

    `retries` and `host_retries` hold the monotonic times at which somebody is to be tried again, `watched` when the silence of
    a host at work becomes suspicious. `alone` says who lives in a host of its own, and why, though the graph has it share one. `slow_look` is when to look for slow starters,
    `last_change` the highest number that a change in place was ever given.
    """

    instances: dict[Address, Instance] = {}
    hosts: dict[HostId, HostRecord] = {}
    retries: dict[Address, float] = {}
    host_retries: dict[HostId, float] = {}
    watched: dict[HostId, float] = {}
    alone: dict[Address, str] = {}
    slow_look: float | None = None
    last_change: int = 0
