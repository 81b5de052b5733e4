"""Owns Proposal, what the reader hands over: a plan, the graph it leads to, and everything it was read from."""

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import ApplyPolicy
from ignrun.planner.catalog.model import Pin
from ignrun.planner.graph.model import EMPTY, Graph
from ignrun.planner.plan.model import Plan
from ignrun.terms.verdict import Accepted, Rejected


class Base(msgspec.Struct, frozen=True):
    """What a plan compares with: a generation number and its graph (0 and the empty graph: nothing)."""

    generation: int = 0
    graph: Graph = EMPTY


class Proposal(msgspec.Struct, frozen=True):
    """A plant read, resolved and planned.

    `target` is the digest (hex) of all resolved inputs. `environment` holds the non-secret values that `${env:}`
    used; `pins` says which definitions were chosen, as a lock does; `names` every environment name that was asked for, secrets included: what a caller hands to a runner.
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


class Reading(msgspec.Struct, frozen=True):
    """What leaves the bounded process: the verdict, and beside it, for an apply only, the text of each secret by name."""

    verdict: Accepted[Proposal] | Rejected[Proposal | None]
    secrets: dict[str, str] = {}

    def __repr__(self) -> str:
        """Show the verdict and how many secrets there are, none of them."""
        return f"Reading({self.verdict!r}, {len(self.secrets)} secrets)"
