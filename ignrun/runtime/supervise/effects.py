"""Owns Effect, everything that a decision can want done: a closed set, performed elsewhere."""

import enum
from typing import Any

import msgspec

from ignrun.manifest.model import Limits
from ignrun.planner.graph.model import Edge, InstanceSpec
from ignrun.planner.proposal import Proposal
from ignrun.protocol.orders import HostOrder
from ignrun.terms.events import Happening
from ignrun.terms.fault import Fault
from ignrun.terms.leaves import Path
from ignrun.terms.names import Address, HostId, ModuleScope


class Result(enum.Enum):
    """How a transaction ended."""

    COMMITTED = "committed"
    HELD = "held"
    REJECTED = "rejected"
    REFUSED = "refused"  # the journal could not keep it, or the runner is going down
    UNKEPT = "unkept"  # in force, but the journal could not keep that so far
    UNCHANGED = "unchanged"  # nothing to do
    SUPERSEDED = "superseded"  # a later edit took its place before it had proven itself
    ROLLED_BACK = "rolled-back"
    ROLLBACK_PARTIAL = "rollback-partial"  # some could not be restored: `faults` says who and why
    INTERRUPTED = "interrupted"  # the runner ended while it was open


class Outcome(msgspec.Struct, frozen=True):
    """The end of a transaction: its result, the generation in force afterwards, and each instance that failed with its fault."""

    transaction: int
    result: Result
    generation: int
    summary: str
    faults: dict[Address, Fault] = {}


class Record(msgspec.Struct, frozen=True, tag="record"):
    """Let the journal number and keep this."""

    happening: Happening


class KeepIntent(msgspec.Struct, frozen=True, tag="keep-intent"):
    """Make the whole step list durable; answered by IntentDurable or JournalRefused. `is_kept`: the generation is on record already."""

    transaction: int
    generation: int
    proposal: Proposal
    trigger: str
    is_kept: bool = False


class KeepOutcome(msgspec.Struct, frozen=True, tag="keep-outcome"):
    """Make the outcome durable and publish `current` (`good` moves only for a commit); answered by OutcomeDurable."""

    outcome: Outcome
    proposal: Proposal


class LaunchHost(msgspec.Struct, frozen=True, tag="launch-host"):
    """Bring up the process of a host; answered by HostLaunched and HostSaid(Hello), or HostEnded.

    `python` is the interpreter or environment that it runs in (empty: ignrun's own), `limits` those of a host of one's own.
    """

    host: HostId
    epoch: int
    scope: ModuleScope
    python: str = ""
    limits: Limits = Limits()


class LoadHost(msgspec.Struct, frozen=True, tag="load-host"):
    """Send these instances, their secrets filled in, as a Load order; `edges` are those whose dependents they are.

    `local` are the instances of this host that have not completed: for a required provider among them the host waits by itself.
    """

    host: HostId
    epoch: int
    specs: tuple[InstanceSpec, ...]
    edges: tuple[Edge, ...]
    local: frozenset[Address]


class Revising(msgspec.Struct, frozen=True):
    """One incarnation that becomes what `spec` says; `change`, `paths`, `slots` and `anew` read as in an order's Revision."""

    spec: InstanceSpec
    epoch: int
    change: int
    paths: tuple[Path, ...] = ()
    slots: tuple[str, ...] = ()
    anew: bool = False


class PrepareHost(msgspec.Struct, frozen=True, tag="prepare-host"):
    """Send these as a Prepare order, their secrets filled in; `edges` and `local` read as in LoadHost.

    One whose secrets are not to be had is answered in the host's place, by a Prepared with a fault.
    """

    host: HostId
    epoch: int
    revisings: tuple[Revising, ...]
    edges: tuple[Edge, ...]
    local: frozenset[Address]


class ReviseHost(msgspec.Struct, frozen=True, tag="revise-host"):
    """Send these as a Revise order, their secrets filled in; `edges` and `local` read as in LoadHost.

    One whose secrets are not to be had is answered in the host's place, by a Revised with a fault.
    """

    host: HostId
    epoch: int
    revisings: tuple[Revising, ...]
    edges: tuple[Edge, ...]
    local: frozenset[Address]


class GiveOrder(msgspec.Struct, frozen=True, tag="give-order"):
    """Send an order to a host."""

    host: HostId
    epoch: int
    order: HostOrder


class EndHost(msgspec.Struct, frozen=True, tag="end-host"):
    """Let a host quit, and end its process after `grace` seconds; answered by HostEnded."""

    host: HostId
    epoch: int
    grace: float


class SpawnCommand(msgspec.Struct, frozen=True, tag="spawn-command"):
    """Start a command, its pending leaves filled from secrets and these `exports` (by provider)."""

    spec: InstanceSpec
    epoch: int
    exports: dict[Address, dict[str, Any]]


class StopCommand(msgspec.Struct, frozen=True, tag="stop-command"):
    """Ask a command to stop by its signal, end everything of it after `grace` seconds; answered by CommandEnded."""

    address: Address
    epoch: int
    grace: float


class ReloadCommand(msgspec.Struct, frozen=True, tag="reload-command"):
    """Have a running command take its files anew, as its `reload` says; answered by CommandReloaded with the same `change`.

    `spec` is the whole new one, its pending leaves filled from secrets and these `exports` (by provider).
    """

    spec: InstanceSpec
    epoch: int
    change: int
    exports: dict[Address, dict[str, Any]]


class TellCommand(msgspec.Struct, frozen=True, tag="tell-command"):
    """Let a running command be checked, stopped and reloaded as the policy of `spec` says; its process is not touched, nothing is answered.

    Its pending leaves are filled from secrets and these `exports` (by provider).
    """

    spec: InstanceSpec
    epoch: int
    exports: dict[Address, dict[str, Any]]


class CheckCommand(msgspec.Struct, frozen=True, tag="check-command"):
    """Ask the health of a command every `interval` seconds from now on (0: as its policy says), the first time at once."""

    address: Address
    epoch: int
    interval: float


class WakeAt(msgspec.Struct, frozen=True, tag="wake-at"):
    """Send Woke at this monotonic time; replaces the time asked for before."""

    at: float


class KeepHolds(msgspec.Struct, frozen=True, tag="keep-holds"):
    """Keep, beyond this runner, which instances an operator holds stopped, and who did; before anything is answered."""

    holds: dict[Address, str]


class AnswerApply(msgspec.Struct, frozen=True, tag="answer-apply"):
    """Tell who asked for an apply how it ended."""

    request: int
    outcome: Outcome


class AnswerAsked(msgspec.Struct, frozen=True, tag="answer-asked"):
    """Tell who asked something of the instance at `address` that it holds, or why it does not (`refusal`)."""

    request: int
    refusal: str = ""
    address: Address = Address("")


class EndRunner(msgspec.Struct, frozen=True, tag="end-runner"):
    """Everything has stopped: the runner leaves with this exit code."""

    code: int


Effect = (
    Record
    | KeepIntent
    | KeepOutcome
    | LaunchHost
    | LoadHost
    | PrepareHost
    | ReviseHost
    | GiveOrder
    | EndHost
    | SpawnCommand
    | StopCommand
    | ReloadCommand
    | TellCommand
    | CheckCommand
    | WakeAt
    | KeepHolds
    | AnswerApply
    | AnswerAsked
    | EndRunner
)
