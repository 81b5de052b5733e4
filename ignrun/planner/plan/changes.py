"""Turns two versions of an instance into the values that differ, each with its path and place."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from ignrun.planner.config.updates import measure_at
from ignrun.planner.graph.facets import NAMES, fields_of, wiring_of
from ignrun.planner.graph.model import Command, Edge, Graph, InstanceSpec
from ignrun.planner.plan.model import Change
from ignrun.terms.leaves import Path, Pending, SecretNamed, Tree, filled
from ignrun.terms.names import Address
from ignrun.terms.spans import Span

SECRET: Final = "(secret)"  # noqa: S105 - what stands for one
LATER: Final = "(known at apply)"
_SHOWN: Final = {"argv": "command", "own": "isolation"}
_ABSENT: Final = object()
_PRINT: Final = 12  # digits of a fingerprint that are shown
_SECONDS: Final = frozenset({
    "initialize_timeout", "start_timeout", "alive_for", "reconfigure_timeout", "stop_timeout", "backoff", "backoff_max", "half_life",
    "park", "park_max", "reset_after", "not_ready", "not_ready_max", "interval", "timeout",
})  # fmt: skip
"""Fields of lifecycle and health that are durations."""


def facets_changed(before: Graph, after: Graph, address: Address) -> tuple[str, ...]:
    """Name the facets of an instance that differ between two graphs, strongest first.

    A secret counts only where the texts of both sides were at hand.
    """
    old, new = before.instances[address], after.instances[address]
    changed = {name for name in NAMES if getattr(old.facets, name) != getattr(new.facets, name)}
    if secrets_moved(before, after, (*_pending_of_config(new), *_pending_of_files(new))):
        changed.add("config")
    if secrets_moved(before, after, _pending_of_command(new)):
        changed.add("identity")
    return tuple(name for name in NAMES if name in changed)


def _pending_of_config(spec: InstanceSpec) -> tuple[Pending, ...]:
    return spec.config.pending


def _pending_of_files(spec: InstanceSpec) -> tuple[Pending, ...]:
    return spec.body.files.pending if isinstance(spec.body, Command) and spec.body.files else ()


def _pending_of_command(spec: InstanceSpec) -> tuple[Pending, ...]:
    return spec.body.env.pending if isinstance(spec.body, Command) else ()


def secrets_moved(before: Graph, after: Graph, pending: Iterable[Pending]) -> bool:
    """Tell whether a secret that one of these leaves needs has another text than before."""
    names = {part.name for one in pending for part in one.parts if isinstance(part, SecretNamed)}
    old, new = before.fingerprints, after.fingerprints
    return any(name in old and name in new and old[name] != new[name] for name in names)


def changes_of(
    before: Graph, after: Graph, address: Address, facets: Iterable[str], edges: tuple[list[Edge], list[Edge]]
) -> tuple[Change, ...]:
    """List what differs in the given facets; `edges` are those of the instance before and after."""
    old, new = before.instances[address], after.instances[address]
    found: list[Change] = []
    for facet in facets:
        if facet == "wiring":
            found += _wiring(edges, new.span)
            continue
        was = dict(fields_of(old, facet))
        for name, now in fields_of(new, facet):
            if name in was:
                found += _differences((_SHOWN.get(name, name),), was[name], now, new)
        if facet == "identity" and type(old.body) is not type(new.body):
            found.append(Change(("body",), _sort(old), _sort(new), new.span))
    found += _changed_secrets(before, after, new)
    return tuple(found)


def _sort(spec: InstanceSpec) -> str:
    return "command" if isinstance(spec.body, Command) else "entry"


def _changed_secrets(before: Graph, after: Graph, new: InstanceSpec) -> Iterator[Change]:
    blocks = (("config", _pending_of_config), ("files", _pending_of_files), ("env", _pending_of_command))
    for block, pending in ((block, pending_of(new)) for block, pending_of in blocks):
        for one in pending:
            if secrets_moved(before, after, (one,)):
                path = (block, *one.path)
                yield Change(path, _masked(before, one), _masked(after, one), _place(path, new))


def _masked(graph: Graph, pending: Pending) -> str:
    """Stand for a value with secrets by the beginning of their fingerprints, which tell texts apart and nothing of them."""
    names = (part.name for part in pending.parts if isinstance(part, SecretNamed))
    prints = " ".join(graph.fingerprints.get(name, "")[:_PRINT] for name in names).strip()
    return f"(secret {prints})" if prints else SECRET


def _differences(path: Path, was: Any, now: Any, new: InstanceSpec) -> Iterator[Change]:
    was, now = _plain(was), _plain(now)
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*now, *was)):
            yield from _differences((*path, key), was.get(key, _ABSENT), now.get(key, _ABSENT), new)
    elif (was != now or type(was) is not type(now)) and path[0] != "secrets":
        yield Change(path, _shown(was), _shown(now), _place(path, new), _unit(path, new))


def _unit(path: Path, spec: InstanceSpec) -> str:
    if path[0] == "config":
        return measure_at(spec.measures, path[1:])
    return "duration" if path[0] in {"lifecycle", "health"} and path[-1] in _SECONDS else ""


def _plain(value: Any) -> Any:
    """Bring a value into dicts, lists and scalars, with words for what is not to be shown or not yet known."""
    if isinstance(value, Tree):
        return filled(value, lambda one: SECRET if one.tainted else LATER)
    return msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else msgspec.to_builtins(value)


def _place(path: Path, spec: InstanceSpec) -> Span | None:
    """Give the place of a config value, or that of the nearest thing written around it."""
    if path[0] == "config":
        for origin in spec.origins:
            if origin.path[: len(path) - 1] == path[1:] and origin.span is not None:
                return origin.span
    return spec.span


def _wiring(edges: tuple[list[Edge], list[Edge]], fallback: Span) -> Iterator[Change]:
    was, now = (_by_slot(side) for side in edges)
    for key in dict.fromkeys((*now, *was)):
        before, after = was.get(key, []), now.get(key, [])
        if wiring_of(before) != wiring_of(after):
            span = after[0].span if after else fallback
            path = tuple(filter(None, key))
            yield Change(path, [one.provider for one in before], [one.provider for one in after], span)


def _by_slot(edges: Iterable[Edge]) -> dict[tuple[str, str], list[Edge]]:
    slots: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        slots.setdefault((edge.kind, edge.slot), []).append(edge)
    return slots
