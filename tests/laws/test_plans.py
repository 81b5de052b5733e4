"""Laws of plans over drawn plants: equal graphs plan nothing, what is planned leads to what is wanted, and every step says why."""

import re
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ignrun.planner.config.model import Update
from ignrun.planner.graph.facets import digest_of_graph, with_facets
from ignrun.planner.graph.model import EMPTY, Command, Edge, Graph, Hosted, InstanceSpec
from ignrun.planner.plan.build import build_plan, plan_and_place
from ignrun.planner.plan.model import DependencyMoved, Edited, Plan, Step
from ignrun.render.plan import encode_plan, footer, plan_report
from ignrun.terms.leaves import Tree
from ignrun.terms.names import Address, HostId
from ignrun.terms.planning import Planning
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition
from ignrun.terms.verdict import examined
from tests.rooms.render.plants import command, hosted

NAMES = [f"m{number}@gateway" for number in range(7)]
CALLBACKS = (None, (), ("reconfigure",), ("rebind",), ("reconfigure", "rebind"))
UPDATES = ((), (Update(("n",), "restart"),), (Update(("n",), "never"),))
WORDS = {
    "create": "to add", "reconfigure": "to reconfigure in place", "reload": "to reload", "rebind": "to rebind",
    "policy": "to give another policy", "restart": "to restart", "replace": "to replace", "delete": "to delete",
}  # fmt: skip
WILLING = Planning(allow_replace=tuple(NAMES), allow_mass_delete=True)


@st.composite
def graphs(draw: Any) -> Graph:
    """Draw modules and commands in a hidden order, each bound to some before it, with a config, code and policy of few values."""
    order = draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]
    edges = [_edge(draw, name, provider) for at, name in enumerate(order) for provider in _some(draw, order[:at])]
    specs = {name: _spec(draw, name, [one for one in edges if one.dependent == name]) for name in order}
    return Graph("drawn", {Address(name): spec for name, spec in specs.items()}, tuple(edges))


def _some(draw: Any, names: list[str]) -> list[str]:
    return draw(st.lists(st.sampled_from(names), unique=True, max_size=2)) if names else []


def _edge(draw: Any, dependent: str, provider: str) -> Edge:
    kind, asked = draw(st.sampled_from(["requires", "wants"])), draw(st.sampled_from(["none", "rebind", "restart"]))
    slot = provider.partition("@")[0]
    return Edge(Address(dependent), slot, Address(provider), Condition.STARTED, kind, _here(draw), on_change=asked)


def _here(draw: Any) -> Span:
    return Span("/plant.yaml", draw(st.integers(1, 9)), 1, 2)


def _spec(draw: Any, name: str, edges: list[Edge]) -> InstanceSpec:
    number = draw(st.integers(0, 1))
    changed: dict[str, Any] = {
        "config": Tree({"n": draw(st.integers(0, 1))}),
        "updates": draw(st.sampled_from(UPDATES)),
        "labels": {"a": str(draw(st.integers(0, 1)))},
        "gate": draw(st.sampled_from(["healthy", "none"])),
        "span": _here(draw),
    }
    if draw(st.booleans()):
        return with_facets(command(name, **changed), edges)
    spec = hosted(name, own=draw(st.booleans()), **changed)
    assert isinstance(spec.body, Hosted)
    body = msgspec.structs.replace(spec.body, code=str(number), callbacks=draw(st.sampled_from(CALLBACKS)))
    return with_facets(msgspec.structs.replace(spec, body=body), edges)


def carried_out(running: Graph, desired: Graph, plan: Plan) -> Graph:
    """Do what the steps say, and no more: whoever has no step stays as it runs."""
    instances = dict(running.instances)
    for step in plan.steps:
        if step.action == "delete":
            del instances[step.address]
        else:
            instances[step.address] = desired.instances[step.address]
    return msgspec.structs.replace(desired, instances={key: instances[key] for key in desired.instances})


# --- the laws, as functions, so that a sabotaged planner can be held to them too --------------------------------------


def leads_to_what_is_wanted(running: Graph, desired: Graph, plan: Plan) -> bool:
    return digest_of_graph(carried_out(running, desired, plan)) == digest_of_graph(desired)


def says_why(step: Step) -> bool:
    if isinstance(step.cause, Edited):
        return step.cause.span.line > 0
    return isinstance(step.cause, DependencyMoved) and bool(step.cause.edge.span.line)


def counts_right(desired: Graph, plan: Plan) -> bool:
    """Hold the footer to the steps, read back from its text: what changes and what does not is everything that is wanted."""
    text = footer(plan_report(plan))
    told = {
        words.strip(): int(number) for number, words in re.findall(r"(\d+) ([a-z ]+)", re.sub(r"\([^)]*\)", "", text))
    }
    counted = Counter(step.action for step in plan.steps)
    kept = len(desired.instances) - sum(counted.values()) + counted["delete"] + counted["no-op"]
    wanted = {WORDS[action]: count for action, count in counted.items() if action != "no-op"}
    return told == wanted | {"unchanged": kept}


def leaves_running_hosts_alone(running: Graph, placed: Graph, plan: Plan) -> bool:
    """Nothing is imported into a host that serves already, and nobody else moves."""
    homes = {one.body.host for one in running.instances.values() if isinstance(one.body, Hosted)}
    for address, spec in placed.instances.items():
        if not isinstance(spec.body, Hosted):
            continue
        before = running.instances.get(address)
        if address in plan.fresh:
            if spec.body.host in homes:
                return False
        elif before is None or not isinstance(before.body, Hosted) or before.body.host != spec.body.host:
            return False
    return True


def in_place_only_where_it_can(desired: Graph, plan: Plan) -> bool:
    for step in plan.steps:
        body = desired.instances[step.address].body if step.address in desired.instances else None
        callbacks = (body.callbacks or ()) if isinstance(body, Hosted) else ()
        if step.action == "reconfigure" and "reconfigure" not in callbacks:
            return False
        if step.action == "rebind" and step.slots and "rebind" not in callbacks:
            return False
        if step.action == "reload" and not isinstance(body, Command):
            return False
    return True


def held(running: Graph, desired: Graph) -> None:
    verdict = plan_and_place(running, desired, 1, "t", WILLING)
    plan = examined(verdict).plan
    assert leads_to_what_is_wanted(running, desired, plan)
    assert all(says_why(step) for step in plan.steps)
    assert counts_right(desired, plan)
    assert leaves_running_hosts_alone(running, examined(verdict).graph, plan)
    assert in_place_only_where_it_can(desired, plan)
    again = examined(plan_and_place(examined(verdict).graph, desired, 2, "t", WILLING)).plan
    assert again.steps == ()
    assert encode_plan(plan_report(plan)) == encode_plan(
        plan_report(examined(build_plan(running, desired, 1, "t", WILLING)))
    )


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=500, deadline=None, suppress_health_check=SLOW)
@given(running=graphs(), desired=graphs())
@example(running=EMPTY, desired=EMPTY)
def test_any_two_plants_are_planned_lawfully(running, desired):
    held(running, desired)


@pytest.mark.torture
@pytest.mark.timeout(1200)
@settings(max_examples=10_000, deadline=None, suppress_health_check=SLOW)
@given(running=graphs(), desired=graphs())
def test_ten_thousand_pairs_of_plants_are_planned_lawfully(running, desired):
    held(running, desired)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(graph=graphs())
def test_a_plant_is_never_planned_against_itself(graph):
    assert examined(build_plan(graph, graph, 1, "")).steps == ()
    assert not plan_and_place(graph, graph, 1, "").diagnostics


# --- the laws catch a planner that breaks them ------------------------------------------------------------------------


def pair() -> tuple[Graph, Graph, Plan]:
    span = Span("/plant.yaml", 3, 1, 2)

    def made(number: int, callbacks: tuple[str, ...] | None) -> Graph:
        spec = hosted("a@gateway", config=Tree({"n": number}), span=span)
        assert isinstance(spec.body, Hosted)
        body = msgspec.structs.replace(spec.body, callbacks=callbacks)
        return Graph("p", {Address("a@gateway"): with_facets(msgspec.structs.replace(spec, body=body), ())}, ())

    running, desired = made(1, None), made(2, None)
    return running, desired, examined(build_plan(running, desired, 1, ""))


def test_a_forgotten_step_is_caught():
    running, desired, plan = pair()
    assert leads_to_what_is_wanted(running, desired, plan)
    assert not leads_to_what_is_wanted(running, desired, msgspec.structs.replace(plan, steps=()))


def test_a_wrong_count_a_wrong_place_and_a_wrong_action_are_caught():
    running, desired, plan = pair()
    [step] = plan.steps
    assert counts_right(desired, plan)
    assert not counts_right(desired, msgspec.structs.replace(plan, unchanged=1))
    assert not counts_right(desired, msgspec.structs.replace(plan, steps=()))
    assert not says_why(msgspec.structs.replace(step, cause=Edited(Span("", 0, 0, 0))))
    eager = msgspec.structs.replace(step, action="reconfigure")
    assert not in_place_only_where_it_can(desired, msgspec.structs.replace(plan, steps=(eager,)))
    other = msgspec.structs.replace(step, action="replace")
    assert not leaves_running_hosts_alone(running, desired, msgspec.structs.replace(plan, steps=(other,)))
    moved = {
        address: msgspec.structs.replace(spec, body=msgspec.structs.replace(spec.body, host=HostId("gateway+9")))
        for address, spec in desired.instances.items()
    }
    assert not leaves_running_hosts_alone(running, msgspec.structs.replace(desired, instances=moved), plan)
