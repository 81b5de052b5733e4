"""Turns resolved specs into what hosts and commands are given: secrets and exports filled in at the last moment."""

from collections.abc import Mapping
from typing import Any

from ignrun.planner.graph.model import Edge, Hosted, InstanceSpec
from ignrun.protocol import orders
from ignrun.render.names import dotted
from ignrun.runtime.supervise.effects import Revising
from ignrun.terms.leaves import ExportNamed, Literal, Part, Path, Pending, SecretNamed, Tree, filled, joined
from ignrun.terms.names import Address
from ignrun.terms.secret import Secret

Secrets = Mapping[str, Secret]
Exports = Mapping[Address, Mapping[str, Any]]


class MissingSecretError(LookupError):
    """A secret that a leaf needs is not in the runner's memory; `name` says which."""

    def __init__(self, name: str) -> None:
        """Name the secret."""
        super().__init__(f"secret `{name}` is not to be had")
        self.name = name


class MissingExportError(LookupError):
    """A provider does not export what a leaf needs; `provider` and `key` say which."""

    def __init__(self, provider: str, key: str) -> None:
        """Name the export."""
        super().__init__(f"`{provider}` does not export `{key}`")
        self.provider = provider
        self.key = key


def fill_all(tree: Tree, secrets: Secrets, exports: Exports) -> Any:
    """Fill every leaf of a tree; raises MissingSecretError, MissingExportError, or ValueError where a text is not of its type."""
    return filled(tree, lambda pending: joined(pending, lambda part: _value(part, secrets, exports)))


def fill_secrets(tree: Tree, secrets: Secrets) -> tuple[Any, tuple[Pending, ...]]:
    """Fill the leaves that wait for secrets only, and hand on the others with their secrets put in as text."""
    waiting = tuple(_revealed(pending, secrets) for pending in tree.pending if pending.providers)
    paths = {pending.path for pending in waiting}

    def leaf(pending: Pending) -> Any:
        return None if pending.path in paths else joined(pending, lambda part: _value(part, secrets, {}))

    return filled(tree, leaf), waiting


def assignment_of(
    spec: InstanceSpec,
    *,
    edges: tuple[Edge, ...],
    local: frozenset[Address],
    plant: str,
    mode: str,
    secrets: Secrets,
    code: str = "",
    level: str = "info",
    backups: tuple[str, ...] = (),
) -> orders.Assignment:
    """Describe a hosted instance to its host, `code` being the path of its index, `level` that of its logger, `backups` those of its run-time values; raises MissingSecretError, or ValueError where a secret is not of its type."""
    if not isinstance(spec.body, Hosted):
        message = f"`{spec.address}` does not run in a host"
        raise TypeError(message)
    config, waiting = fill_secrets(spec.config, secrets)
    return orders.Assignment(
        address=spec.address,
        module=spec.module,
        scope=spec.scope,
        entry=spec.body.entry,
        path=spec.body.path,
        metadata=spec.metadata,
        config=config,
        pending=waiting,
        secrets=_secret_paths(spec),
        bindings=tuple(_binding(edge, local) for edge in edges),
        folders=orders.Folders(**{name: getattr(spec.folders, name) for name in orders.Folders.__struct_fields__}),
        timeouts=timeouts_of(spec),
        plant=plant,
        mode=mode,
        code=code,
        level=level,
        origins=_origins(spec),
        backups=backups,
        exports=spec.exports.plain or {},
    )


def revision_of(
    revising: Revising,
    *,
    edges: tuple[Edge, ...],
    local: frozenset[Address],
    secrets: Secrets,
    backups: tuple[str, ...] = (),
) -> orders.Revision:
    """Describe to its host what an incarnation becomes; raises MissingSecretError, or ValueError where a secret is not of its type."""
    spec = revising.spec
    config, waiting = fill_secrets(spec.config, secrets)
    return orders.Revision(
        address=spec.address,
        epoch=revising.epoch,
        change=revising.change,
        config=config,
        pending=waiting,
        secrets=_secret_paths(spec),
        bindings=tuple(_binding(edge, local) for edge in edges),
        paths=revising.paths,
        slots=revising.slots,
        origins=_origins(spec),
        backups=backups,
        anew=revising.anew,
    )


def _origins(spec: InstanceSpec) -> tuple[orders.Origin, ...]:
    return tuple(orders.Origin(dotted(one.path), one.layer, str(one.span) if one.span else "") for one in spec.origins)


def _secret_paths(spec: InstanceSpec) -> tuple[Path, ...]:
    tainted = tuple(pending.path for pending in spec.config.pending if pending.tainted)
    return tuple(dict.fromkeys(spec.secrets + tainted))


def _binding(edge: Edge, local: frozenset[Address]) -> orders.Binding:
    return orders.Binding(
        slot=edge.slot if edge.kind != "after" else "",
        provider=edge.provider,
        condition=edge.condition,
        local=edge.provider in local and edge.kind == "requires",
        required=edge.kind == "requires",
        many=edge.many,
    )


def timeouts_of(spec: InstanceSpec) -> orders.Timeouts:
    """Say how long each callback of an instance may take, and how often its health is asked."""
    return orders.Timeouts(
        initialize=spec.lifecycle.initialize_timeout,
        start=spec.lifecycle.start_timeout,
        reconfigure=spec.lifecycle.reconfigure_timeout,
        stop=spec.lifecycle.stop_timeout,
        health=spec.health.timeout,
        health_interval=spec.health.interval,
    )


def _revealed(pending: Pending, secrets: Secrets) -> Pending:
    parts = tuple(
        Literal(_secret(part.name, secrets)) if isinstance(part, SecretNamed) else part for part in pending.parts
    )
    return Pending(pending.path, parts, pending.kind)


def _value(part: Part, secrets: Secrets, exports: Exports) -> Any:
    match part:
        case Literal(text):
            return text
        case SecretNamed(name):
            return _secret(name, secrets)
        case ExportNamed(provider, key):
            offered = exports.get(Address(provider), {})
            if key not in offered:
                raise MissingExportError(provider, key)
            return offered[key]


def _secret(name: str, secrets: Secrets) -> str:
    if name not in secrets:
        raise MissingSecretError(name)
    return secrets[name].reveal()
