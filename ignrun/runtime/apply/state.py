"""Owns State, everything the runner's loop owns, and the Transaction that may be open in it."""

import enum

import msgspec

from ignrun.planner.graph.model import EMPTY, Graph
from ignrun.planner.proposal import Proposal
from ignrun.runtime.supervise.effects import Outcome
from ignrun.runtime.supervise.messages import ApplyProposed
from ignrun.runtime.supervise.roster import Roster
from ignrun.terms.fault import Fault
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


class Transaction(msgspec.Struct, frozen=True):
    """One apply under way.

    `steps` are the addresses that it changes, `begun` and `ended` those whose step has begun or ended; `staged` the hosts launched for it.
    `members` are the steps as a set, once they are being applied: their restart policy is suspended. `actions` says what is done to each.
    """

    number: int
    generation: int
    proposal: Proposal
    trigger: str
    request: int
    phase: Phase
    began: float
    no_start: bool = False
    steps: tuple[Address, ...] = ()
    actions: dict[Address, str] = {}
    begun: frozenset[Address] = frozenset()
    ended: frozenset[Address] = frozenset()
    members: frozenset[Address] = frozenset()
    staged: tuple[HostId, ...] = ()
    faults: dict[Address, Fault] = {}
    outcome: Outcome | None = None


class State(msgspec.Struct, frozen=True):
    """The runner's whole state: what is wanted (`graph`), what is (`roster`), and the transaction between the two.

    `generation` is the one in force (0: none yet), `last_generation` the highest number ever given. `queue` holds applies that wait for their turn.
    `ending` is the exit code once the plant goes down; `pending_asks` the operator's requests not yet answered.
    `previous` is the graph under which instances still run that are to become something else; `wake` the time last asked for by WakeAt.
    `holds` says who keeps which instance stopped, also of instances that no apply of this runner has brought yet.
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
