"""Owns Event, the record of something that happened in a plant, from a closed set of bodies that come in pairs."""

from datetime import datetime

import msgspec

from ignrun.terms.fault import Fault
from ignrun.terms.states import Health, ModuleState


class RunnerStarted(msgspec.Struct, frozen=True, tag="runner-started"):
    """A runner took over the plant; ends with RunnerEnded, unless it was killed."""

    pid: int
    version: str


class RunnerEnded(msgspec.Struct, frozen=True, tag="runner-ended"):
    """The runner left in good order with this exit code."""

    code: int


class ApplyBegan(msgspec.Struct, frozen=True, tag="apply-began"):
    """A transaction was accepted; ends with ApplyEnded."""

    transaction: int
    digest: str
    trigger: str
    steps: int


class ApplyEnded(msgspec.Struct, frozen=True, tag="apply-ended"):
    """A transaction reached its outcome (`committed`, `held`, `rejected`, ...)."""

    transaction: int
    result: str
    summary: str


class StepBegan(msgspec.Struct, frozen=True, tag="step-began"):
    """One step of a plan was begun; ends with StepEnded."""

    transaction: int
    action: str


class StepEnded(msgspec.Struct, frozen=True, tag="step-ended"):
    """One step of a plan ended; `fault` says why it failed."""

    transaction: int
    action: str
    fault: Fault | None = None


class SoakBegan(msgspec.Struct, frozen=True, tag="soak-began"):
    """Everything that an apply changed has arrived; its health is watched for so many seconds. Ends with SoakEnded."""

    transaction: int
    seconds: float


class SoakEnded(msgspec.Struct, frozen=True, tag="soak-ended"):
    """The watch over the health of what an apply changed is over; `reason` says what broke it off, empty when all went well."""

    transaction: int
    reason: str = ""


class RollbackBegan(msgspec.Struct, frozen=True, tag="rollback-began"):
    """What an apply has done so far is undone, for this reason; ends with RollbackEnded."""

    transaction: int
    generation: int
    reason: str


class RollbackEnded(msgspec.Struct, frozen=True, tag="rollback-ended"):
    """The way back has come to its end; so many instances could not be restored."""

    transaction: int
    generation: int
    lost: int = 0


class StepUndone(msgspec.Struct, frozen=True, tag="step-undone"):
    """One step that an apply had begun was undone; `fault` says why what was there before could not be restored."""

    transaction: int
    action: str
    fault: Fault | None = None


class LifecycleEvent(msgspec.Struct, frozen=True, tag="moved", rename={"old": "from", "new": "to"}):
    """An instance moved from one state to another, and why."""

    old: ModuleState
    new: ModuleState
    cause: str
    epoch: int = 0
    fault: Fault | None = None


class MoveRefused(msgspec.Struct, frozen=True, tag="move-refused", rename={"old": "from", "new": "to"}):
    """A host reported a move that the table of states does not allow."""

    old: ModuleState
    new: ModuleState
    epoch: int = 0


class HealthChanged(msgspec.Struct, frozen=True, tag="health-changed", rename={"old": "from", "new": "to"}):
    """The checks of an instance now say something else."""

    old: Health
    new: Health
    reason: str = ""


class ProcessStarted(msgspec.Struct, frozen=True, tag="process-started"):
    """A host or a command was started; ends with ProcessEnded."""

    pid: int
    what: str


class ProcessEnded(msgspec.Struct, frozen=True, tag="process-ended"):
    """A host or a command ended; `how` reads like `exit 1` or `signal 9 (SIGKILL)`."""

    pid: int
    what: str
    how: str


class RetryScheduled(msgspec.Struct, frozen=True, tag="retry-scheduled"):
    """A failed instance, or a host, will be tried again after `delay` seconds; `parked` when it crash-loops."""

    delay: float
    attempt: int
    parked: bool = False


class ExportsChanged(msgspec.Struct, frozen=True, tag="exports-changed"):
    """An instance published these names; their values are in the status."""

    names: tuple[str, ...]


class OperatorAsked(msgspec.Struct, frozen=True, tag="operator-asked"):
    """Somebody asked for something by hand: `restart`, `down`, ..."""

    verb: str
    by: str


class HostStalled(msgspec.Struct, frozen=True, tag="stalled"):
    """The event loop of a host has been stuck for so many seconds in code of the subject (the host where nobody is known).

    `where` reads like `Bad.startup at bad_code.py:4`. Ends with HostResumed, or with the end of the process.
    """

    host: str
    where: str
    seconds: float


class HostResumed(msgspec.Struct, frozen=True, tag="resumed"):
    """The event loop of a host goes on, after so many seconds."""

    host: str
    seconds: float


class SlowStart(msgspec.Struct, frozen=True, tag="slow-start"):
    """An instance has been `initializing` or `starting` for so many seconds, waiting for nobody; told again every minute."""

    state: ModuleState
    seconds: float


class PlacedAlone(msgspec.Struct, frozen=True, tag="placed-alone"):
    """An instance ended the host that it shared, or is among those who may have; it comes back in a host of its own, until an apply changes it."""

    host: str
    reason: str


class AlertFired(msgspec.Struct, frozen=True, tag="alert-fired"):
    """A rule of `alerts:` has held of the subject for as long as it must; ends with AlertResolved.

    `reason` reads like `memory 412 MiB is above 400 MiB`.
    """

    alert: str
    severity: str
    reason: str


class AlertResolved(msgspec.Struct, frozen=True, tag="alert-resolved"):
    """A rule that fired holds no more, after so many seconds; `reason` says why it ended where that is another cause."""

    alert: str
    severity: str
    seconds: float
    reason: str = ""


class LogsRefused(msgspec.Struct, frozen=True, tag="logs-refused"):
    """The log files could not be written: lines are counted and left out until LogsKept. Modules go on."""

    reason: str


class LogsKept(msgspec.Struct, frozen=True, tag="logs-kept"):
    """The log files are written again; so many lines in all are missing since the runner started."""

    lost: int


class WatchTurned(msgspec.Struct, frozen=True, tag="watch-turned"):
    """The watcher does its work in another way: `watching`, `polling`, `paused`, `suspended` or `off`, and why."""

    state: str
    reason: str = ""


class EditSettled(msgspec.Struct, frozen=True, tag="edit-settled"):
    """The watched files have settled into a new content, whose digest (hex) this is; ends with ApplyEnded or EditRefused.

    `files` are absolute paths of what has changed.
    """

    digest: str
    files: tuple[str, ...]


class EditRefused(msgspec.Struct, frozen=True, tag="edit-refused"):
    """A settled edit is not applied, what runs goes on: `reason` is the first mistake in it, with its place."""

    digest: str
    reason: str


class JournalMended(msgspec.Struct, frozen=True, tag="journal-mended"):
    """The journal was found damaged when it was opened, and was put right: `what` says what was found and what could be saved."""

    what: str


class JournalStalled(msgspec.Struct, frozen=True, tag="journal-stalled"):
    """The disk refused the journal for so many seconds (`reason`); it keeps everything again. Modules went on, changes were refused."""

    seconds: float
    reason: str


class EventsLost(msgspec.Struct, frozen=True, tag="events-lost"):
    """The journal could keep nothing for so long (`reason`) that this many happenings before this one are missing."""

    count: int
    reason: str


Body = (
    RunnerStarted
    | RunnerEnded
    | ApplyBegan
    | ApplyEnded
    | StepBegan
    | StepEnded
    | SoakBegan
    | SoakEnded
    | RollbackBegan
    | RollbackEnded
    | StepUndone
    | LifecycleEvent
    | MoveRefused
    | HealthChanged
    | ProcessStarted
    | ProcessEnded
    | RetryScheduled
    | ExportsChanged
    | OperatorAsked
    | HostStalled
    | HostResumed
    | SlowStart
    | PlacedAlone
    | AlertFired
    | AlertResolved
    | LogsRefused
    | LogsKept
    | WatchTurned
    | EditSettled
    | EditRefused
    | JournalMended
    | JournalStalled
    | EventsLost
)
"""The closed set; `match` over it ends in `assert_never`, and a test fails when a renderer forgets one."""


class Happening(msgspec.Struct, frozen=True):
    """A body before the journal has numbered it: `subject` is an address, a host, or empty for the plant itself."""

    subject: str
    body: Body


class Event(msgspec.Struct, frozen=True):
    """Something that happened, numbered without gaps and durable.

    `at` is aware UTC; `mono` the runner's monotonic clock in seconds; `generation` the one in force.
    """

    seq: int
    at: datetime
    mono: float
    subject: str
    generation: int
    body: Body
