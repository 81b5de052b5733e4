"""Turns a few words into graphs and proposals, without any manifest."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from ignrun.manifest.model import ApplyPolicy, HealthPolicy, Lifecycle, Oneshot, ReloadPolicy, StopPolicy
from ignrun.planner.graph.facets import digest_of_graph
from ignrun.planner.graph.model import EMPTY, Command, Edge, Facets, Folders, Graph, Hosted, InstanceSpec
from ignrun.planner.plan.model import Edited, Plan, Step
from ignrun.planner.proposal import Proposal
from ignrun.runtime.supervise.messages import ApplyProposed
from ignrun.runtime.supervise.now import Now
from ignrun.terms.leaves import Tree
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import Address, HostId, ModuleScope, address_of
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition

HERE = Span("plant.yaml", 1, 1, 1)
DAWN = datetime(2030, 1, 1, tzinfo=UTC)


def at(mono: float) -> Now:
    """Give the moment `mono` seconds after dawn."""
    return Now(mono, DAWN)


def gateway(name: str) -> Address:
    """Give the address of a module's gateway instance."""
    return address_of(name, ModuleScope.GATEWAY)


IN_PLACE = ("reconfigure", "rebind")


def module(
    name: str, *, host: str = "gateway", code: str = "1", callbacks: tuple[str, ...] | None = None, **fields
) -> InstanceSpec:
    """Make a hosted instance; `code` is its version, `callbacks` those of its class, anything else a field of InstanceSpec."""
    body = Hosted(f"plant:{name}", (), code, HostId(host), own="@" in host, callbacks=callbacks)
    return _spec(name, body, code, **fields)


def command(
    name: str, *, oneshot: bool = False, code: str = "1", check: bool = False, reload: bool = False, **fields
) -> InstanceSpec:
    """Make a command."""
    body = Command(
        argv=Tree([name]),
        env=Tree({}),
        inherit_env=(),
        cwd="/",
        ready=None,
        check=Tree({"tcp": 1}) if check else None,
        stop=StopPolicy(),
        oneshot=Oneshot() if oneshot else None,
        reload=ReloadPolicy("HUP") if reload else None,
    )
    return _spec(name, body, code, **fields)


def _spec(name: str, body: Hosted | Command, code: str, **fields) -> InstanceSpec:
    config = fields.get("config", Tree({}))
    facets = Facets(str(fields.get("labels", "")), str(fields.get("health", "")), f"{code} {config}", code, "", "here")
    spec = InstanceSpec(
        address=gateway(name),
        module=name,
        scope=ModuleScope.GATEWAY,
        metadata=ModuleMetadata(name, name),
        body=body,
        config=Tree({}),
        secrets=(),
        origins=(),
        exports=Tree({}),
        lifecycle=Lifecycle(),
        health=HealthPolicy(),
        gate="healthy",
        folders=Folders("", "", "", "", ""),
        facets=facets,
        span=HERE,
    )
    return replace(spec, **fields)


def edge(dependent: str, provider: str, kind: str = "requires", condition: Condition = Condition.HEALTHY) -> Edge:
    """Make `dependent` need `provider`."""
    return Edge(gateway(dependent), provider, gateway(provider), condition, kind, HERE)  # type: ignore[arg-type]


def graph(specs: Iterable[InstanceSpec], edges: Iterable[Edge] = ()) -> Graph:
    """Put a plant together."""
    edges = tuple(edges)
    needs: dict[str, list[str]] = {}
    for one in edges:
        needs.setdefault(one.dependent, []).append(f"{one.kind} {one.provider} {one.condition.value}")
    wired = (replace(one, facets=replace(one.facets, wiring=str(needs.get(one.address)))) for one in specs)
    return Graph("plant", {one.address: one for one in wired}, edges)


def planned(running: Graph, desired: Graph, base: int = 0, **policy) -> Proposal:
    """Plan the way from one plant to another: create, delete, replace where the host differs, else what the facets ask for."""
    policy = {"soak": 0.0, **policy}
    steps = [Step(a, "delete", Edited(HERE)) for a in running.instances if a not in desired.instances]
    for address, spec in desired.instances.items():
        before = running.instances.get(address)
        if before is None:
            steps.append(Step(address, "create", Edited(HERE)))
        elif (before.facets, before.body) != (spec.facets, spec.body):
            action = _action(before, spec) if _home(before) == _home(spec) else "replace"
            slots = tuple(e.slot for e in desired.edges if e.dependent == address) if action == "rebind" else ()
            steps.append(Step(address, action, Edited(HERE), slots=slots, irreversible=spec.irreversible))  # type: ignore[arg-type]
    target = digest_of_graph(desired) + str([_home(spec) for spec in desired.instances.values()])
    plan = Plan(base, target, tuple(steps), len(desired.instances) - len(steps))
    return Proposal("plant", desired, plan, target, (), {}, (), ApplyPolicy(**policy))


def _action(before: InstanceSpec, spec: InstanceSpec) -> str:
    callbacks = spec.body.callbacks or () if isinstance(spec.body, Hosted) else ()
    differ = [name for name in Facets.__struct_fields__ if getattr(before.facets, name) != getattr(spec.facets, name)]
    if "identity" in differ or not differ:
        return "restart"
    if "wiring" in differ:
        return "rebind" if "rebind" in callbacks else "restart"
    if "config" in differ:
        reloads = isinstance(spec.body, Command) and spec.body.reload is not None
        return "reload" if reloads else "reconfigure" if "reconfigure" in callbacks else "restart"
    return "policy"


def _home(spec: InstanceSpec) -> str:
    return spec.body.host if isinstance(spec.body, Hosted) else ""


def proposed(desired: Graph, running: Graph = EMPTY, *, base: int = 0, request: int = 1, **fields) -> ApplyProposed:
    """Ask for `desired` to be applied."""
    said = {name: fields.pop(name) for name in ("no_start", "retry", "trigger") if name in fields}
    return ApplyProposed(planned(running, desired, base, **fields), said.pop("trigger", "cli"), request, **said)
