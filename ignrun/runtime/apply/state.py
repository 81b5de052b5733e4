"""Owns State, everything the runner's loop owns, and the Transaction that may be open in it."""

import enum
from typing import Any, Literal

import msgspec

from ignrun.planner.graph.model import EMPTY, Graph
from ignrun.planner.proposal import Proposal
from ignrun.runtime.supervise.effects import Outcome
from ignrun.runtime.supervise.messages import ApplyProposed
from ignrun.runtime.supervise.roster import Instance, Roster
from ignrun.terms.fault import Fault
from ignrun.terms.leaves import Path
from ignrun.terms.names import Address, HostId


class Phase(enum.Enum):
    """How far a transaction has come."""

    PREPARING = (
        "preparing"  # hosts are launched, classes imported, whoever is to change is asked; nothing that runs is touched
    )
    PREPARED = "prepared"  # waits for the intent to be durable
    APPLYING = "applying"
    SOAKING = "soaking"  # everything has arrived; its health is watched
    ROLLING_BACK = "rolling-back"  # what was done is undone
    CLOSING = "closing"  # waits for the outcome to be durable


OnFailure = Literal["rollback", "hold", "exit"]


class Good(msgspec.Struct, frozen=True):
    """A generation that passed its gate: where a failed apply goes back to."""

    generation: int
    graph: Graph
    target: str = ""


class Transaction(msgspec.Struct, frozen=True):
    """One apply under way.

    `steps` are the addresses that it changes, `begun` and `ended` those whose step has begun or ended; `staged` the hosts that it needs.
    `members` are those who have to arrive, once it is being applied: their restart policy is suspended. `actions` says what is done
    to each, `paths` and `slots` what of it where it is done in place, `asked` which incarnations (by epoch) have been asked about that, `exports` what each of
    them offered when it began; `irreversible` are the steps behind which there is no way back.

    `back` is where a failure leads (None: nowhere, then it is held), `before` what everybody was who has been changed since the last good one, None
    for who was not there; `alone` who lived alone then. `well` are the others who were well when it began.
    `turned` is when its phase began, where that counts; `reason` says why it is rolled back; `undoing` are those whose way back has begun, `undone` those who are back, `lost` who
    cannot be restored. `is_kept` says that it starts a kept generation as it is. `follows` is the one in SOAKING whose place it takes once its own intent is durable.
    """

    number: int
    generation: int
    proposal: Proposal
    trigger: str
    requests: tuple[int, ...]
    phase: Phase
    began: float
    no_start: bool = False
    is_kept: bool = False
    soak: float = 0.0
    on_failure: OnFailure = "rollback"
    steps: tuple[Address, ...] = ()
    actions: dict[Address, str] = {}
    paths: dict[Address, tuple[Path, ...]] = {}
    slots: dict[Address, tuple[str, ...]] = {}
    exports: dict[Address, dict[str, Any]] = {}
    irreversible: frozenset[Address] = frozenset()
    asked: dict[Address, int] = {}
    begun: frozenset[Address] = frozenset()
    ended: frozenset[Address] = frozenset()
    members: frozenset[Address] = frozenset()
    staged: tuple[HostId, ...] = ()
    faults: dict[Address, Fault] = {}
    back: Good | None = None
    before: dict[Address, Instance | None] = {}
    alone: dict[Address, str] = {}
    well: frozenset[Address] = frozenset()
    turned: float = 0.0
    reason: str = ""
    undoing: frozenset[Address] = frozenset()
    undone: frozenset[Address] = frozenset()
    lost: dict[Address, Fault] = {}
    cancels: int = 0
    follows: "Transaction | None" = None
    outcome: Outcome | None = None


class State(msgspec.Struct, frozen=True):
    """The runner's whole state: what is wanted (`graph`), what is (`roster`), and the transaction between the two.

    `generation` is the one in force (0: none yet), `last_generation` the highest number ever given. `queue` holds applies that wait for their turn.
    `ending` is the exit code once the plant goes down; `pending_asks` the operator's requests not yet answered.
    `previous` is the graph under which instances still run that are to become something else; `wake` the time last asked for by WakeAt.
    `holds` says who keeps which instance stopped, also of instances that no apply of this runner has brought yet.
    `good` is the last generation that passed its gate, `since_good` what everybody was then who has been changed since; `refused`
    holds the outcomes of what was rejected or rolled back, by the digest of what was asked for.
    `hurried` says that the plant goes down without grace, `ended` that EndRunner was said.
    """

    graph: Graph = EMPTY
    previous: Graph = EMPTY
    roster: Roster = Roster()
    transaction: Transaction | None = None
    generation: int = 0
    last_generation: int = 0
    last_transaction: int = 0
    held: bool = False
    queue: tuple[ApplyProposed, ...] = ()
    ending: int | None = None
    hurried: bool = False
    ended: bool = False
    wake: float | None = None
    pending_asks: dict[int, Address] = {}
    holds: dict[Address, str] = {}
    good: Good | None = None
    since_good: dict[Address, Instance | None] = {}
    refused: dict[str, Outcome] = {}
