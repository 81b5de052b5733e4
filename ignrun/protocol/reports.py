"""Owns the reports that a host gives its runner: a closed set, and untrusted input until it is checked."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from ignrun.terms.fault import Fault
from ignrun.terms.metric import Metric
from ignrun.terms.states import Health, ModuleState

PROTOCOL: Final = 2
"""Version of the talk between runner and host; both must say the same one."""

EXPORT_LIMIT: Final = 64 * 1024
"""Largest JSON text of one instance's exports in bytes."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A host is up: who it is and where other hosts reach its peers."""

    protocol: int
    version: str
    pid: int
    python: str
    socket: str


class ImportFault(msgspec.Struct, frozen=True):
    """The class of one instance could not be had."""

    address: str
    fault: Fault


class Traits(msgspec.Struct, frozen=True):
    """What the loaded class of an instance really offers."""

    address: str
    callbacks: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """Answer to Load: `faults` names each instance that cannot be run, `traits` describes the others."""

    faults: tuple[ImportFault, ...] = ()
    traits: tuple[Traits, ...] = ()


class Move(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One incarnation moved from one state to another in the host's eyes; the runner checks it again.

    `at` is aware UTC; `mono` the monotonic clock, one for all processes of a machine. `cause` is a few words
    (`startup returned`, `completed`). `exports` stands on a move to `running` that published some.
    """

    address: str
    epoch: int
    old: ModuleState
    new: ModuleState
    cause: str
    at: datetime
    mono: float
    fault: Fault | None = None
    exports: dict[str, Any] | None = None


class Moves(msgspec.Struct, frozen=True, tag="moves"):
    """A batch of moves in the order in which they happened."""

    moves: Annotated[tuple[Move, ...], msgspec.Meta(max_length=4096)]


class Exported(msgspec.Struct, frozen=True, tag="exported"):
    """A running incarnation published new exports."""

    address: str
    epoch: int
    exports: dict[str, Any]


class HealthReport(msgspec.Struct, frozen=True, gc=False, tag="health"):
    """One check of one incarnation ended."""

    address: str
    epoch: int
    health: Health
    reason: str = ""


class LogLine(msgspec.Struct, frozen=True):
    """One line that a module logged, secrets masked; `address` is empty where the line is the host's own."""

    address: str
    at: datetime
    level: str
    text: str
    fields: dict[str, Any] = {}


class Logged(msgspec.Struct, frozen=True, tag="logged"):
    """A batch of log lines."""

    lines: tuple[LogLine, ...]


class Unfinished(msgspec.Struct, frozen=True, tag="unfinished"):
    """What an incarnation left behind after shutdown: threads and tasks, by name."""

    address: str
    epoch: int
    names: tuple[str, ...]


class Stalled(msgspec.Struct, frozen=True, tag="stalled"):
    """The event loop of a host has been stuck for so many seconds; said once for each time, by whoever reads the host's pulse.

    `address` is the instance whose code keeps it, empty where that is not known; `where` reads like
    `Bad.startup at bad_code.py:4`, file and line being those of the innermost frame of a module's own code. Ends with Resumed,
    or with the process.
    """

    address: str
    where: str
    seconds: float


class Resumed(msgspec.Struct, frozen=True, tag="resumed"):
    """The event loop of a host goes on, after so many seconds."""

    address: str
    seconds: float


class Prepared(msgspec.Struct, frozen=True, tag="prepared"):
    """Answer to Prepare for one incarnation: it would accept this change, or `fault` says why not."""

    address: str
    epoch: int
    change: int
    fault: Fault | None = None


class Revised(msgspec.Struct, frozen=True, tag="revised"):
    """Answer to Revise for one incarnation: the change is in effect, or `fault` says what broke it off.

    After a fault the incarnation is dirty: nobody knows what is in effect; it goes to `error` by a Move of its own. `exports`
    stands where the callback published some.
    """

    address: str
    epoch: int
    change: int
    fault: Fault | None = None
    exports: dict[str, Any] | None = None


class Measured(msgspec.Struct, frozen=True):
    """All metrics that one incarnation keeps, as they stand now."""

    address: str
    epoch: int
    metrics: tuple[Metric, ...]


class Metrics(msgspec.Struct, frozen=True, tag="metrics"):
    """The metrics of those incarnations for which any has changed since they were told last; every 10 s, or as Measure says."""

    measured: tuple[Measured, ...]


class ConfigAsked(msgspec.Struct, frozen=True, tag="config-asked"):
    """A module asks for another value of its own config; answered by an Answer with the same number.

    `path` is dotted, `text` what `ignrun config set` would be given: text as it is, anything else as JSON.
    """

    address: str
    epoch: int
    request: int
    path: str
    text: str


HostReport = (
    Hello
    | Loaded
    | Moves
    | Exported
    | HealthReport
    | Logged
    | Unfinished
    | Stalled
    | Resumed
    | Prepared
    | Revised
    | Metrics
    | ConfigAsked
)
