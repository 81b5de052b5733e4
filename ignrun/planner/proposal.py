"""Owns Proposal, what the reader hands over: a plan, the graph it leads to, and everything it was read from."""

from typing import Any

import msgspec

from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.manifest.model import ApplyPolicy, SecretPlaces
from ignrun.manifest.seen import Seen
from ignrun.planner.catalog.model import Pin
from ignrun.planner.config.model import Stack
from ignrun.planner.graph.model import EMPTY, Graph
from ignrun.planner.plan.model import Plan
from ignrun.protocol.code import CodeIndex
from ignrun.terms.verdict import Accepted, Rejected


class Base(msgspec.Struct, frozen=True):
    """What a plan compares with: a generation number and its graph (0 and the empty graph: nothing).

    `last` is what was in force before the plant went down: what is an edit is seen by it where nothing runs.
    """

    generation: int = 0
    graph: Graph = EMPTY
    last: Graph = EMPTY

    @property
    def known(self) -> Graph:
        """The graph that edits are compared with."""
        return self.graph if self.graph.instances else self.last


class Call(msgspec.Struct, frozen=True):
    """How somebody had a manifest read, its environment aside: what watcher, boot and rollback use again; paths are absolute."""

    manifest: str = ""
    root: str = ""
    python: str = ""
    modes: tuple[str, ...] = ()
    vars: dict[str, str] = {}
    sets: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    strict_env: bool = False
    locked: bool = False
    allowed: tuple[str, ...] = ()

    @classmethod
    def of(cls, inputs: Inputs) -> "Call":
        """Take from inputs what the caller said."""
        return cls(**{name: getattr(inputs, name) for name in cls.__struct_fields__})


class Proposal(msgspec.Struct, frozen=True):
    """A plant read, resolved and planned.

    `target` is the digest (hex) of all resolved inputs. `environment` holds the non-secret values that `${env:}`
    used (with the `IGN_` variables that override config); `names` every environment name that was asked for, secrets included:
    what a caller hands to a runner. `call` is how it was asked for. `code` holds the files behind each code digest of the graph.
    `secret_places` says where its secrets are fetched again when it is revived.
    """

    plant: str
    graph: Graph
    plan: Plan
    target: str
    files: tuple[InputFile, ...]
    environment: dict[str, str]
    names: tuple[str, ...]
    apply: ApplyPolicy
    pins: tuple[Pin, ...] = ()
    call: Call = Call()
    code: dict[str, CodeIndex] = {}
    secret_places: SecretPlaces = SecretPlaces()


class Reading(msgspec.Struct, frozen=True):
    """What leaves the bounded process: the verdict, and beside it, for an apply only, the text of each secret by name.

    `stacks` are the layers of the module that the inputs ask to explain; `tried` is the run-time overlay that they try, its values
    typed. Both are there also for what is refused, and so is `seen`, the disk as it was read: what a watcher goes by.
    """

    verdict: Accepted[Proposal] | Rejected[Proposal | None]
    secrets: dict[str, str] = {}
    stacks: tuple[Stack, ...] = ()
    tried: dict[str, Any] | None = None
    seen: Seen = Seen()

    def __repr__(self) -> str:
        """Show the verdict and how many secrets there are, none of them."""
        return f"Reading({self.verdict!r}, {len(self.secrets)} secrets)"
