"""Owns Manifest, ModuleSpec and Definition: documents as typed values, references in them still unresolved."""

from typing import Any, Literal

import msgspec

from ignrun.manifest.document import Document
from ignrun.manifest.inputs import InputFile
from ignrun.terms.leaves import Path
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import ModuleScope
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition


class Where(msgspec.Struct, frozen=True):
    """Where a block stands: the number of its document in `Manifest.documents` and the path in that document."""

    document: int
    path: Path


class Need(msgspec.Struct, frozen=True):
    """What a manifest binds to one slot: `targets` are `NAME` or `NAME@scope`; `span` is the place of the binding.

    `target_spans` are the places of the targets, in the same order. The slot of an `after` is empty.
    """

    slot: str
    targets: tuple[str, ...]
    condition: Condition
    span: Span
    many: bool = False
    on_change: Literal["none", "rebind", "restart"] = "none"
    on_crash: Literal["ignore", "restart"] = "ignore"
    target_spans: tuple[Span, ...] = ()


class SlotSpec(msgspec.Struct, frozen=True):
    """A need that a definition names: the definition it asks for, versions, scopes, and whether it takes many."""

    slot: str
    span: Span
    uses: str = ""
    version: str = ""
    scopes: tuple[ModuleScope, ...] = ()
    many: bool = False
    required: bool = True


class Lifecycle(msgspec.Struct, frozen=True):
    """Timeouts and restart policy; seconds, `jitter` as a part of 1."""

    initialize_timeout: float = 30.0
    start_timeout: float = 30.0
    alive_for: float = 1.0
    reconfigure_timeout: float = 30.0
    stop_timeout: float = 10.0
    restart: Literal["always", "on-failure", "never"] = "always"
    backoff: float = 1.0
    backoff_max: float = 60.0
    jitter: float = 0.2
    threshold: float = 5.0
    half_life: float = 30.0
    park: float = 15.0
    park_max: float = 300.0
    reset_after: float = 600.0
    not_ready: float = 5.0
    not_ready_max: float = 80.0


class HealthPolicy(msgspec.Struct, frozen=True):
    """How often and how health is checked; `check` is None for the module's own `check_health`, else a probe in its raw form."""

    interval: float = 10.0
    timeout: float = 5.0
    failures: int = 3
    on_unhealthy: Literal["restart", "report"] = "restart"
    check: Any = None


class StopPolicy(msgspec.Struct, frozen=True):
    """How a command is asked to stop."""

    signal: str = "TERM"


class Oneshot(msgspec.Struct, frozen=True):
    """A command that is meant to end; `rerun` says when it runs again."""

    rerun: Literal["on-change", "always", "manual"] = "on-change"


class ConfigLayer(msgspec.Struct, frozen=True):
    """The raw `config` block of a module as one document says it; `where` leads to that block.

    `name` is the layer (`config`, also of what `extends` puts underneath, or `overlay` for what a mode lays over it); a `null` in it removes what a weaker layer set.
    """

    name: Literal["config", "overlay"]
    values: dict[str, Any]
    where: Where


class Limits(msgspec.Struct, frozen=True):
    """Limits of an isolated module or a command: bytes, processors, open files; None where nothing is said."""

    memory: int | None = None
    cpu: float | None = None
    files: int | None = None


class ReloadPolicy(msgspec.Struct, frozen=True):
    """How a command takes changed files without a restart: the signal, and what shows that it did."""

    signal: str
    ack: Literal["ready", "none"] = "ready"


class LogPolicy(msgspec.Struct, frozen=True):
    """Where output goes and from which level on; None where nothing is said."""

    to: Literal["file", "stdout", "both"] | None = None
    level: Literal["debug", "info", "warning", "error"] | None = None


class ModuleSpec(msgspec.Struct, frozen=True):
    """One module as a manifest declares it; exactly one of `uses`, `entry`, `command` is set.

    None of the three is set where the block is refused (in the sound part of a Rejected only): then it stands for its name.
    `config`, `command`, `env`, `ready`, `exports` and `claims` are raw: references in their scalars are unresolved.
    None means that the manifest does not say (a definition or a default decides).
    `config_layers` are the blocks that `config` was merged from, weakest first; none where it stands in one place, at `where`.
    `each` is the element of `for_each` that made this module: what `${each:key}` and `${each:value}` stand for.
    `files` maps a path, raw, to `{json|yaml|text: .., mode: ..}`.
    """

    name: str
    where: Where
    span: Span
    uses: str | None = None
    version: str | None = None
    entry: str | None = None
    command: list[Any] | None = None
    metadata: dict[str, Any] | None = None
    scopes: tuple[ModuleScope, ...] | None = None
    requires: tuple[Need, ...] = ()
    wants: tuple[Need, ...] = ()
    after: tuple[Need, ...] = ()
    config: dict[str, Any] = {}
    config_schema: Any = None
    isolation: Literal["shared", "process"] = "shared"
    lifecycle: Lifecycle = Lifecycle()
    health: HealthPolicy = HealthPolicy()
    stop: StopPolicy = StopPolicy()
    oneshot: Oneshot | None = None
    ready: Any = None
    env: dict[str, Any] = {}
    inherit_env: tuple[str, ...] = ()
    cwd: str | None = None
    exports: dict[str, Any] = {}
    claims: tuple[Any, ...] = ()
    labels: dict[str, str] = {}
    gate: Literal["healthy", "started", "none"] = "healthy"
    enabled: bool = True
    config_layers: tuple[ConfigLayer, ...] = ()
    each: tuple[str, Any] | None = None
    limits: Limits | None = None
    user: str | None = None
    umask: str | None = None
    files: dict[str, dict[str, Any]] = {}
    reload: ReloadPolicy | None = None
    log: LogPolicy | None = None
    irreversible: bool = False


class Definition(msgspec.Struct, frozen=True):
    """A reusable description of a module (`kind: Module`); `folder` is where its file lies."""

    metadata: ModuleMetadata
    span: Span
    folder: str
    document: Document
    entry: str
    scopes: tuple[ModuleScope, ...] = (ModuleScope.GATEWAY,)
    slots: tuple[SlotSpec, ...] = ()
    config_schema: Any = None
    claims: tuple[Any, ...] = ()
    requires_ignrun: str = ""
    requires_ignition: str = ""
    exports: Any = None
    config_version: int = 1
    config: dict[str, Any] = {}


class Source(msgspec.Struct, frozen=True):
    """A folder of definitions and code, absolute."""

    path: str
    span: Span


class EnvFile(msgspec.Struct, frozen=True):
    """An env file, absolute, that feeds `${env:}` and `${secret:}`."""

    path: str
    optional: bool
    span: Span


class SecretSource(msgspec.Struct, frozen=True):
    """Where `${secret:NAME}` comes from: the provider's name in the open table (planner/config/providers) and what it is asked for."""

    name: str
    provider: str
    argument: Any
    span: Span


class SecretPlaces(msgspec.Struct, frozen=True):
    """Where the secrets of a plant come from, enough to fetch them again without its manifest: `folder` is that of the manifest."""

    folder: str = ""
    declared: dict[str, SecretSource] = {}
    env_files: tuple[EnvFile, ...] = ()


class ApplyPolicy(msgspec.Struct, frozen=True):
    """How an apply of this plant goes; `soak`, for which a change is watched before it is good, and `deadline` in seconds."""

    soak: float = 3.0
    deadline: float = 300.0
    on_failure: Literal["rollback", "hold", "exit"] = "rollback"
    runtime_config: Literal["allow", "warn", "deny"] = "warn"


class Platform(msgspec.Struct, frozen=True):
    """What surrounds the plant: the version of Ignition, empty where nothing is said, and where it is written."""

    ignition: str = ""
    span: Span | None = None


class Moved(msgspec.Struct, frozen=True):
    """A module that got another name and keeps what belongs to it."""

    old: str
    new: str
    span: Span


class WatchPolicy(msgspec.Struct, frozen=True):
    """How files are watched: `settle` in seconds, `trigger` absolute."""

    settle: float = 0.1
    code: bool = False
    trigger: str | None = None


class Alert(msgspec.Struct, frozen=True):
    """What is told to whom when it happens; `when` and `then` in their raw, valid form, `lasting` (`for`) in seconds."""

    name: str
    when: dict[str, Any]
    span: Span
    lasting: float = 0.0
    severity: Literal["info", "warning", "critical"] = "warning"
    then: tuple[str | dict[str, Any], ...] = ("log",)


class Manifest(msgspec.Struct, frozen=True):
    """A whole manifest, includes and overlays merged in, `extends` and `for_each` resolved; `modules` in the order in which they are written.

    `documents[0]` is the whole of it, so that any path in a block still leads to its place, in whichever file; the texts
    themselves follow where there are several. `files` is everything read. `vars` has the values of `--var` over those of the
    text. `python` is an absolute path, of an interpreter or of its environment. `watch` is None without a `watch:` block.
    """

    name: str
    span: Span
    folder: str
    documents: tuple[Document, ...]
    modules: dict[str, ModuleSpec]
    files: tuple[InputFile, ...]
    labels: dict[str, str] = {}
    description: str = ""
    sources: tuple[Source, ...] = ()
    env_files: tuple[EnvFile, ...] = ()
    secrets: dict[str, SecretSource] = {}
    vars: dict[str, Any] = {}
    activate: tuple[ModuleScope, ...] = ()
    apply: ApplyPolicy = ApplyPolicy()
    python: str | None = None
    platform: Platform = Platform()
    catalog: tuple[Source, ...] = ()
    moved: tuple[Moved, ...] = ()
    watch: WatchPolicy | None = None
    alerts: tuple[Alert, ...] = ()
    log: LogPolicy = LogPolicy()
