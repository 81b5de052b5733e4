"""Owns Message, everything that the runner's loop can hear: a closed set."""

from typing import Literal

import msgspec

from ignrun.planner.graph.model import Graph
from ignrun.planner.proposal import Proposal
from ignrun.protocol.reports import HostReport
from ignrun.terms.fault import Fault
from ignrun.terms.names import Address, HostId


class ApplyProposed(msgspec.Struct, frozen=True, tag="apply-proposed"):
    """An accepted proposal asks to be applied; `request` is answered at the outcome.

    `soak` (seconds) and `on_failure` stand for what the manifest says (None: as it says). `retry` tries again what was rejected or
    rolled back before; otherwise that is answered at once with the same outcome.

    `kept` is the number of the generation that was good when the plant last ran (0: none). Without `way_back` it is started as it is: no new
    one is made, it is not soaked and never rolled back. `way_back` is its graph where something else is applied: what is gone back to.
    """

    proposal: Proposal
    trigger: Literal["cli", "api", "watch", "rollback", "boot"]
    request: int
    no_start: bool = False
    soak: float | None = None
    on_failure: Literal["rollback", "hold", "exit"] | None = None
    retry: bool = False
    kept: int = 0
    way_back: Graph | None = None


class CancelAsked(msgspec.Struct, frozen=True, tag="cancel-asked"):
    """The open transaction is to be rolled back; asked twice: its way back is not waited for any longer."""

    by: str


class IntentDurable(msgspec.Struct, frozen=True, tag="intent-durable"):
    """The journal has made the whole step list of a transaction durable."""

    transaction: int


class OutcomeDurable(msgspec.Struct, frozen=True, tag="outcome-durable"):
    """The journal has made the outcome of a transaction durable and published `current`."""

    transaction: int


class JournalRefused(msgspec.Struct, frozen=True, tag="journal-refused"):
    """The journal could not keep what a transaction needs kept: nothing may be changed now."""

    transaction: int
    reason: str


class HostLaunched(msgspec.Struct, frozen=True, tag="host-launched"):
    """The process of a host exists; `notes` are plain sentences about limits that do not hold as they were said."""

    host: HostId
    epoch: int
    pid: int
    notes: tuple[str, ...] = ()


class HostSaid(msgspec.Struct, frozen=True, tag="host-said"):
    """A host reported; log lines do not come this way."""

    host: HostId
    epoch: int
    report: HostReport


class HostEnded(msgspec.Struct, frozen=True, tag="host-ended"):
    """The process of a host is gone, or could not be made; `how` reads like `exit 1` or `signal 9 (SIGKILL)`.

    `culprit` is the address of the instance whose step its loop ran at the end, empty where there was none.
    """

    host: HostId
    epoch: int
    how: str
    culprit: str = ""


class CommandStarted(msgspec.Struct, frozen=True, tag="command-started"):
    """The process of a command exists; `notes` are plain sentences about limits that do not hold as they were said."""

    address: Address
    epoch: int
    pid: int
    notes: tuple[str, ...] = ()


class CommandReady(msgspec.Struct, frozen=True, tag="command-ready"):
    """The readiness probe of a command was answered, or without one it has lived for a second."""

    address: Address
    epoch: int


class CommandFailed(msgspec.Struct, frozen=True, tag="command-failed"):
    """A command could not be started, or did not become ready in time (then its process is being ended)."""

    address: Address
    epoch: int
    fault: Fault


class CommandEnded(msgspec.Struct, frozen=True, tag="command-ended"):
    """Every process of a command is gone; `code` is None when a signal ended it; `tail` its last lines of output, masked."""

    address: Address
    epoch: int
    code: int | None
    how: str
    tail: str = ""


class CommandReloaded(msgspec.Struct, frozen=True, tag="command-reloaded"):
    """A running command took its files anew, or `fault` says why not; `change` is the number of the effect that is answered.

    After a fault of kind NOT_STARTED its files and the process are untouched. After TIMED_OUT the old files are back in their places,
    but the signal was sent: nobody knows what is in effect. EXITED says that it ended (CommandEnded follows), was stopped, or was
    asked to reload once more before it was done; its files are the new ones.
    """

    address: Address
    epoch: int
    change: int
    fault: Fault | None = None


class Probed(msgspec.Struct, frozen=True, tag="probed"):
    """One health check of a command ended."""

    address: Address
    epoch: int
    healthy: bool
    reason: str = ""


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """An operator asks something of one instance; `request` is answered when it holds. `resume` ends a `maintenance`."""

    verb: Literal["restart", "start", "stop", "maintenance", "resume"]
    address: Address
    by: str
    request: int


class ShutdownAsked(msgspec.Struct, frozen=True, tag="shutdown-asked"):
    """The plant is to go down in reverse order and the runner to end with `code`; asked twice: at once."""

    by: str
    code: int


class Woke(msgspec.Struct, frozen=True, tag="woke"):
    """A time that `decide` asked for has come."""


Message = (
    ApplyProposed
    | CancelAsked
    | IntentDurable
    | OutcomeDurable
    | JournalRefused
    | HostLaunched
    | HostSaid
    | HostEnded
    | CommandStarted
    | CommandReady
    | CommandFailed
    | CommandEnded
    | CommandReloaded
    | Probed
    | Asked
    | ShutdownAsked
    | Woke
)
