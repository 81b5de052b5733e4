"""Turns what a turn gathered for each host into as few orders as there are kinds, in an order that a host can follow."""

from collections.abc import Iterator

from msgspec.structs import replace

from ignrun.planner.graph.model import InstanceSpec
from ignrun.protocol.orders import Check, Clear, ClearStop, HostOrder, Item, Route, Routes, Start, Stop
from ignrun.runtime.supervise import silence
from ignrun.runtime.supervise.draft import Batch, Draft, host_of
from ignrun.runtime.supervise.effects import GiveOrder, LoadHost, PrepareHost, ReviseHost, Revising
from ignrun.runtime.supervise.order import is_held_up
from ignrun.runtime.supervise.roster import HostPhase, HostRecord, Instance
from ignrun.runtime.supervise.wiring import Wiring
from ignrun.terms.names import Address, HostId

_HEARING = (HostPhase.LOADING, HostPhase.SERVING)


def dispatch(draft: Draft) -> None:
    """Emit the orders of the turn: first what a host has to know, then what it has to do."""
    _hold_back(draft)
    routes = _routes(draft)
    for host in (*draft.batches, *(host for host in routes if host not in draft.batches)):
        record = draft.hosts.get(host)
        if record is None or record.phase not in _HEARING:
            continue
        batch = draft.batch(host)
        orders = tuple(_orders(batch))
        if batch.loads or batch.asks or batch.revisings or orders:
            record = silence.watch(draft, record)
        _load(draft, record, batch)
        for order in _telling(routes.get(host)):
            draft.effects.append(GiveOrder(host, record.epoch, order))
        _revise(draft, record, batch)
        _note_local(draft, record, batch)
        for order in orders:
            draft.effects.append(GiveOrder(host, record.epoch, order))
    draft.batches = {}


def _hold_back(draft: Draft) -> None:
    """Let nobody stop yet who was allowed to before others, who need him, were told to leave in the same turn."""
    for batch in () if draft.hurried else draft.batches.values():
        freed = (
            *(item.address for item, cleared in batch.stops if cleared),
            *(item.address for item in batch.stop_clears),
        )
        held = {address for address in freed if is_held_up(draft, draft.instances[Address(address)])}
        for address in map(Address, held):
            draft.instances[address] = replace(draft.instances[address], stop_cleared=False)
        batch.stops = [(item, cleared and item.address not in held) for item, cleared in batch.stops]
        batch.stop_clears = [item for item in batch.stop_clears if item.address not in held]


def _load(draft: Draft, record: HostRecord, batch: Batch) -> None:
    by_wiring: dict[int, tuple[Wiring, list[InstanceSpec]]] = {}
    for spec, wiring in batch.loads.values():
        by_wiring.setdefault(id(wiring), (wiring, []))[1].append(spec)
    for wiring, specs in by_wiring.values():
        addresses = [spec.address for spec in specs]
        edges = tuple(edge for address in addresses for edge in wiring.needs.get(address, ()))
        local = _local(draft, record.host, wiring)
        draft.effects.append(LoadHost(record.host, record.epoch, tuple(specs), edges, local))
        record = replace(
            record,
            assigned={**record.assigned, **{address: draft.assignment(address, wiring) for address in addresses}},
            loaded=record.loaded.difference(addresses),
            refused={a: fault for a, fault in record.refused.items() if a not in batch.loads},
        )
        draft.hosts[record.host] = record


def _revise(draft: Draft, record: HostRecord, batch: Batch) -> None:
    for kind, changes in ((PrepareHost, batch.asks), (ReviseHost, batch.revisings)):
        by_wiring: dict[int, tuple[Wiring, list[Revising]]] = {}
        for revising, wiring in changes.values():
            by_wiring.setdefault(id(wiring), (wiring, []))[1].append(revising)
        for wiring, revisings in by_wiring.values():
            edges = tuple(edge for one in revisings for edge in wiring.needs.get(one.spec.address, ()))
            draft.effects.append(
                kind(record.host, record.epoch, tuple(revisings), edges, _local(draft, record.host, wiring))
            )


def _note_local(draft: Draft, record: HostRecord, batch: Batch) -> None:
    """Remember for whom those who are changed in place wait in their own host from now on."""
    told = {
        address: replace(record.assigned[address], local=draft.assignment(address, wiring).local)
        for address, (_, wiring) in batch.revisings.items()
        if address in record.assigned
    }
    if told:
        draft.hosts[record.host] = replace(
            draft.hosts[record.host], assigned={**draft.hosts[record.host].assigned, **told}
        )


def _local(draft: Draft, host: HostId, wiring: Wiring) -> frozenset[Address]:
    return frozenset(address for address in wiring.members.get(host, ()) if draft.is_local(address, host))


def _routes(draft: Draft) -> dict[HostId, dict[Address, Route]]:
    """Gather where the providers are that moved in this turn, or that somebody just loaded will look for."""
    told: dict[HostId, dict[Address, Route]] = {}
    for provider in draft.moved:
        for dependent in draft.strangers(provider):
            _tell(draft, told, dependent, provider)
    for host, batch in draft.batches.items():
        for address, wiring in _readers(batch):
            for edge in wiring.needs.get(address, ()):
                outside = wiring.hosts.get(edge.provider) != host or not draft.is_local(edge.provider, host)
                if outside and edge.provider in draft.instances:
                    told.setdefault(host, {})[edge.provider] = _route(draft, edge.provider)
    return told


def _readers(batch: Batch) -> Iterator[tuple[Address, Wiring]]:
    """Yield who is told of providers that he may not have known before, and by which graph."""
    yield from ((spec.address, wiring) for spec, wiring in batch.loads.values())
    yield from ((one.spec.address, wiring) for one, wiring in batch.revisings.values())


def _tell(draft: Draft, told: dict[HostId, dict[Address, Route]], dependent: Instance, provider: Address) -> None:
    host = host_of(dependent)
    known = draft.instances.get(provider)
    if host is None or (known is not None and host_of(known) == host):
        return
    record = draft.hosts.get(host)
    if known is not None and record is not None and dependent.spec.address in record.assigned:
        told.setdefault(host, {})[provider] = _route(draft, provider)


def _route(draft: Draft, provider: Address) -> Route:
    instance = draft.instances[provider]
    host = host_of(instance)
    record = draft.hosts.get(host) if host is not None else None
    serving = record is not None and record.phase in _HEARING
    return Route(provider, record.socket if record and serving else None, instance.state, instance.exports)


def _telling(routes: dict[Address, Route] | None) -> Iterator[HostOrder]:
    if routes:
        yield Routes(tuple(routes.values()))


def _orders(batch: Batch) -> Iterator[HostOrder]:
    if batch.starts:
        yield Start(*_items(batch.starts))
    for interval, items in batch.checks.items():
        yield Check(tuple(items), interval)
    if batch.clears:
        yield Clear(tuple(batch.clears))
    if batch.stops:
        yield Stop(*_items(batch.stops))
    if batch.stop_clears:
        yield ClearStop(tuple(batch.stop_clears))


def _items(given: list[tuple[Item, bool]]) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    return tuple(item for item, _ in given), tuple(item.address for item, cleared in given if cleared)
