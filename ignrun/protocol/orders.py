"""Owns the orders that a runner gives a host: a closed set, each naming instances by address and incarnation by epoch."""

from typing import Any

import msgspec

from ignrun.terms.leaves import Path, Pending
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import ModuleScope
from ignrun.terms.states import Condition, ModuleState


class Folders(msgspec.Struct, frozen=True, gc=False):
    """Absolute paths of an instance's folders; the host makes `data` and `temp` when they are missing."""

    data: str
    config: str
    log: str
    temp: str
    module: str


class Timeouts(msgspec.Struct, frozen=True):
    """How long each callback may take, in seconds; `health_interval` is the pause between checks (0: none)."""

    initialize: float = 30.0
    start: float = 30.0
    reconfigure: float = 30.0
    stop: float = 10.0
    health: float = 5.0
    health_interval: float = 10.0
    call: float = 30.0


class Binding(msgspec.Struct, frozen=True, gc=False):
    """One bound slot, or an order without a slot (`slot` empty): the provider and what it must have reached.

    `local` says that the host itself keeps the order: a required provider in the same host. For all others the runner clears.
    `required` is False for `wants` and `after`: their failure does not hold the dependent back, which only the runner can know.
    `many` says that the slot takes a tuple of peers.
    """

    slot: str
    provider: str
    condition: Condition
    local: bool
    required: bool = True
    many: bool = False


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """Which layer gave the value at a dotted `path`, and where that is written (`FILE:LINE:COLUMN`, empty: nowhere)."""

    path: str
    layer: str
    place: str = ""


class Assignment(msgspec.Struct, frozen=True):
    """Everything a host needs to run one instance.

    `entry` is `package.module:Name`, imported with `path` in front of `sys.path`. `config` is the resolved tree, with
    None at each path of `pending` (exports the host fills in before `initialize`). `secrets` are the paths
    whose texts the host wraps in `Secret`. `hooks` says nothing here: scopes are one instance each. `code` is the path of the
    CodeIndex whose files are imported instead of those that lie below `path` now (empty: what lies there). `level` is the least
    severity that its logger hands on. `origins` say of each value where it is from, `backups` name what is kept of earlier run-time values. `exports` are those that the manifest declares: the module adds to them.
    """

    address: str
    module: str
    scope: ModuleScope
    entry: str
    path: tuple[str, ...]
    metadata: ModuleMetadata
    config: Any
    pending: tuple[Pending, ...]
    secrets: tuple[Path, ...]
    bindings: tuple[Binding, ...]
    folders: Folders
    timeouts: Timeouts
    plant: str
    mode: str = ""
    code: str = ""
    level: str = "info"
    origins: tuple[Origin, ...] = ()
    backups: tuple[str, ...] = ()
    exports: dict[str, Any] = {}


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One incarnation of one instance."""

    address: str
    epoch: int


class Route(msgspec.Struct, frozen=True):
    """Where a provider outside this host can be reached: the Unix socket of its host, its state and its exports.

    `socket` is None while it cannot be called (a command, or a host that is down).
    """

    provider: str
    socket: str | None
    state: ModuleState
    exports: dict[str, Any] = {}


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Import the classes of these instances and answer with Loaded; nothing of them runs yet."""

    assignments: tuple[Assignment, ...]


class Start(msgspec.Struct, frozen=True, tag="start"):
    """Build, initialise and start these incarnations in the order of their local bindings.

    Those not in `cleared` wait, before `startup`, for a Clear (and before `initialize` where their config has
    pending leaves of providers elsewhere).
    """

    items: tuple[Item, ...]
    cleared: tuple[str, ...]


class Clear(msgspec.Struct, frozen=True, tag="clear"):
    """All providers of these waiting incarnations outside this host have met their conditions."""

    items: tuple[Item, ...]


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop these incarnations, a local dependent always before its provider; those not in `cleared` wait for ClearStop."""

    items: tuple[Item, ...]
    cleared: tuple[str, ...]


class ClearStop(msgspec.Struct, frozen=True, tag="clear-stop"):
    """All dependents of these incarnations outside this host that had to stop first have stopped."""

    items: tuple[Item, ...]


class Routes(msgspec.Struct, frozen=True, tag="routes"):
    """The providers outside this host changed: where each of these is now."""

    routes: tuple[Route, ...]


class Revision(msgspec.Struct, frozen=True):
    """What a running incarnation is to become without ending; `change` numbers it, and its answers carry the number.

    `config`, `pending`, `secrets`, `origins` and `backups` read as in Assignment and are the whole new config; `paths` are where it differs from the one in
    effect (none: `reconfigure` is not called). `bindings` are all of the new ones; `slots` are those that are bound anew, or whose
    provider came back (none: `rebind` is not called). `anew` says that the incarnation is to end and another one to begin with it:
    then only the config is made, and no callback asked.
    """

    address: str
    epoch: int
    change: int
    config: Any
    pending: tuple[Pending, ...]
    secrets: tuple[Path, ...]
    bindings: tuple[Binding, ...]
    paths: tuple[Path, ...] = ()
    slots: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    backups: tuple[str, ...] = ()
    anew: bool = False


class Prepare(msgspec.Struct, frozen=True, tag="prepare"):
    """Check each new config and ask `prepare_reconfigure`; nothing changes. Answered by Prepared for each."""

    revisions: tuple[Revision, ...]


class Revise(msgspec.Struct, frozen=True, tag="revise"):
    """Bring these into effect now: `reconfigure`, then `rebind` for each slot. Answered by Revised for each."""

    revisions: tuple[Revision, ...]


class Check(msgspec.Struct, frozen=True, tag="check"):
    """Ask the health of these incarnations every `interval` seconds from now on (0: as their policy says), the first time at once."""

    items: tuple[Item, ...]
    interval: float


class Measure(msgspec.Struct, frozen=True, tag="measure"):
    """Tell the metrics of modules every so many seconds from now on (10 until it is said), the first time at once, all of them."""

    interval: float


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """Answer to a ConfigAsked by its number: the change is in effect, or `refusal` says why it is not."""

    address: str
    epoch: int
    request: int
    refusal: str = ""


class Levels(msgspec.Struct, frozen=True, tag="levels"):
    """Let the loggers of these instances hand on lines from this severity on, by address; nothing else of them changes."""

    levels: dict[str, str]


class Timings(msgspec.Struct, frozen=True, tag="timings"):
    """Let these hold for instances, by address, from now on: how long callbacks may take, how often health is asked."""

    timeouts: dict[str, Timeouts]


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """End the host process: everything in it has stopped, or the grace of so many seconds is over."""

    grace: float


HostOrder = (
    Load
    | Start
    | Clear
    | Stop
    | ClearStop
    | Routes
    | Prepare
    | Revise
    | Check
    | Measure
    | Answer
    | Levels
    | Timings
    | Quit
)
