"""Turns a graph into a text tree, a Mermaid or Graphviz diagram, or public JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from ignrun.render.diagnostics import PlaceReport, place_report
from ignrun.render.names import ShortName, short_names

if TYPE_CHECKING:
    from ignrun.planner.graph.model import Edge, Graph, InstanceSpec

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

_ARROWS: Final = {"requires": "-->", "wants": "-.->", "after": "-..->"}
_STYLES: Final = {"wants": "dashed", "after": "dotted"}


def graph_text(graph: "Graph") -> str:
    """Write, for each instance that nothing needs, the tree of what it needs; what has been shown is only named again."""
    short = short_names(graph.instances)
    needed = {edge.provider for edge in graph.edges}
    below: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        below.setdefault(edge.dependent, []).append(edge)
    lines: list[str] = []
    shown: set[str] = set()
    for address in graph.instances:
        if address not in needed:
            lines += [_described(graph.instances[address], short), *_branches(graph, address, below, shown, short)]
    return "\n".join(lines) + "\n" if lines else "(no modules)\n"


def _branches(
    graph: "Graph", top: str, below: dict[str, list["Edge"]], shown: set[str], short: ShortName
) -> Iterator[str]:
    """Walk without recursion: a chain of thousands of modules is a legal plant."""
    shown.add(top)
    stack = [_Branch(edge, "", at == 0) for at, edge in enumerate(reversed(below.get(top, [])))]
    while stack:
        branch = stack.pop()
        edge, known = branch.edge, branch.edge.provider in shown
        told = _described(graph.instances[edge.provider], short) if not known else f"{short(edge.provider)} (above)"
        yield f"{branch.indent}{'`-' if branch.last else '|-'} {_slot(edge, told)}"
        if known:
            continue
        shown.add(edge.provider)
        indent = branch.indent + ("   " if branch.last else "|  ")
        stack += [_Branch(one, indent, at == 0) for at, one in enumerate(reversed(below.get(edge.provider, [])))]


class _Branch(msgspec.Struct, frozen=True):
    edge: Any
    indent: str
    last: bool


def _slot(edge: "Edge", told: str) -> str:
    condition = "" if edge.kind != "requires" or edge.condition.value == "healthy" else f" [{edge.condition.value}]"
    kind = "" if edge.kind == "requires" else f" [{edge.kind}]"
    return f"{told}{condition}{kind}"


def _described(spec: "InstanceSpec", short: ShortName) -> str:
    return f"{short(spec.address)}  ({_what(spec)})"


def _what(spec: "InstanceSpec") -> str:
    from ignrun.planner.graph.model import Command

    if isinstance(spec.body, Command):
        return "oneshot command" if spec.body.oneshot else "command"
    return "own process" if spec.body.own else f"host {spec.body.host}"


def graph_mermaid(graph: "Graph") -> str:
    """Write a Mermaid flowchart: an arrow from each dependent to what it needs, labelled with its slot."""
    short = short_names(graph.instances)
    number = {address: f"n{at}" for at, address in enumerate(graph.instances)}
    lines = ["flowchart LR"]
    lines += [f'  {number[address]}["{short(address)}"]' for address in graph.instances]
    for edge in graph.edges:
        label = f"|{slot}|" if (slot := _told_slot(edge)) else ""
        lines.append(f"  {number[edge.dependent]} {_ARROWS[edge.kind]}{label} {number[edge.provider]}")
    return "\n".join(lines) + "\n"


def _told_slot(edge: "Edge") -> str:
    """Give the name of a slot where it says more than the provider's."""
    return edge.slot if edge.slot != edge.provider.split("@", maxsplit=1)[0] else ""


def graph_dot(graph: "Graph") -> str:
    """Write a Graphviz digraph: an arrow from each dependent to what it needs, labelled with its slot; what only orders is dashed."""
    short = short_names(graph.instances)
    lines = [f'digraph "{graph.plant}" {{', "  rankdir=LR;", "  node [shape=box];"]
    lines += [f'  "{address}" [label="{short(address)}"];' for address in graph.instances]
    for edge in graph.edges:
        marks = [f'label="{slot}"'] if (slot := _told_slot(edge)) else []
        marks += [f"style={_STYLES[edge.kind]}"] if edge.kind in _STYLES else []
        shown = f" [{', '.join(marks)}]" if marks else ""
        lines.append(f'  "{edge.dependent}" -> "{edge.provider}"{shown};')
    return "\n".join([*lines, "}"]) + "\n"


class InstanceReport(msgspec.Struct, frozen=True):
    """One instance: a Python module (`hosted`, with its host and entry) or a command."""

    address: str
    module: str
    scope: str
    kind: Literal["hosted", "command"]
    host: str | None
    entry: str | None
    oneshot: bool
    uses: str | None
    version: str
    place: PlaceReport


class EdgeReport(msgspec.Struct, frozen=True):
    """One bound slot, or an order without a slot."""

    dependent: str
    slot: str | None
    provider: str
    kind: str
    condition: str
    place: PlaceReport


class GraphReport(msgspec.Struct, frozen=True):
    """Instances in start order and the edges between them, each with its place."""

    format_version: str
    plant: str
    instances: tuple[InstanceReport, ...]
    edges: tuple[EdgeReport, ...]


def graph_json(graph: "Graph") -> bytes:
    """Write the public JSON form."""
    report = GraphReport(
        FORMAT_VERSION,
        graph.plant,
        tuple(_instance(spec) for spec in graph.instances.values()),
        tuple(_edge(edge) for edge in graph.edges),
    )
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def _instance(spec: "InstanceSpec") -> InstanceReport:
    from ignrun.planner.graph.model import Command

    hosted = None if isinstance(spec.body, Command) else spec.body
    return InstanceReport(
        address=spec.address,
        module=spec.module,
        scope=spec.scope.word,
        kind="hosted" if hosted else "command",
        host=hosted.host if hosted else None,
        entry=hosted.entry if hosted else None,
        oneshot=isinstance(spec.body, Command) and spec.body.oneshot is not None,
        uses=spec.uses or None,
        version=spec.metadata.version,
        place=place_report(spec.span),
    )


def _edge(edge: "Edge") -> EdgeReport:
    return EdgeReport(
        edge.dependent, edge.slot or None, edge.provider, edge.kind, edge.condition.value, place_report(edge.span)
    )
