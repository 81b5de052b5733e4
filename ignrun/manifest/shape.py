"""Owns the shapes of documents as people write them, as msgspec types."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

_NAME = r"^[a-z][a-z0-9-]{0,62}\Z"
_ID = r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)*\Z"
_DOTTED = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"

Text = Annotated[str, Meta(min_length=1)]
Name = Annotated[str, Meta(pattern=_NAME)]
_TARGET = r"^([a-z]|\$\{each:key\})([a-z0-9-]|\$\{each:key\}){0,62}(@(gateway|client|designer))?\Z"
Target = Annotated[str, Meta(pattern=_TARGET)]
Id = Annotated[str, Meta(pattern=_ID)]
Entry = Annotated[str, Meta(pattern=rf"^{_DOTTED}:{_DOTTED}\Z")]
EnvName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z")]
VariableName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*\Z")]
SecretName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*\Z")]
Signal = Annotated[str, Meta(pattern=r"^(SIG)?[A-Z][A-Z0-9]*\Z")]
Duration = (
    Annotated[str, Meta(pattern=r"^([0-9]{1,12}(\.[0-9]{1,9})?(ms|s|m|h|d)){1,5}\Z")]
    | Annotated[int, Meta(ge=0)]
    | Annotated[float, Meta(ge=0)]
)
Size = (
    Annotated[str, Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,9})? ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?\Z")]
    | Annotated[int, Meta(ge=0)]
)
ElementKey = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,61}\Z")]
Scalar = str | int | float | bool
Words = Annotated[list[Scalar], Meta(min_length=1)]
Targets = str | list[str]  # no pattern: in a union with lists or mappings it makes msgspec 0.22 write past its memory
ScopeWord = Literal["gateway", "client", "designer"]
Scopes = Annotated[list[ScopeWord], Meta(min_length=1)]
Schema = dict[str, Any] | bool

is_target = re.compile(_TARGET).match


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A closed block; UNSET where nothing is written. Free `x-` keys are taken out before."""


class NeedText(Block, frozen=True):
    """What is bound to a slot, in the long form."""

    module: Targets
    condition: Literal["healthy", "started", "completed"] | UnsetType = UNSET
    on_change: Literal["none", "rebind", "restart"] | UnsetType = UNSET
    on_crash: Literal["ignore", "restart"] | UnsetType = UNSET


Needs = list[Target] | dict[Name, str | list[str] | NeedText]


class ProbeText(Block, frozen=True):
    """How a command shows that it is ready or healthy, in the long form; exactly one is set."""

    log: Text | UnsetType = UNSET
    exec: Words | UnsetType = UNSET
    tcp: str | int | UnsetType = UNSET
    http: Text | UnsetType = UNSET


class CheckText(Block, frozen=True):
    """How a command's health is checked, in the long form; exactly one is set."""

    exec: Words | UnsetType = UNSET
    tcp: str | int | UnsetType = UNSET
    http: Text | UnsetType = UNSET


Probe = Annotated[str, Meta(pattern=r"^(tcp:.+|https?://.+|notify|.*\$\{.*)\Z")] | ProbeText
Check = Annotated[str, Meta(pattern=r"^(ready|tcp:.+|https?://.+|.*\$\{.*)\Z")] | CheckText


class RestartText(Block, frozen=True):
    """Restart policy with its numbers."""

    policy: Literal["always", "on-failure", "never"] | UnsetType = UNSET
    backoff: Duration | UnsetType = UNSET
    backoff_max: Duration | UnsetType = UNSET
    jitter: Annotated[int, Meta(ge=0, le=1)] | Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    threshold: Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    half_life: Duration | UnsetType = UNSET
    park: Duration | UnsetType = UNSET
    park_max: Duration | UnsetType = UNSET
    reset_after: Duration | UnsetType = UNSET
    not_ready: Duration | UnsetType = UNSET
    not_ready_max: Duration | UnsetType = UNSET


class LifecycleText(Block, frozen=True):
    """Timeouts and restart policy."""

    initialize_timeout: Duration | UnsetType = UNSET
    start_timeout: Duration | UnsetType = UNSET
    alive_for: Duration | UnsetType = UNSET
    reconfigure_timeout: Duration | UnsetType = UNSET
    stop_timeout: Duration | UnsetType = UNSET
    restart: Literal["always", "on-failure", "never"] | RestartText | UnsetType = UNSET


class HealthText(Block, frozen=True):
    """How health is checked."""

    interval: Duration | UnsetType = UNSET
    timeout: Duration | UnsetType = UNSET
    failures: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    on_unhealthy: Literal["restart", "report"] | UnsetType = UNSET
    check: Check | UnsetType = UNSET


class LogText(Block, frozen=True):
    """Where output goes."""

    to: Literal["file", "stdout", "both"] | UnsetType = UNSET
    level: Literal["debug", "info", "warning", "error"] | UnsetType = UNSET


class LimitsText(Block, frozen=True):
    """Limits of a process."""

    memory: Size | UnsetType = UNSET
    cpu: Annotated[int, Meta(gt=0)] | Annotated[float, Meta(gt=0)] | UnsetType = UNSET
    files: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class ReloadText(Block, frozen=True):
    """How a command takes a new configuration."""

    signal: Signal
    ack: Literal["ready", "none"] | UnsetType = UNSET


class StopText(Block, frozen=True):
    """How a command is asked to stop."""

    signal: Signal | UnsetType = UNSET


class OneshotText(Block, frozen=True):
    """When a oneshot runs again."""

    rerun: Literal["on-change", "always", "manual"] | UnsetType = UNSET


class FileText(Block, frozen=True):
    """A file that is written for a command; exactly one content is set."""

    json: Any = UNSET
    yaml: Any = UNSET
    text: str | UnsetType = UNSET
    mode: Annotated[str, Meta(pattern=r"^0?[0-7]{3}\Z")] | UnsetType = UNSET


class MetadataText(Block, frozen=True):
    """What a module without a definition says of itself."""

    name: Text | UnsetType = UNSET
    version: Text | UnsetType = UNSET
    vendor: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    documentation: str | UnsetType = UNSET
    license: str | UnsetType = UNSET


class ModuleText(Block, frozen=True):
    """One module of a manifest."""

    uses: Id | UnsetType = UNSET
    version: Text | UnsetType = UNSET
    entry: Entry | UnsetType = UNSET
    command: Words | UnsetType = UNSET
    metadata: MetadataText | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    requires: Needs | UnsetType = UNSET
    wants: Needs | UnsetType = UNSET
    after: list[Target] | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    config_schema: Schema | UnsetType = UNSET
    isolation: Literal["shared", "process"] | UnsetType = UNSET
    limits: LimitsText | UnsetType = UNSET
    lifecycle: LifecycleText | UnsetType = UNSET
    health: HealthText | UnsetType = UNSET
    gate: Literal["healthy", "started", "none"] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    irreversible: bool | UnsetType = UNSET
    claims: list[Text] | UnsetType = UNSET
    exports: dict[str, Any] | UnsetType = UNSET
    env: dict[EnvName, Scalar] | UnsetType = UNSET
    inherit_env: list[EnvName] | UnsetType = UNSET
    cwd: Text | UnsetType = UNSET
    user: Text | UnsetType = UNSET
    umask: Annotated[str, Meta(pattern=r"^[0-7]{3,4}\Z")] | UnsetType = UNSET
    files: dict[Text, FileText] | UnsetType = UNSET
    ready: Probe | UnsetType = UNSET
    reload: ReloadText | UnsetType = UNSET
    stop: StopText | UnsetType = UNSET
    oneshot: bool | OneshotText | UnsetType = UNSET
    log: LogText | UnsetType = UNSET
    for_each: list[str | int | float] | dict[ElementKey, Any] | UnsetType = UNSET
    extends: Text | UnsetType = UNSET


class PlantText(Block, frozen=True):
    """What a manifest says of the plant."""

    name: Name | UnsetType = UNSET
    description: str | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET


class EnvFileText(Block, frozen=True):
    """An env file in the long form."""

    path: Text
    optional: bool | UnsetType = UNSET


class SecretText(Block, frozen=True):
    """Where a secret comes from, of the providers that ship with ignrun; exactly one is set."""

    env: EnvName | UnsetType = UNSET
    file: Text | UnsetType = UNSET
    exec: Words | UnsetType = UNSET
    keyring: str | dict[str, Any] | UnsetType = UNSET
    vault: str | dict[str, Any] | UnsetType = UNSET


class FolderText(Block, frozen=True):
    """A folder of a list."""

    path: Text


class PlatformText(Block, frozen=True):
    """What surrounds the plant."""

    ignition: Text | UnsetType = UNSET


class DefaultsText(Block, frozen=True):
    """What holds for every module that says nothing else."""

    lifecycle: LifecycleText | UnsetType = UNSET
    health: HealthText | UnsetType = UNSET


class ApplyText(Block, frozen=True):
    """How an apply goes."""

    soak: Duration | UnsetType = UNSET
    deadline: Duration | UnsetType = UNSET
    on_failure: Literal["rollback", "hold", "exit"] | UnsetType = UNSET
    runtime_config: Literal["allow", "warn", "deny"] | UnsetType = UNSET


class WatchText(Block, frozen=True):
    """How files are watched."""

    settle: Duration | UnsetType = UNSET
    code: bool | UnsetType = UNSET
    trigger: str | UnsetType | None = UNSET


class RateText(Block, frozen=True):
    """How often something happens before it counts."""

    above: Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0)]
    within: Duration


class WhenText(Block, frozen=True):
    """What an alert watches; exactly one of `restarts`, `log`, `sample`, `health`, `state` is set."""

    modules: Text | list[Text]
    restarts: RateText | UnsetType = UNSET
    log: Text | UnsetType = UNSET
    rate: RateText | UnsetType = UNSET
    sample: Literal["memory", "cpu", "files", "threads"] | UnsetType = UNSET
    above: Size | Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    below: Size | Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    health: Literal["degraded", "unhealthy", "unknown"] | UnsetType = UNSET
    state: Literal["error", "stopped", "maintenance"] | UnsetType = UNSET


class CallText(Block, frozen=True):
    """A method of a module, called with the alert."""

    module: Text
    method: Text


class ActionText(Block, frozen=True):
    """What is done when an alert fires; exactly one is set."""

    webhook: Text | UnsetType = UNSET
    exec: Words | UnsetType = UNSET
    call: CallText | UnsetType = UNSET


class AlertText(Block, frozen=True, rename={"for_": "for"}):
    """What is told to whom when it happens."""

    when: WhenText
    for_: Duration | UnsetType = UNSET
    severity: Literal["info", "warning", "critical"] | UnsetType = UNSET
    then: list[Literal["log"] | ActionText] | UnsetType = UNSET


class MovedText(Block, frozen=True, rename={"from_": "from"}):
    """A module that got another name."""

    from_: Name
    to: Name


class ManifestText(Block, frozen=True, rename={"api_version": "apiVersion"}):
    """A whole `kind: Manifest` document."""

    api_version: Literal["ignrun/v1"] | UnsetType = UNSET
    kind: Literal["Manifest"] | UnsetType = UNSET
    metadata: PlantText | UnsetType = UNSET
    include: list[Text] | UnsetType = UNSET
    vars: dict[VariableName, Any] | UnsetType = UNSET
    env_files: list[Text | EnvFileText] | UnsetType = UNSET
    secrets: dict[SecretName, dict[str, Any]] | UnsetType = UNSET
    sources: list[FolderText] | UnsetType = UNSET
    python: Text | UnsetType = UNSET
    activate: Scopes | UnsetType = UNSET
    platform: PlatformText | UnsetType = UNSET
    defaults: DefaultsText | UnsetType = UNSET
    apply: ApplyText | UnsetType = UNSET
    watch: WatchText | UnsetType = UNSET
    alerts: dict[str, AlertText] | UnsetType = UNSET
    log: LogText | UnsetType = UNSET
    moved: list[MovedText] | UnsetType = UNSET
    catalog: list[FolderText] | UnsetType = UNSET
    modules: dict[Name, ModuleText] | UnsetType = UNSET


class PartialNeedText(NeedText, frozen=True):
    """What an overlay changes of a binding."""

    module: Targets | UnsetType = UNSET  # type: ignore[assignment]


PartialNeeds = list[Target] | dict[Name, str | list[str] | PartialNeedText]


class PartialReloadText(ReloadText, frozen=True):
    """What an overlay changes of how a command is reloaded."""

    signal: Signal | UnsetType = UNSET  # type: ignore[assignment]


class PartialModuleText(ModuleText, frozen=True):
    """What a block says that is laid over another one: in an overlay, or with `extends`."""

    requires: PartialNeeds | UnsetType = UNSET  # type: ignore[assignment]
    wants: PartialNeeds | UnsetType = UNSET  # type: ignore[assignment]
    reload: PartialReloadText | UnsetType = UNSET


class PartialAlertText(AlertText, frozen=True, rename={"for_": "for"}):
    """What an overlay changes of an alert."""

    when: WhenText | UnsetType = UNSET  # type: ignore[assignment]


class PartialPlantText(Block, frozen=True):
    """What an overlay changes of what a manifest says of the plant; its name stays."""

    description: str | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET


class OverlayText(Block, frozen=True, rename={"api_version": "apiVersion"}):
    """A whole `kind: Overlay` document, nulls taken out."""

    api_version: Literal["ignrun/v1"] | UnsetType = UNSET
    kind: Literal["Overlay"] | UnsetType = UNSET
    metadata: PartialPlantText | UnsetType = UNSET
    vars: dict[VariableName, Any] | UnsetType = UNSET
    env_files: list[Text | EnvFileText] | UnsetType = UNSET
    secrets: dict[SecretName, dict[str, Any]] | UnsetType = UNSET
    sources: list[FolderText] | UnsetType = UNSET
    python: Text | UnsetType = UNSET
    activate: Scopes | UnsetType = UNSET
    platform: PlatformText | UnsetType = UNSET
    defaults: DefaultsText | UnsetType = UNSET
    apply: ApplyText | UnsetType = UNSET
    watch: WatchText | UnsetType = UNSET
    alerts: dict[str, PartialAlertText] | UnsetType = UNSET
    log: LogText | UnsetType = UNSET
    moved: list[MovedText] | UnsetType = UNSET
    catalog: list[FolderText] | UnsetType = UNSET
    modules: dict[Name, PartialModuleText] | UnsetType = UNSET


class IdentityText(MetadataText, frozen=True, kw_only=True):
    """What a definition says of itself."""

    id: Id


class SlotText(Block, frozen=True):
    """A need of a definition."""

    uses: Id | UnsetType = UNSET
    version: Text | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    many: bool | UnsetType = UNSET


class DefinitionText(Block, frozen=True, rename={"api_version": "apiVersion"}):
    """A whole `kind: Module` document."""

    metadata: IdentityText
    entry: Entry
    api_version: Literal["ignrun/v1"] | UnsetType = UNSET
    kind: Literal["Module"] | UnsetType = UNSET
    requires_ignrun: Text | UnsetType = UNSET
    requires_ignition: Text | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    requires: dict[Name, SlotText] | UnsetType = UNSET
    wants: dict[Name, SlotText] | UnsetType = UNSET
    exports: Schema | UnsetType = UNSET
    claims: list[Text] | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    config_version: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    config_schema: Schema | UnsetType = UNSET


BODIES = ("uses", "entry", "command")
OF_COMMANDS = ("oneshot", "ready", "stop", "reload", "cwd", "env", "inherit_env", "user", "umask", "files")
