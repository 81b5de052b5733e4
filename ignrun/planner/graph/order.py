"""Turns edges into an order of instances that respects them all, or into the circles that make one impossible."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from ignrun.planner.graph.model import Edge
from ignrun.terms.names import Address

Links = dict[Address, dict[Address, Edge]]
"""From each dependent to its providers, with the first edge that says so."""


def linked(addresses: Iterable[Address], edges: Iterable[Edge]) -> Links:
    """Gather, for each address, the providers that it is ordered after; edges to strangers are left out."""
    links: Links = {address: {} for address in addresses}
    for edge in edges:
        if edge.dependent in links and edge.provider in links:
            links[edge.dependent].setdefault(edge.provider, edge)
    return links


def ordered(addresses: Sequence[Address], edges: Iterable[Edge]) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """Order `addresses` so that providers come first and, among the free, the one given earlier.

    The second answer holds what has no place in any order: everything on a circle, or behind one.
    """
    links = linked(addresses, edges)
    dependents: dict[Address, list[Address]] = {address: [] for address in addresses}
    waits = {address: len(providers) for address, providers in links.items()}
    for address, providers in links.items():
        for provider in providers:
            dependents[provider].append(address)
    rank = {address: number for number, address in enumerate(addresses)}
    free = [rank[address] for address, count in waits.items() if not count]
    heapq.heapify(free)
    done: list[Address] = []
    while free:
        address = addresses[heapq.heappop(free)]
        done.append(address)
        for dependent in dependents[address]:
            waits[dependent] -= 1
            if not waits[dependent]:
                heapq.heappush(free, rank[dependent])
    return tuple(done), tuple(address for address in addresses if waits[address])


def circles(addresses: Sequence[Address], edges: Iterable[Edge]) -> list[tuple[Edge, ...]]:
    """Give the shortest circle of each strongly connected component, each as the edges that close it."""
    links = linked(addresses, edges)
    rank = {address: number for number, address in enumerate(links)}
    return [_shortest(sorted(component, key=rank.__getitem__), links) for component in _components(links)]


def _shortest(component: Sequence[Address], links: Links) -> tuple[Edge, ...]:
    members = set(component)
    best: tuple[Edge, ...] = ()
    for start in component:
        circle = _back_to(start, members, links, len(best))
        if circle and (not best or len(circle) < len(best)):
            best = circle
        if len(best) == 1:
            break
    return best


def _back_to(start: Address, members: set[Address], links: Links, bound: int) -> tuple[Edge, ...]:
    """Walk breadth-first from `start` until it is met again, in fewer than `bound` steps (0: in any number)."""
    came: dict[Address, Edge] = {}
    depth = {start: 0}
    queue = deque([start])
    while queue:
        at = queue.popleft()
        if bound and depth[at] + 1 >= bound:
            return ()
        for provider, edge in links[at].items():
            if provider == start:
                return (*_way(start, at, came), edge)
            if provider in members and provider not in depth:
                depth[provider] = depth[at] + 1
                came[provider] = edge
                queue.append(provider)
    return ()


def _way(start: Address, end: Address, came: dict[Address, Edge]) -> Iterator[Edge]:
    way = []
    while end != start:
        way.append(came[end])
        end = came[end].dependent
    yield from reversed(way)


def _components(links: Links) -> list[list[Address]]:
    """Give the strongly connected components that hold a circle, by Tarjan's algorithm without recursion."""
    walk = _Walk(links)
    for root in links:
        if root not in walk.number:
            walk.from_root(root)
    return walk.found


class _Walk:
    """One depth-first walk: `number` is the order of discovery, `low` the earliest that can be reached back."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.number: dict[Address, int] = {}
        self.low: dict[Address, int] = {}
        self.stack: list[Address] = []
        self.on_stack: set[Address] = set()
        self.found: list[list[Address]] = []

    def from_root(self, root: Address) -> None:
        work = [self._enter(root)]
        while work:
            address, providers = work[-1]
            new = self._next_new(address, providers)
            if new is not None:
                work.append(self._enter(new))
                continue
            work.pop()
            self._leave(address)
            if work:
                above = work[-1][0]
                self.low[above] = min(self.low[above], self.low[address])

    def _enter(self, address: Address) -> tuple[Address, Iterator[Address]]:
        self.number[address] = self.low[address] = len(self.number)
        self.stack.append(address)
        self.on_stack.add(address)
        return address, iter(self.links[address])

    def _next_new(self, address: Address, providers: Iterator[Address]) -> Address | None:
        for provider in providers:
            if provider not in self.number:
                return provider
            if provider in self.on_stack:
                self.low[address] = min(self.low[address], self.number[provider])
        return None

    def _leave(self, address: Address) -> None:
        if self.low[address] != self.number[address]:
            return
        component = [self.stack.pop()]
        while component[-1] != address:
            component.append(self.stack.pop())
        self.on_stack.difference_update(component)
        if len(component) > 1 or address in self.links[address]:
            self.found.append(component)
