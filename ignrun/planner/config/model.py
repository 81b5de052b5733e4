"""Owns Configured: the manifest with the values of each instance settled, references resolved as far as they can be."""

from typing import Any, Literal

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Manifest
from ignrun.planner.catalog.model import Selection
from ignrun.terms.leaves import Path, Tree
from ignrun.terms.names import Address, ModuleScope
from ignrun.terms.spans import Span


class Folders(msgspec.Struct, frozen=True):
    """Absolute paths of an instance's folders; nothing of them need exist yet except `module`."""

    data: str
    config: str
    log: str
    temp: str
    module: str


class Stamp(msgspec.Struct, frozen=True):
    """Who set a run-time value, and when (ISO 8601, UTC)."""

    by: str = ""
    at: str = ""


class Shadow(msgspec.Struct, frozen=True):
    """What a run-time value hides: the raw value that the manifest says, its place, and who set the run-time value.

    `typed` says that `value` has its final type; else it holds references. The text of a secret never stands here.
    """

    value: Any
    span: Span | None
    stamp: Stamp = Stamp()
    typed: bool = True


class Origin(msgspec.Struct, frozen=True):
    """Where one value of a config came from: the layer and the place; a run-time value also says what it hides.

    Layers, weakest first: `default`, `definition`, `config`, `overlay`, `run-time`, `environment`, `set`.
    """

    path: Path
    layer: str
    span: Span | None
    shadows: Shadow | None = None


class Update(msgspec.Struct, frozen=True, array_like=True):
    """What a change of the config value at `path` asks of a running module; `*` in the path stands for any item or key."""

    path: tuple[str, ...]
    how: Literal["reconfigure", "restart", "never"]


class Measure(msgspec.Struct, frozen=True, array_like=True):
    """The config value at `path` (`*` for any item or key) is a number of seconds or bytes that people write with a unit."""

    path: tuple[str, ...]
    kind: Literal["duration", "size"]


class Held(msgspec.Struct, frozen=True):
    """What one layer says of a value: as it was written, `null` where it removes what weaker layers say."""

    layer: str
    value: Any
    span: Span | None
    stamp: Stamp | None = None


class Stack(msgspec.Struct, frozen=True):
    """One value of a config, layer by layer, weakest first: the last one wins."""

    path: Path
    held: tuple[Held, ...]
    secret: bool = False


class Reference(msgspec.Struct, frozen=True):
    """A `${module:NAME.exports.KEY}` that an instance uses: it requires that provider to be up first."""

    provider: Address
    key: str
    span: Span


class Values(msgspec.Struct, frozen=True):
    """The values that only a command has; `files`, `ready` and `check` are None where none is declared."""

    argv: Tree
    env: Tree
    cwd: str
    ready: Tree | None = None
    check: Tree | None = None
    files: Tree | None = None


class Settled(msgspec.Struct, frozen=True):
    """One instance with its values settled; `command` is None for a hosted one.

    `secrets` are the paths in `config` that hold one. `claims` are the exclusive resources it takes. `references` lead to the providers whose exports it uses.
    `updates` say what a change of a value asks for, where somebody declared it; `measures` which values have a unit.
    """

    address: Address
    module: str
    scope: ModuleScope
    folders: Folders
    config: Tree
    secrets: tuple[Path, ...]
    origins: tuple[Origin, ...]
    exports: Tree
    command: Values | None
    references: tuple[Reference, ...]
    claims: tuple[str, ...] = ()
    updates: tuple[Update, ...] = ()
    measures: tuple[Measure, ...] = ()


class Configured(msgspec.Struct, frozen=True):
    """Every active instance of a manifest in the order of declaration, and what resolving its values asked for.

    `environment` holds the non-secret values that were used; `names` every environment name that was asked for;
    `secrets` the text of each secret that was found (empty but for an apply), `fingerprints` their keyed digests (hex).
    `stacks` holds the layers of the module that is to be explained, `tried` the run-time overlay that was tried, typed.
    """

    manifest: Manifest
    selection: Selection
    instances: dict[Address, Settled]
    files: tuple[InputFile, ...]
    environment: dict[str, str]
    names: tuple[str, ...]
    needed: tuple[str, ...]
    secrets: dict[str, str]
    fingerprints: dict[str, str]
    stacks: tuple[Stack, ...] = ()
    tried: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Show how many instances there are, and no secret."""
        return f"Configured({self.manifest.name!r}, {len(self.instances)} instances)"
