"""Owns Graph: instances and the edges between them, everything resolved that can be resolved before an apply."""

from typing import Literal

import msgspec

from ignrun.manifest.model import (
    Alert,
    ApplyPolicy,
    HealthPolicy,
    Lifecycle,
    Limits,
    LogPolicy,
    Moved,
    Oneshot,
    ReloadPolicy,
    StopPolicy,
    WatchPolicy,
)
from ignrun.planner.config.model import Folders as Folders
from ignrun.planner.config.model import Measure as Measure
from ignrun.planner.config.model import Origin as Origin
from ignrun.planner.config.model import Update as Update
from ignrun.terms.leaves import Path, Tree
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import Address, HostId, ModuleScope
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition


class Hosted(msgspec.Struct, frozen=True, tag="hosted"):
    """How a Python module runs: its class or async function, the import path of its host and the digest of its code.

    `python` is the interpreter or environment that the manifest asks for, empty for the one ignrun runs in. `packages` are the installed
    ones that its code imports, as `name==version`.
    """

    entry: str
    path: tuple[str, ...]
    code: str
    host: HostId
    own: bool
    callbacks: tuple[str, ...] | None = None
    python: str = ""
    packages: tuple[str, ...] = ()


class Command(msgspec.Struct, frozen=True, tag="command"):
    """How a command runs: `argv` and `env` are trees (pending leaves are filled when it starts); `cwd` is absolute.

    `files` are those to be written before it starts, each `{"path": .., "json" | "yaml" | "text": .., "mode": ..}`.
    `ready` and `check` are None or one of `{"tcp": ..}`, `{"http": ..}`, `{"log": ..}`, `{"exec": [..]}`, `{"notify": true}`.
    `python` is the interpreter or environment whose programs it finds first, empty for the one ignrun runs in.
    """

    argv: Tree
    env: Tree
    inherit_env: tuple[str, ...]
    cwd: str
    ready: Tree | None
    check: Tree | None
    stop: StopPolicy
    oneshot: Oneshot | None
    files: Tree | None = None
    reload: ReloadPolicy | None = None
    user: str | None = None
    umask: str | None = None
    python: str = ""


class Facets(msgspec.Struct, frozen=True):
    """Digest (hex) of each facet of an instance; the strongest one that differs decides what a plan does."""

    meta: str
    policy: str
    config: str
    identity: str
    wiring: str
    presence: str


class InstanceSpec(msgspec.Struct, frozen=True):
    """One instance, resolved: what runs, with which config, under which policy, and where each value was written.

    `config` and `exports` are trees; secrets in `config` are pending leaves, also listed by path in `secrets`
    (with those that the schema declares secret). `updates` say what a change of a config value asks for,
    where that was declared, `measures` which values have a unit.
    """

    address: Address
    module: str
    scope: ModuleScope
    metadata: ModuleMetadata
    body: Hosted | Command
    config: Tree
    secrets: tuple[Path, ...]
    origins: tuple[Origin, ...]
    exports: Tree
    lifecycle: Lifecycle
    health: HealthPolicy
    gate: Literal["healthy", "started", "none"]
    folders: Folders
    facets: Facets
    span: Span
    uses: str = ""
    labels: dict[str, str] = {}
    claims: tuple[str, ...] = ()
    limits: Limits | None = None
    log: LogPolicy | None = None
    irreversible: bool = False
    updates: tuple[Update, ...] = ()
    measures: tuple[Measure, ...] = ()


class Edge(msgspec.Struct, frozen=True):
    """One bound slot (`slot` empty for `after`): `dependent` needs `provider` to have met `condition`.

    `kind` says how strongly: `requires` holds the dependent back, `wants` and `after` only order.
    """

    dependent: Address
    slot: str
    provider: Address
    condition: Condition
    kind: Literal["requires", "wants", "after"]
    span: Span
    many: bool = False
    on_change: Literal["none", "rebind", "restart"] = "none"
    on_crash: Literal["ignore", "restart"] = "ignore"


class Rules(msgspec.Struct, frozen=True):
    """What a manifest says of the plant as a whole: how applies go, what is watched, told and written, and what has moved."""

    apply: ApplyPolicy = ApplyPolicy()
    watch: WatchPolicy | None = None
    alerts: tuple[Alert, ...] = ()
    log: LogPolicy = LogPolicy()
    moved: tuple[Moved, ...] = ()


class Graph(msgspec.Struct, frozen=True):
    """A plant resolved: instances by address in an order that respects every edge, and the edges.

    `secrets` names every secret that some instance needs, `fingerprints` holds the keyed digest (hex) of each whose text
    was at hand; `plant` is the plant's name.
    """

    plant: str
    instances: dict[Address, InstanceSpec]
    edges: tuple[Edge, ...]
    secrets: tuple[str, ...] = ()
    mode: str = ""
    fingerprints: dict[str, str] = {}
    rules: Rules = Rules()


EMPTY = Graph("", {}, ())
"""The graph of a plant in which nothing runs."""
