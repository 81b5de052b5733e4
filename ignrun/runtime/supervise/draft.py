"""Owns Draft, the working copy of a roster during one turn: what changes in it, who has to be looked at again, what is to be done."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from ignrun.planner.graph.model import Edge, Graph, Hosted, InstanceSpec
from ignrun.protocol.orders import Item
from ignrun.runtime.supervise.conditions import at_rest, is_leaving, signal
from ignrun.runtime.supervise.effects import Effect, Record, Revising
from ignrun.runtime.supervise.now import Now
from ignrun.runtime.supervise.placing import placed
from ignrun.runtime.supervise.roster import Assigned, Goal, HostRecord, Instance, Roster
from ignrun.runtime.supervise.wiring import Wiring, wired
from ignrun.terms.events import Body, Happening
from ignrun.terms.names import Address, HostId


class Batch:
    """Owns what one turn orders of one host, gathered into as few orders as there are kinds."""

    def __init__(self) -> None:
        self.loads: dict[Address, tuple[InstanceSpec, Wiring]] = {}
        self.asks: dict[Address, tuple[Revising, Wiring]] = {}
        self.revisings: dict[Address, tuple[Revising, Wiring]] = {}
        self.checks: dict[float, list[Item]] = {}
        self.starts: list[tuple[Item, bool]] = []
        self.clears: list[Item] = []
        self.stops: list[tuple[Item, bool]] = []
        self.stop_clears: list[Item] = []


class Draft:
    """Owns copies of a roster's dicts for one turn; the frozen values in them are replaced, never written into.

    `graph` is the wanted one as it is really placed, `wiring` its indexes, `former` those of the graph under which leaving instances still run. `suspended` are
    those whose restart policy an open transaction holds; `staged` the hosts that it keeps in use. `down` says that the plant is
    going down, `hurried` that it does so without grace.
    """

    def __init__(
        self,
        roster: Roster,
        now: Now,
        graph: Graph,
        former: Graph,
        *,
        suspended: frozenset[Address] = frozenset(),
        staged: tuple[HostId, ...] = (),
        down: bool = False,
        hurried: bool = False,
    ) -> None:
        self.now = now
        self.slow_look = roster.slow_look
        self.last_change = roster.last_change
        self.alone = roster.alone
        self.set_graphs(graph, former)
        self.suspended = suspended
        self.staged = staged
        self.down = down
        self.hurried = hurried
        self.instances = dict(roster.instances)
        self.hosts = dict(roster.hosts)
        self.retries = dict(roster.retries)
        self.host_retries = dict(roster.host_retries)
        self.watched = dict(roster.watched)
        self.effects: list[Effect] = []
        self.dirty: dict[Address, None] = {}
        self.dirty_hosts: dict[HostId, None] = {}
        self.touched: dict[Address, None] = {}
        self.moved: dict[Address, None] = {}
        self.batches: dict[HostId, Batch] = {}

    def set_graphs(self, wanted: Graph, former: Graph) -> None:
        """Say which graph is wanted, and under which leaving instances still run."""
        self._wanted = wanted
        self.graph = placed(wanted, self.alone)
        self.wiring, self.former = wired(self.graph), wired(former)

    def set_alone(self, alone: dict[Address, str]) -> None:
        """Say who lives in a host of its own, and why, whatever the wanted graph says."""
        self.alone = alone
        self.graph = placed(self._wanted, alone)
        self.wiring = wired(self.graph)

    def roster(self) -> Roster:
        """Give the roster as it is after the turn."""
        return Roster(
            self.instances,
            self.hosts,
            self.retries,
            self.host_retries,
            self.watched,
            self.alone,
            self.slow_look,
            self.last_change,
        )

    def next_change(self) -> int:
        """Give a number to one more change in place."""
        self.last_change += 1
        return self.last_change

    def record(self, subject: str, body: Body) -> None:
        """Let the journal keep that something happened."""
        self.effects.append(Record(Happening(subject, body)))

    def batch(self, host: HostId) -> Batch:
        """Give what this turn orders of `host`."""
        found = self.batches.get(host)
        if found is None:
            found = self.batches[host] = Batch()
        return found

    def put(self, instance: Instance) -> None:
        """Replace an instance, and mark everybody whom the change may concern."""
        address = instance.spec.address
        old = self.instances.get(address)
        self.instances[address] = instance
        self.dirty[address] = None
        self.touched[address] = None
        if old is None or signal(old) != signal(instance):
            self._mark_dependents(address)
        if old is not None and old.in_place is not instance.in_place:
            self._mark_dependents(address)
            self._mark_providers(address)
        if old is None or is_leaving(old) != is_leaving(instance) or (at_rest(instance) and not at_rest(old)):
            self._mark_providers(address)
            self._mark_host(instance)
        if (
            old is None
            or old.state is not instance.state
            or old.exports is not instance.exports
            or _moved_house(old, instance)
        ):
            self.moved[address] = None

    def forget(self, address: Address) -> None:
        """Take an instance off the roster."""
        gone = self.instances.pop(address)
        self.retries.pop(address, None)
        self.touched[address] = None
        self._mark_dependents(address)
        self._mark_providers(address)
        if isinstance(gone.spec.body, Hosted):
            self.dirty_hosts[gone.spec.body.host] = None

    def put_host(self, record: HostRecord) -> None:
        """Replace the record of a host and have it looked at."""
        self.hosts[record.host] = record
        self.dirty_hosts[record.host] = None

    def mark_members(self, host: HostId) -> None:
        """Have every instance of a host looked at."""
        self.dirty.update(dict.fromkeys(self.members(host)))

    def needs(self, instance: Instance) -> tuple[Edge, ...]:
        """Give the edges under which an instance runs, or is to run."""
        wiring = self.former if self._is_former(instance) else self.wiring
        return wiring.needs.get(instance.spec.address, ())

    def exports_for(self, address: Address) -> dict[Address, dict[str, Any]]:
        """Give what the providers of an instance export, by provider, as the wanted graph binds them."""
        providers = (self.instances.get(edge.provider) for edge in self.wiring.needs.get(address, ()))
        return {provider.spec.address: provider.exports for provider in providers if provider is not None}

    def dependents(self, address: Address) -> Iterator[tuple[Edge, Instance]]:
        """Give the edges to the instances that run, or are to run, with this one as a provider, and these."""
        for edge in self.wiring.dependents.get(address, ()):
            found = self.instances.get(edge.dependent)
            if found is not None and (not self._is_former(found) or _may_be_either(found)):
                yield edge, found
        for edge in self.former.dependents.get(address, ()):
            found = self.instances.get(edge.dependent)
            if found is not None and self._is_former(found):
                yield edge, found

    def strangers(self, address: Address) -> Iterator[Instance]:
        """Give the dependents that live in another host than this provider, as far as the graphs know."""
        for wiring in self._wirings():
            for edge in wiring.strangers.get(address, ()):
                found = self.instances.get(edge.dependent)
                if found is not None:
                    yield found

    def assignment(self, address: Address, wiring: Wiring) -> Assigned:
        """Say what a host has to be told of an instance now, and for whom in it the instance waits."""
        usual = wiring.assigned[address]
        local = tuple(provider for provider in usual.local if self.is_local(provider, wiring.hosts[address]))
        return usual if len(local) == len(usual.local) else replace(usual, local=local)

    def is_local(self, provider: Address, host: HostId) -> bool:
        """Tell whether a host can wait by itself for a provider that is to live in it.

        It cannot for one that completed, for the host in which it did so may be gone; nor for one that still lives elsewhere.
        """
        instance = self.instances.get(provider)
        return instance is None or (not instance.completed and host_of(instance) == host)

    def members(self, host: HostId) -> Iterator[Address]:
        """Give the instances that live in a host, or are to live there next."""
        yield from (a for a in self.wiring.members.get(host, ()) if self._lives(a, host))
        if self.former is not self.wiring:
            known = self.wiring.hosts
            yield from (a for a in self.former.members.get(host, ()) if known.get(a) != host and self._lives(a, host))

    def _lives(self, address: Address, host: HostId) -> bool:
        instance = self.instances.get(address)
        if instance is None:
            return False
        bodies = (instance.spec.body, instance.next_spec.body if instance.next_spec else None)
        return any(isinstance(body, Hosted) and body.host == host for body in bodies)

    def _is_former(self, instance: Instance) -> bool:
        return instance.next_spec is not None or instance.in_place is not None or instance.goal is Goal.GONE

    def _mark_host(self, instance: Instance) -> None:
        """A host whose last instance has stopped for long is of no use any more."""
        host = host_of(instance) if self.down or instance.goal is not Goal.UP else None
        if host is not None:
            self.dirty_hosts[host] = None

    def _wirings(self) -> tuple[Wiring, ...]:
        one = self.former is self.wiring or (not self.former.hosts and not self.former.needs)
        return (self.wiring,) if one else (self.wiring, self.former)

    def _mark_dependents(self, address: Address) -> None:
        for wiring in self._wirings():
            for edge in wiring.dependents.get(address, ()):
                self.dirty[edge.dependent] = None

    def _mark_providers(self, address: Address) -> None:
        for wiring in self._wirings():
            for edge in wiring.needs.get(address, ()):
                self.dirty[edge.provider] = None


def _may_be_either(instance: Instance) -> bool:
    """Tell whether an instance has been told to change in place, and nobody knows yet whether it has."""
    return instance.in_place is not None and instance.in_place.change != 0


def _moved_house(old: Instance, new: Instance) -> bool:
    return old.spec is not new.spec and host_of(old) != host_of(new)


def host_of(instance: Instance) -> HostId | None:
    """Name the host in which an instance lives; None for a command."""
    body = instance.spec.body
    return body.host if isinstance(body, Hosted) else None
