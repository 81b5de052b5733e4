"""Owns a small plant as the journal is given it: two instances, a secret, an edge, a plan, an outcome."""

from datetime import UTC, datetime

from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import ApplyPolicy, HealthPolicy, Lifecycle, Oneshot, StopPolicy
from ignrun.planner.graph.model import Command, Edge, Facets, Folders, Graph, Hosted, InstanceSpec, Origin
from ignrun.planner.plan.model import Change, Edited, Plan, Step
from ignrun.planner.proposal import Proposal
from ignrun.runtime.supervise.effects import KeepIntent, KeepOutcome, Outcome, Result
from ignrun.terms.events import Happening, OperatorAsked, StepEnded
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.leaves import Literal, Pending, SecretNamed, Tree
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import Address, HostId, ModuleScope
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition

T0 = datetime(2026, 5, 4, 3, 2, 1, 234567, tzinfo=UTC)
TAGS, WEB = Address("tags@gateway"), Address("web@gateway")
SPAN = Span("/srv/plant.yaml", 4, 3, 9, "ab12")
PASSWORD = Pending(("servers", 0, "password"), (Literal("x:"), SecretNamed("DB_PW")), "string")


def spec(name: str, body: Hosted | Command) -> InstanceSpec:
    return InstanceSpec(
        address=Address(f"{name}@gateway"),
        module=name,
        scope=ModuleScope.GATEWAY,
        metadata=ModuleMetadata(name, name.title()),
        body=body,
        config=Tree({"limit": float("inf"), "servers": [{"password": None, "big": 2**63}]}, (PASSWORD,)),
        secrets=(PASSWORD.path,),
        origins=(Origin(("limit",), "config", SPAN), Origin(("servers",), "default", None)),
        exports=Tree({"url": "http://x"}),
        lifecycle=Lifecycle(),
        health=HealthPolicy(check={"http": "http://x"}),
        gate="healthy",
        folders=Folders("/d", "/c", "/l", "/t", "/m"),
        facets=Facets("1", "2", "3", "4", "5", "6"),
        span=SPAN,
        labels={"site": "norð"},
    )


def proposal(target: str = "t1") -> Proposal:
    tags = spec("tags", Hosted("plant.tags:Tags", ("/srv",), "c0de", HostId("gateway"), own=False, callbacks=("run",)))
    web = spec(
        "web",
        Command(
            Tree(["serve", None], (Pending((1,), (SecretNamed("DB_PW"),)),)),
            Tree({}), ("PATH",), "/srv", Tree({"tcp": 80}), None, StopPolicy(), Oneshot(),
        ),
    )  # fmt: skip
    edge = Edge(web.address, "source", tags.address, Condition.HEALTHY, "requires", SPAN)
    graph = Graph("demo", {tags.address: tags, web.address: web}, (edge,), ("DB_PW",))
    change = Change(("config", "limit"), None, 5, SPAN)
    plan = Plan(0, target, (Step(tags.address, "create", Edited(SPAN), (change,), (web.address,)),), 1)
    files = (InputFile("/srv/plant.yaml", "ab12", "manifest"),)
    return Proposal("demo", graph, plan, target, files, {"PORT": "80"}, ("PORT", "DB_PW"), ApplyPolicy())


def intent(number: int, made: Proposal | None = None) -> KeepIntent:
    return KeepIntent(number, number, made or proposal(), "cli")


def ending(number: int, result: Result = Result.COMMITTED, made: Proposal | None = None) -> KeepOutcome:
    faults = {Address("web@gateway"): Fault(FaultKind.EXITED, "it exited")} if result is Result.HELD else {}
    return KeepOutcome(Outcome(number, result, number, f"{result.value} it is", faults), made or proposal())


def happenings(count: int) -> list[Happening]:
    return [Happening("tags@gateway", OperatorAsked("restart", f"number {number}")) for number in range(count)]


def ended(number: int, address: Address = TAGS, action: str = "create", fault: Fault | None = None) -> Happening:
    return Happening(address, StepEnded(number, action, fault))
