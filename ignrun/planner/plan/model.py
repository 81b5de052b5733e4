"""Owns Plan: the steps that turn what runs into what is wanted, each with its cause."""

from typing import Any, Literal

import msgspec

from ignrun.planner.graph.model import Edge, Graph
from ignrun.terms.leaves import Path
from ignrun.terms.names import Address
from ignrun.terms.spans import Span

FORMAT_VERSION = "1.0"
"""Version of the JSON form of a plan."""

Action = Literal["create", "delete", "reconfigure", "restart", "replace", "rebind", "reload", "policy", "no-op"]
"""What a step does; in place are `reconfigure`, `rebind` (which may reconfigure too), `reload` and `policy`."""


class Edited(msgspec.Struct, frozen=True, tag="edited"):
    """Somebody changed the text at `span` (or, where the block is new or gone, wrote or removed it)."""

    span: Span


class DependencyMoved(msgspec.Struct, frozen=True, tag="dependency-moved"):
    """A provider moves, and the edge asks the dependent to follow."""

    edge: Edge


class SharesHost(msgspec.Struct, frozen=True, tag="shares-host"):
    """It shares a process with `mate`, which moves."""

    mate: Address


class Requested(msgspec.Struct, frozen=True, tag="requested"):
    """An operator asked for it."""

    by: str


class Renamed(msgspec.Struct, frozen=True, tag="renamed"):
    """Its module has another name now: `other` is the instance that it becomes, or that it was; `span` is where that is written."""

    other: Address
    span: Span


Cause = Edited | DependencyMoved | SharesHost | Requested | Renamed


class Change(msgspec.Struct, frozen=True):
    """One value that differs: `path` begins with the facet's block (`config`, `command`, ...).

    A secret shows as `(secret)`, with the beginning of its fingerprint where its text was at hand; what is known only at apply as
    `(known at apply)`. `unit` says that the values are seconds (`duration`) or bytes (`size`); `files` are those
    that differ where it is the code, as far as that is known.
    """

    path: Path
    before: Any
    after: Any
    span: Span | None = None
    unit: str = ""
    files: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """What happens to one instance and why; `interrupts` names the dependents that stay up and wait for it meanwhile.

    `slots` are those that a `rebind` is about (none: only its order changes); `irreversible` says that no rollback goes back behind
    this step. `host` is the host in which it runs before the step, empty for a command and for what is created.
    """

    address: Address
    action: Action
    cause: Cause
    changes: tuple[Change, ...] = ()
    interrupts: tuple[Address, ...] = ()
    slots: tuple[str, ...] = ()
    irreversible: bool = False
    host: str = ""


class Plan(msgspec.Struct, frozen=True):
    """Steps in the order of execution as planned: stops first in reverse order, then starts in order.

    `base` is the number of the generation compared with (0: with nothing); `unchanged` counts the rest. `hosts` lists who shares
    each host that runs somebody with a step. `edited` says that texts differ, whether or not that means anything.
    """

    base: int
    target: str
    steps: tuple[Step, ...]
    unchanged: int
    hosts: dict[str, tuple[Address, ...]] = {}
    edited: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing would be done."""
        return all(step.action == "no-op" for step in self.steps)

    @property
    def fresh(self) -> frozenset[Address]:
        """The instances that get a process which has not served yet."""
        return frozenset(step.address for step in self.steps if step.action in {"create", "replace"})


class Planned(msgspec.Struct, frozen=True):
    """A plan, and the desired graph as it places everybody."""

    graph: Graph
    plan: Plan
