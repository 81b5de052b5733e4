"""Turns a Graph into Wiring, the indexes over its edges and hosts that decisions walk along, kept for each graph."""

from collections import OrderedDict, defaultdict
from typing import Final

import msgspec

from ignrun.planner.graph.model import Edge, Graph, Hosted
from ignrun.runtime.supervise.roster import Assigned
from ignrun.terms.names import Address, HostId


class Wiring(msgspec.Struct, frozen=True):
    """Edges by either end, hosted instances by host, and what a host is told when it loads an instance."""

    needs: dict[Address, tuple[Edge, ...]]
    dependents: dict[Address, tuple[Edge, ...]]
    hosts: dict[Address, HostId]
    members: dict[HostId, tuple[Address, ...]]
    assigned: dict[Address, Assigned]


_KEPT: Final = 8
_known: "OrderedDict[int, tuple[Graph, Wiring]]" = OrderedDict()


def wired(graph: Graph) -> Wiring:
    """Give the indexes of a graph; the same graph object gets the same indexes, so a turn costs nothing for what it does not touch."""
    found = _known.get(id(graph))
    if found is None or found[0] is not graph:
        found = graph, _index(graph)
        _known[id(graph)] = found
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    return found[1]


def _index(graph: Graph) -> Wiring:
    needs: dict[Address, list[Edge]] = defaultdict(list)
    dependents: dict[Address, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        needs[edge.dependent].append(edge)
        dependents[edge.provider].append(edge)
    hosts = {a: spec.body.host for a, spec in graph.instances.items() if isinstance(spec.body, Hosted)}
    members: dict[HostId, list[Address]] = defaultdict(list)
    for address, host in hosts.items():
        members[host].append(address)
    return Wiring(
        needs={a: tuple(edges) for a, edges in needs.items()},
        dependents={a: tuple(edges) for a, edges in dependents.items()},
        hosts=hosts,
        members={host: tuple(addresses) for host, addresses in members.items()},
        assigned={a: _assigned(graph, a, needs.get(a, ()), hosts) for a in hosts},
    )


def _assigned(
    graph: Graph, address: Address, needs: "list[Edge] | tuple[()]", hosts: dict[Address, HostId]
) -> Assigned:
    host = hosts[address]
    local = tuple(edge.provider for edge in needs if hosts.get(edge.provider) == host)
    return Assigned(graph.instances[address].facets, local)
