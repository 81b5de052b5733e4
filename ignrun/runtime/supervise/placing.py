"""Turns a graph into the one that is really run: who once took his neighbours down with him lives alone."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from ignrun.planner.graph.model import Graph, Hosted, InstanceSpec
from ignrun.terms.names import Address, HostId

_KEPT: Final = 8
_known: "OrderedDict[tuple[int, tuple[Address, ...]], tuple[Graph, Graph]]" = OrderedDict()


def placed(graph: Graph, alone: Mapping[Address, str]) -> Graph:
    """Give `graph` with a host of its own for everybody in `alone`; the same graph and the same addresses give the same object."""
    moved = tuple(sorted(address for address in alone if address in graph.instances))
    if not moved:
        return graph
    found = _known.get((id(graph), moved))
    if found is None or found[0] is not graph:
        instances = {a: _alone(spec) if a in alone else spec for a, spec in graph.instances.items()}
        found = graph, replace(graph, instances=instances)
        _known[id(graph), moved] = found
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    return found[1]


def _alone(spec: InstanceSpec) -> InstanceSpec:
    if not isinstance(spec.body, Hosted) or spec.body.own:
        return spec
    return replace(spec, body=replace(spec.body, host=HostId(spec.address), own=True))
