"""Turns a few words into graphs and proposals, without any manifest."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from ignrun.manifest.model import ApplyPolicy, HealthPolicy, Lifecycle, Oneshot, StopPolicy
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


def module(name: str, *, host: str = "gateway", code: str = "1", **fields) -> InstanceSpec:
    """Make a hosted instance; `code` is its version, anything else a field of InstanceSpec."""
    body = Hosted(f"plant:{name}", (), code, HostId(host), own="@" in host)
    return _spec(name, body, code, **fields)


def command(name: str, *, oneshot: bool = False, code: str = "1", check: bool = False, **fields) -> InstanceSpec:
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
    )
    return _spec(name, body, code, **fields)


def _spec(name: str, body: Hosted | Command, code: str, **fields) -> InstanceSpec:
    facets = Facets("", "", code, code, "", "here")
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


def planned(running: Graph, desired: Graph, base: int = 0, deadline: float = 300.0) -> Proposal:
    """Plan the way from one plant to another: create, delete, replace where the host differs, restart where anything else does."""
    steps = [Step(a, "delete", Edited(HERE)) for a in running.instances if a not in desired.instances]
    for address, spec in desired.instances.items():
        before = running.instances.get(address)
        if before is None:
            steps.append(Step(address, "create", Edited(HERE)))
        elif (before.facets, before.body) != (spec.facets, spec.body):
            steps.append(Step(address, "restart" if _home(before) == _home(spec) else "replace", Edited(HERE)))
    plan = Plan(base, "digest", tuple(steps), len(desired.instances) - len(steps))
    return Proposal("plant", desired, plan, "digest", (), {}, (), ApplyPolicy(deadline=deadline))


def _home(spec: InstanceSpec) -> str:
    return spec.body.host if isinstance(spec.body, Hosted) else ""


def proposed(desired: Graph, running: Graph = EMPTY, *, base: int = 0, request: int = 1, **fields) -> ApplyProposed:
    """Ask for `desired` to be applied."""
    no_start = fields.pop("no_start", False)
    return ApplyProposed(planned(running, desired, base, **fields), "cli", request, no_start=no_start)
