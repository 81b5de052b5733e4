"""Turns a Graph into Wiring, the indexes over its edges and hosts that decisions walk along, kept for each graph."""

import operator
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from ignrun.planner.graph.model import Edge, Graph, Hosted
from ignrun.runtime.supervise.roster import Assigned
from ignrun.terms.names import Address, HostId


class Wiring(msgspec.Struct, frozen=True):
    """Edges by either end, hosted instances by host, and what a host is told when it loads an instance.

    `strangers` holds, by provider, the edges to hosted dependents outside the provider's own host.
    """

    needs: dict[Address, tuple[Edge, ...]]
    dependents: dict[Address, tuple[Edge, ...]]
    strangers: dict[Address, tuple[Edge, ...]]
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
    hosts = {a: spec.body.host for a, spec in graph.instances.items() if isinstance(spec.body, Hosted)}
    members: dict[HostId, list[Address]] = defaultdict(list)
    for address, host in hosts.items():
        members[host].append(address)
    needs = _by(graph.edges, operator.attrgetter("dependent"))
    foreign = [e for e in graph.edges if e.dependent in hosts and hosts[e.dependent] != hosts.get(e.provider)]
    return Wiring(
        needs=needs,
        dependents=_by(graph.edges, operator.attrgetter("provider")),
        strangers=_by(foreign, operator.attrgetter("provider")),
        hosts=hosts,
        members={host: tuple(addresses) for host, addresses in members.items()},
        assigned={a: _assigned(graph, a, needs.get(a, ()), hosts) for a in hosts},
    )


def _by(edges: Iterable[Edge], end: Callable[[Edge], Address]) -> dict[Address, tuple[Edge, ...]]:
    found: dict[Address, list[Edge]] = defaultdict(list)
    for edge in edges:
        found[end(edge)].append(edge)
    return {address: tuple(edges) for address, edges in found.items()}


def _assigned(graph: Graph, address: Address, needs: tuple[Edge, ...], hosts: dict[Address, HostId]) -> Assigned:
    host = hosts[address]
    local = tuple(edge.provider for edge in needs if hosts.get(edge.provider) == host)
    spec = graph.instances[address]
    return Assigned(spec.facets, local, spec.lifecycle.initialize_timeout)
