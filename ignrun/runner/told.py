"""Turns another policy of those who run into orders for their hosts, so that nobody has to begin anew: log levels, timeouts, pace of checks."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from ignrun.planner.graph.model import Graph, Hosted, InstanceSpec, Rules
from ignrun.protocol import orders
from ignrun.protocol.orders import Assignment, HostOrder, Timeouts
from ignrun.runner.fill import timeouts_of
from ignrun.runner.voices import DEFAULT_LEVEL
from ignrun.runtime.apply.state import State
from ignrun.terms.names import Address, HostId

T = TypeVar("T")

Give = Callable[[HostId, int, Any], None]
"""Sends an order to a host in its epoch."""


def level_of(spec: InstanceSpec, rules: Rules) -> str:
    """Say from which severity on an instance is to log: its own word, that of the plant, or what goes without saying."""
    return (spec.log and spec.log.level) or rules.log.level or DEFAULT_LEVEL


def levels(give: Give) -> "Told[str]":
    """Keep the loggers of those who run as the graph in force wants them."""
    return Told(give, level_of, lambda given: given.level, orders.Levels)


def timings(give: Give) -> "Told[Timeouts]":
    """Keep the timeouts of those who run, and the pace of their checks, as the graph in force wants them."""
    return Told(give, lambda spec, _: timeouts_of(spec), lambda given: given.timeouts, orders.Timings)


class Told(Generic[T]):
    """What hosts were told of one policy of their instances."""

    def __init__(
        self,
        give: Give,
        wanted: Callable[[InstanceSpec, Rules], T],
        given: Callable[[Assignment], T],
        order: Callable[[dict[str, T]], HostOrder],
    ) -> None:
        """Take the way to the hosts, what a graph wants, what an assignment said, and the order that says something else."""
        self._give = give
        self._wanted = wanted
        self._given = given
        self._order = order
        self._graph: Graph | None = None
        self._told: dict[Address, tuple[HostId, int, T]] = {}

    def loaded(self, host: HostId, epoch: int, assignments: Iterable[Assignment]) -> None:
        """Take in what a host was told with its instances."""
        for one in assignments:
            self._told[Address(one.address)] = (host, epoch, self._given(one))

    def follow(self, state: State) -> None:
        """Tell the hosts what has changed since, once another graph is in force."""
        if state.graph is self._graph:
            return
        self._graph = state.graph
        self._told = {address: told for address, told in self._told.items() if address in state.roster.instances}
        fresh: dict[tuple[HostId, int], dict[str, T]] = {}
        for address, spec in state.graph.instances.items():
            told = self._told.get(address)
            if told is None or not isinstance(spec.body, Hosted):
                continue
            wanted = self._wanted(spec, state.graph.rules)
            if told[2] != wanted:
                host, epoch, _ = told
                self._told[address] = (host, epoch, wanted)
                fresh.setdefault((host, epoch), {})[address] = wanted
        for (host, epoch), news in fresh.items():
            self._give(host, epoch, self._order(news))
