"""Turns configured modules into a Graph: instances bound to each other, in an order that respects every edge."""

from collections.abc import Iterable

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Manifest, ModuleSpec
from ignrun.manifest.places import at_span
from ignrun.planner.catalog.model import Chosen, Code
from ignrun.planner.config.model import Configured, Settled
from ignrun.planner.graph.bind import bind
from ignrun.planner.graph.facets import with_facets
from ignrun.planner.graph.model import Command, Edge, Facets, Graph, Hosted, InstanceSpec, Rules
from ignrun.planner.graph.order import circles, ordered
from ignrun.terms.diagnostics import Diagnostic, Note
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import Address, HostId, split_address
from ignrun.terms.verdict import Verdict, judge

_NO_FACETS = Facets("", "", "", "", "", "")


def relate(configured: Configured, inputs: Inputs) -> Verdict[Graph]:
    """Bind every slot, refuse circles, order the instances and digest what each of them asks for.

    Shared modules stand in the host of their scope; `placed` moves them where a plant runs already.
    """
    bindings = bind(configured)
    addresses = tuple(configured.instances)
    order, stuck = ordered(addresses, bindings.edges)
    found = [_circle(configured.manifest, edges) for edges in circles(stuck, bindings.edges)]
    by_dependent: dict[Address, list[Edge]] = {address: [] for address in addresses}
    for edge in bindings.edges:
        by_dependent[edge.dependent].append(edge)
    instances = {
        address: with_facets(_instance(configured, configured.instances[address]), by_dependent[address])
        for address in (*order, *stuck)
    }
    edges = tuple(edge for address in instances for edge in by_dependent[address])
    mode = ",".join(inputs.modes)
    manifest = configured.manifest
    rules = Rules(manifest.apply, manifest.watch, manifest.alerts, manifest.log, manifest.moved)
    graph = Graph(manifest.name, instances, edges, configured.needed, mode, configured.fingerprints, rules)
    return judge(graph, (*bindings.diagnostics, *found))


def _instance(configured: Configured, one: Settled) -> InstanceSpec:
    spec = configured.manifest.modules[one.module]
    chosen = configured.selection.chosen.get(one.module, Chosen())
    return InstanceSpec(
        address=one.address,
        module=one.module,
        scope=one.scope,
        metadata=_metadata(spec, chosen),
        body=_body(configured, spec, chosen, one),
        config=one.config,
        secrets=one.secrets,
        origins=one.origins,
        exports=one.exports,
        lifecycle=spec.lifecycle,
        health=spec.health,
        gate=spec.gate,
        folders=one.folders,
        facets=_NO_FACETS,
        span=spec.span,
        uses=spec.uses or "",
        labels=spec.labels,
        claims=one.claims,
        limits=spec.limits,
        log=spec.log,
        irreversible=spec.irreversible,
        updates=one.updates,
        measures=one.measures,
    )


def _metadata(spec: ModuleSpec, chosen: Chosen) -> ModuleMetadata:
    if chosen.definition is not None:
        return chosen.definition.metadata
    said = {key: str(value) for key, value in (spec.metadata or {}).items() if key in ModuleMetadata.__struct_fields__}
    return ModuleMetadata(**{"id": spec.name, "name": spec.name, **said})


def _body(configured: Configured, spec: ModuleSpec, chosen: Chosen, one: Settled) -> Hosted | Command:
    if one.command is not None:
        values = one.command
        return Command(
            values.argv,
            values.env,
            spec.inherit_env,
            values.cwd,
            values.ready,
            values.check,
            spec.stop,
            spec.oneshot,
            files=values.files,
            reload=spec.reload,
            user=spec.user,
            umask=spec.umask,
            python=configured.manifest.python or "",
        )
    own = spec.isolation == "process"
    code = chosen.code or Code("", "")
    path = configured.selection.path
    if code.root and code.root not in path:
        path = (*path, code.root)
    host = HostId(one.address if own else one.scope.word)
    digest = code.reach or code.digest
    python = configured.manifest.python or ""
    return Hosted(chosen.entry, path, digest, host, own, code.callbacks, python, code.packages)


def _circle(manifest: Manifest, edges: tuple[Edge, ...]) -> Diagnostic:
    """Describe one circle at its first edge, with the place of every edge."""
    names = _names([edge.dependent for edge in edges])
    shown = " -> ".join(f"`{name}`" for name in (*names, names[0]))
    notes = [
        Note(f"`{dependent}` {_VERBS[edge.kind]} `{provider}`", edge.span)
        for edge, dependent, provider in zip(edges, names, (*names[1:], names[0]), strict=True)
    ]
    first = manifest.modules[split_address(edges[0].dependent)[0]]
    document = manifest.documents[first.where.document]
    return at_span(document, edges[0].span, "IGN401", f"cycle: {shown}", hint="remove one of these edges", notes=notes)


_VERBS = {"requires": "requires", "wants": "wants", "after": "starts after"}


def _names(addresses: Iterable[Address]) -> list[str]:
    """Leave the scope out where all instances are of the gateway."""
    listed = list(addresses)
    plain = all(address.endswith("@gateway") for address in listed)
    return [address.partition("@")[0] if plain else address for address in listed]
