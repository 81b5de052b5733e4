"""Turns a change of `log: {level: ..}` into an order for the hosts of those that run, so that nobody has to begin anew."""

from collections.abc import Callable, Iterable

from ignrun.planner.graph.model import Graph, Hosted, InstanceSpec, Rules
from ignrun.protocol import orders
from ignrun.protocol.orders import Assignment
from ignrun.runner.voices import DEFAULT_LEVEL
from ignrun.runtime.apply.state import State
from ignrun.terms.names import Address, HostId

Give = Callable[[HostId, int, orders.Levels], None]
"""Sends an order to a host in its epoch."""


def level_of(spec: InstanceSpec, rules: Rules) -> str:
    """Say from which severity on an instance is to log: its own word, that of the plant, or what goes without saying."""
    return (spec.log and spec.log.level) or rules.log.level or DEFAULT_LEVEL


class Levels:
    """What hosts were told of the loggers of their instances."""

    def __init__(self, give: Give) -> None:
        """Take the way to the hosts."""
        self._give = give
        self._graph: Graph | None = None
        self._told: dict[Address, tuple[HostId, int, str]] = {}

    def loaded(self, host: HostId, epoch: int, assignments: Iterable[Assignment]) -> None:
        """Take in what a host was told with its instances."""
        for one in assignments:
            self._told[Address(one.address)] = (host, epoch, one.level)

    def follow(self, state: State) -> None:
        """Tell the hosts what has changed since, once another graph is in force."""
        if state.graph is self._graph:
            return
        self._graph = state.graph
        self._told = {address: told for address, told in self._told.items() if address in state.roster.instances}
        fresh: dict[tuple[HostId, int], dict[str, str]] = {}
        for address, spec in state.graph.instances.items():
            told = self._told.get(address)
            level = level_of(spec, state.graph.rules)
            if told is not None and isinstance(spec.body, Hosted) and told[2] != level:
                host, epoch, _ = told
                self._told[address] = (host, epoch, level)
                fresh.setdefault((host, epoch), {})[address] = level
        for (host, epoch), levels in fresh.items():
            self._give(host, epoch, orders.Levels(levels))
