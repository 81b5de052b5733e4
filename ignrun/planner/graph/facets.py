"""Turns a resolved instance into the digests of its facets; the place in which something is written never counts."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ignrun.planner.graph.model import Edge, Facets, Graph, Hosted, InstanceSpec, Rules
from ignrun.terms.spans import Span

NAMES: Final = ("presence", "identity", "wiring", "config", "policy", "meta")
"""The facets, strongest first."""

FACET_OF: Final[dict[str, str | None]] = {
    "address": "presence",
    "module": "presence",
    "scope": "presence",
    "metadata": "meta",
    "labels": "meta",
    "lifecycle": "policy",
    "health": "policy",
    "gate": "policy",
    "exports": "policy",
    "config": "config",
    "secrets": "config",
    "uses": "identity",
    "claims": "identity",
    "limits": "identity",
    "folders": "identity",
    "log": "policy",
    "irreversible": "policy",
    "updates": None,  # they say how a value changes, not what it is
    "measures": None,  # they say how a value is written
    "body": None,  # its own fields stand in the table of the body
    "facets": None,
    "origins": None,
    "span": None,
}
"""The facet of each field of InstanceSpec; None for what only feeds them or says where something was written."""

FACET_OF_HOSTED: Final[dict[str, str | None]] = {
    "entry": "identity",
    "path": "identity",
    "code": "identity",
    "own": "identity",
    "python": "identity",
    "packages": "identity",
    "host": None,  # where it runs now, chosen by the plan
    "callbacks": None,  # follows from the code
}

FACET_OF_COMMAND: Final[dict[str, str | None]] = {
    "argv": "identity",
    "env": "identity",
    "inherit_env": "identity",
    "cwd": "identity",
    "ready": "policy",
    "check": "policy",
    "stop": "policy",
    "oneshot": "policy",
    "files": "config",
    "reload": "policy",
    "user": "identity",
    "umask": "identity",
    "python": "identity",
}

FACET_OF_RULES: Final[dict[str, str]] = {
    "apply": "policy",
    "watch": "policy",
    "alerts": "policy",
    "log": "policy",
    "moved": "meta",
}
"""The facet of each field of Rules, which belong to no instance."""

FACET_OF_KEY: Final[dict[str, str | None]] = {
    "uses": "identity",
    "version": "identity",
    "entry": "identity",
    "command": "identity",
    "metadata": "meta",
    "scopes": "presence",
    "requires": "wiring",
    "wants": "wiring",
    "after": "wiring",
    "config": "config",
    "config_schema": "meta",
    "isolation": "identity",
    "limits": "identity",
    "lifecycle": "policy",
    "health": "policy",
    "gate": "policy",
    "enabled": "presence",
    "labels": "meta",
    "irreversible": "policy",
    "claims": "identity",
    "exports": "policy",
    "env": "identity",
    "inherit_env": "identity",
    "cwd": "identity",
    "user": "identity",
    "umask": "identity",
    "files": "config",
    "ready": "policy",
    "reload": "policy",
    "stop": "policy",
    "oneshot": "policy",
    "log": "policy",
    "for_each": None,
    "extends": None,
}
"""The facet of each key that a module may have in a manifest; None for what only feeds the others."""

FACET_OF_PLANT_KEY: Final[dict[str, str | None]] = {
    "metadata": "meta",
    "moved": "meta",
    "apply": "policy",
    "watch": "policy",
    "alerts": "policy",
    "log": "policy",
    "python": "identity",
    "activate": "presence",
    "modules": None,  # each of its own
    "apiVersion": None,
    "kind": None,
    "include": None,
    "vars": None,
    "env_files": None,
    "secrets": None,
    "sources": None,
    "catalog": None,
    "platform": None,
    "defaults": None,
}
"""The facet of each key of a manifest; None for what only feeds the others."""

EDGE_FIELDS: Final = ("kind", "slot", "provider", "condition", "many", "on_change", "on_crash")
"""What the wiring facet reads of each edge; the order between instances of one module is none of its own."""


def fields_of(spec: InstanceSpec, facet: str) -> list[tuple[str, Any]]:
    """List the names and values of the fields that belong to one facet of an instance."""
    body = spec.body
    inner = _NAMES_OF_HOSTED if isinstance(body, Hosted) else _NAMES_OF_COMMAND
    own = [(name, getattr(spec, name)) for name in _NAMES.get(facet, ())]
    return own + [(name, getattr(body, name)) for name in inner.get(facet, ())]


def _by_facet(table: dict[str, str | None]) -> dict[str | None, tuple[str, ...]]:
    """Turn a table around: it is asked six times for every instance."""
    return {facet: tuple(name for name, its in table.items() if its == facet) for facet in set(table.values())}


_NAMES: Final = _by_facet(FACET_OF)
_NAMES_OF_HOSTED: Final = _by_facet(FACET_OF_HOSTED)
_NAMES_OF_COMMAND: Final = _by_facet(FACET_OF_COMMAND)


def with_facets(spec: InstanceSpec, edges: Iterable[Edge]) -> InstanceSpec:
    """Give an instance the digests of its facets; `edges` are those whose dependent it is."""
    version = spec.metadata.version if spec.uses else ""
    facets = Facets(
        meta=digest(fields_of(spec, "meta")),
        policy=digest(fields_of(spec, "policy")),
        config=digest(fields_of(spec, "config")),
        identity=digest([*fields_of(spec, "identity"), ("version", version)]),
        wiring=digest(wiring_of(edges)),
        presence=digest(fields_of(spec, "presence")),
    )
    return msgspec.structs.replace(spec, facets=facets)


def wiring_of(edges: Iterable[Edge]) -> list[tuple[Any, ...]]:
    """Give what an instance is bound to, in an order in which only the order within a slot counts."""
    asked = [edge for edge in edges if not is_own_gateway(edge)]
    listed = [tuple(getattr(edge, name) for name in EDGE_FIELDS) for edge in asked]
    return sorted(listed, key=lambda one: (one[0], one[1], "" if one[1] else one[2]))


def is_own_gateway(edge: Edge) -> bool:
    """Tell whether an edge is the order between two instances of one module, which nobody wrote."""
    same_module = edge.dependent.partition("@")[0] == edge.provider.partition("@")[0]
    return edge.kind == "after" and same_module


def digest(value: Any) -> str:
    """Give the digest (hex) of any value of structs, dicts, lists and scalars; the order of keys does not count."""
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=16).hexdigest()


def digest_of_graph(graph: Graph) -> str:
    """Give the digest (hex) of everything that a graph asks for: the same for two texts that mean the same."""
    facets = {address: spec.facets for address, spec in graph.instances.items()}
    return digest([graph.plant, graph.mode, facets, graph.fingerprints, _without_places(graph.rules)])


def digest_of_content(graph: Graph) -> str:
    """Give the digest (hex) of what a graph asks for, the texts of secrets aside: they are not always at hand."""
    return digest_of_graph(msgspec.structs.replace(graph, fingerprints={}))


def _without_places(rules: Rules) -> Rules:
    """Leave out where alerts and moves are written."""
    nowhere = Span.of_file("")
    alerts = tuple(msgspec.structs.replace(one, span=nowhere) for one in rules.alerts)
    moved = tuple(msgspec.structs.replace(one, span=nowhere) for one in rules.moved)
    return msgspec.structs.replace(rules, alerts=alerts, moved=moved)
