"""Owns small graphs, rosters and reports for the tests of what is said about them."""

from datetime import UTC, datetime
from typing import Any

from ignrun.manifest.model import HealthPolicy, Lifecycle, Oneshot, StopPolicy
from ignrun.planner.graph.model import Command, Edge, Facets, Folders, Graph, Hosted, InstanceSpec
from ignrun.render.status_report import RunnerFacts
from ignrun.terms.leaves import Tree
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import Address, HostId, split_address
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition

FILE = "/plants/line.yaml"
AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
RUNNER = RunnerFacts("line", "/run/line.sock", 42, "0.1.0", AT.replace(hour=2), FILE, "/plants/.ignrun/line")


def at_line(line: int, column: int = 3) -> Span:
    return Span(FILE, line, column, column + 4)


def hosted(address: str, *, own: bool = False, **changed: Any) -> InstanceSpec:
    _, scope = split_address(address)
    host = HostId(address if own else scope.word)
    return spec_of(address, Hosted("plant:Thing", ("/plants",), "c0de", host, own), **changed)


def command(address: str, *, oneshot: bool = False, **changed: Any) -> InstanceSpec:
    body = Command(Tree(["true"]), Tree({}), (), "/plants", None, None, StopPolicy(), Oneshot() if oneshot else None)
    return spec_of(address, body, **changed)


def spec_of(address: str, body: Hosted | Command, **changed: Any) -> InstanceSpec:
    module, scope = split_address(address)
    named: dict[str, Any] = {
        "address": Address(address),
        "module": module,
        "scope": scope,
        "metadata": ModuleMetadata(module, module),
        "body": body,
        "config": Tree({}),
        "secrets": (),
        "origins": (),
        "exports": Tree({}),
        "lifecycle": Lifecycle(),
        "health": HealthPolicy(),
        "gate": "healthy",
        "folders": Folders("/d", "/c", "/l", "/t", "/m"),
        "facets": Facets("", "", "", "", "", ""),
        "span": at_line(3),
    }
    return InstanceSpec(**named | changed)


def needs(dependent: str, provider: str, kind: Any = "requires", condition: Condition = Condition.HEALTHY) -> Edge:
    slot = provider.split("@", maxsplit=1)[0]
    return Edge(Address(dependent), slot, Address(provider), condition, kind, at_line(9))


def graph_of(*specs: InstanceSpec, edges: tuple[Edge, ...] = ()) -> Graph:
    return Graph("line", {spec.address: spec for spec in specs}, edges)


LINE = graph_of(
    hosted("tags@gateway"),
    command("schema@gateway", oneshot=True),
    hosted("historian@gateway", own=True),
    command("web@gateway"),
    edges=(
        needs("historian@gateway", "tags@gateway"),
        needs("historian@gateway", "schema@gateway", condition=Condition.COMPLETED),
        needs("web@gateway", "historian@gateway"),
        needs("web@gateway", "tags@gateway", "after"),
    ),
)
