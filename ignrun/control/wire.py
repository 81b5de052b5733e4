"""Owns the bodies of requests and answers that cross the control API and are not public reports of their own."""

from typing import Annotated, Final, Literal

import msgspec

from ignrun.terms.planning import Planning

BODY_LIMIT: Final = 1024 * 1024
"""Largest body of a request in bytes."""


class ApplyOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an apply is to go, where that differs from what the manifest says.

    `soak` is in seconds; `on_failure` what a change that turns out bad leads to; `retry` tries what was rejected or rolled back
    before; `watch` has later changes of the files applied, `code` those of the code, too; `no_start` leaves new instances down;
    `boot` starts what was good when the plant last ran where the files are invalid now. `lock_timeout` is how many seconds it waits for
    its turn, one change being made at a time; None waits for as long as it takes.
    """

    soak: float | None = None
    on_failure: Literal["rollback", "hold", "exit"] | None = None
    retry: bool = False
    watch: bool = False
    code: bool = False
    no_start: bool = False
    boot: bool = False
    lock_timeout: Annotated[float, msgspec.Meta(ge=0)] | None = None


class ApplyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client hands over so that the runner reads the manifest as the client would; paths are absolute.

    The fields of Inputs but those that are the runner's own (`state_dir`, the key of fingerprints). `environment` holds the
    client's variables; `by` names who asks, for the journal.
    """

    manifest: str
    root: str
    python: str = ""
    modes: tuple[str, ...] = ()
    vars: dict[str, str] = {}
    sets: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    strict_env: bool = False
    locked: bool = False
    allowed: tuple[str, ...] = ()
    planning: Planning = Planning()
    options: ApplyOptions = ApplyOptions()
    by: str = ""

    def __repr__(self) -> str:
        """Show what is asked for and nothing of the environment, which may hold secrets."""
        return f"ApplyRequest({self.manifest!r}, {len(self.environment)} variables)"


class RollbackRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which kept generation is to come into force again, None for the one before; `environment` holds what its secrets may need."""

    generation: int | None = None
    environment: dict[str, str] = {}
    options: ApplyOptions = ApplyOptions()
    by: str = ""

    def __repr__(self) -> str:
        """Show what is asked for and nothing of the environment, which may hold secrets."""
        return f"RollbackRequest({self.generation!r}, {len(self.environment)} variables)"


class CancelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks the open apply to be taken back; asked twice: at once."""

    by: str = ""


class WatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks the watcher to be held back, or to go on."""

    by: str = ""


class DownRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks the plant to go down."""

    by: str = ""


class AskRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks something of one instance; `off` ends a maintenance instead of beginning it."""

    by: str = ""
    off: bool = False


Verb = Literal["restart", "start", "stop", "maintenance", "resume"]
"""What can be asked of an instance; `resume` is the maintenance route with `off`."""


class AskReply(msgspec.Struct, frozen=True):
    """What was asked of an instance holds now."""

    address: str
    verb: Verb


class Word(msgspec.Struct, frozen=True):
    """An answer of one word: `ok`, `ready` or `going down`."""

    status: str


class InstanceBrief(msgspec.Struct, frozen=True):
    """An instance in a few words; `/v1/modules/{name}` says the rest."""

    address: str
    scope: str
    state: str
    health: str
    cause: str


class ModuleBrief(msgspec.Struct, frozen=True):
    """A module and its instances."""

    name: str
    instances: tuple[InstanceBrief, ...]


class Modules(msgspec.Struct, frozen=True):
    """The modules of a plant, in the order in which they start."""

    format_version: str
    modules: tuple[ModuleBrief, ...]


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events: numbers above `after` (the last N for -N); `follow` waits for more."""

    after: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] = 0
    follow: bool = True


Level = Literal["debug", "info", "warning", "error", "critical"]
"""Levels of log lines, from the least to the most."""


class LogsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines: of these modules or addresses (all where none is named), of `level` and above, that hold the text `grep`.

    `lines` of those that are; `follow` waits for more.
    """

    module: tuple[str, ...] = ()
    level: Level = "debug"
    grep: str = ""
    lines: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100
    follow: bool = True


class GenerationsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the latest generations."""

    count: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20


class ConfigQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose config: a module or an address; all where none is named."""

    module: str = ""


class Problem(msgspec.Struct, frozen=True, tag="problem"):
    """Why a request was refused: a plain statement and what to do about it; the HTTP status stands beside it.

    `kind` names the Failure behind it (`LockHeld`, ..), so that a client can end with the same exit code.
    """

    summary: str
    hint: str = ""
    kind: str = ""
