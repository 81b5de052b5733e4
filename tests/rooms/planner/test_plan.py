"""A plan says what happens to each instance, in which order, with cause and place; laws over random plants."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignrun.planner.graph.model import EMPTY, Edge, Graph
from ignrun.planner.graph.order import circles, ordered
from ignrun.planner.plan.build import build_plan
from ignrun.planner.plan.model import DependencyMoved, Edited, Requested
from ignrun.planner.proposal import Base
from ignrun.terms.names import Address
from ignrun.terms.planning import Planning
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition
from ignrun.terms.verdict import examined
from tests.rooms.planner.reading import accepted, write

PLANT = """\
modules:
  a: {command: [echo]}
  b:
    command: [echo]
    config: {port: 1, list: [1, 2]}
    requires: [a]
    labels: {tier: data}
    lifecycle: {stop_timeout: 10s}
  c: {entry: "job:Job", requires: {b: {module: b, on_change: restart}}}
  d: {command: [echo], requires: [c]}
"""


@pytest.fixture
def plant(tmp_path):
    write(tmp_path, "job.py", "class Job: ...\n")
    return tmp_path


def changed(folder, *replacements, before=PLANT, **more):
    """Plan the step from one text to another."""
    after = before
    for old, new in replacements:
        assert old in after
        after = after.replace(old, new)
    running = accepted(folder, before, **more).graph
    return accepted(folder, after, Base(7, running), **more).plan


def steps(plan):
    return [(step.address.removesuffix("@gateway"), step.action) for step in plan.steps]


def test_a_plant_that_starts_from_nothing_creates_all_providers_first(plant):
    plan = accepted(plant, PLANT).plan
    assert steps(plan) == [("a", "create"), ("b", "create"), ("c", "create"), ("d", "create")]
    assert (plan.base, plan.unchanged) == (0, 0)


def test_nothing_edited_is_an_empty_plan(plant):
    plan = changed(plant)
    assert plan.is_empty
    assert plan.steps == ()
    assert (plan.base, plan.unchanged) == (7, 4)


def test_a_config_value_restarts_its_module_and_who_asked_to_follow(plant):
    plan = changed(plant, ("port: 1", "port: 2"))
    assert steps(plan) == [("b", "restart"), ("c", "restart")]
    assert plan.unchanged == 2
    [change] = plan.steps[0].changes
    assert (change.path, change.before, change.after) == (("config", "port"), 1, 2)
    assert (change.span.line, change.span.column) == (5, 20)
    assert plan.steps[0].cause == Edited(change.span)
    assert isinstance(plan.steps[1].cause, DependencyMoved)
    assert plan.steps[1].cause.edge.provider == "b@gateway"


@pytest.mark.parametrize(
    ("replacement", "action", "path", "values"),
    [
        (("10s", "12s"), "policy", ("lifecycle", "stop_timeout"), (10.0, 12.0)),
        (("list: [1, 2]", "list: [1]"), "restart", ("config", "list"), ([1, 2], [1])),
        ((", list: [1, 2]", ""), "restart", ("config", "list"), ([1, 2], None)),
        (("    requires: [a]\n", ""), "restart", ("requires", "a"), (["a@gateway"], [])),
        (("b:\n    command: [echo]", "b:\n    command: [printf]"), "replace", ("command",), (["echo"], ["printf"])),
        (("tier: data", "tier: web"), "no-op", ("labels", "tier"), ("data", "web")),
    ],
)
def test_the_strongest_facet_that_differs_decides(plant, replacement, action, path, values):
    step = changed(plant, replacement).steps[0]
    assert (step.address, step.action) == ("b@gateway", action)
    [change] = step.changes
    assert (change.path, (change.before, change.after)) == (path, values)


def test_a_change_of_meta_alone_is_an_empty_plan_that_is_recorded(plant):
    plan = changed(plant, ("tier: data", "tier: web"))
    assert plan.is_empty
    assert steps(plan) == [("b", "no-op")]
    assert plan.unchanged == 4


def test_what_is_gone_is_deleted_dependents_first_and_what_is_new_is_created(plant):
    plan = changed(
        plant,
        ('  c: {entry: "job:Job", requires: {b: {module: b, on_change: restart}}}\n', ""),
        ("  d: {command: [echo], requires: [c]}\n", "  e: {command: [echo]}\n"),
    )
    assert steps(plan) == [("d", "delete"), ("c", "delete"), ("e", "create")]
    assert plan.steps[0].cause.span.line == 10


def test_new_code_replaces_and_a_command_that_becomes_a_class_too(plant):
    running = accepted(plant, PLANT).graph
    write(plant, "job.py", "class Job:\n    x = 1\n")
    plan = accepted(plant, PLANT, Base(1, running)).plan
    assert steps(plan) == [("c", "replace")]
    assert [change.path for change in plan.steps[0].changes] == [("code",)]
    other = accepted(plant, PLANT.replace("a: {command: [echo]}", 'a: {entry: "job:Job"}'), Base(1, running)).plan
    assert steps(other)[0] == ("a", "replace")


def test_another_text_of_a_secret_restarts_who_uses_it_and_is_never_shown(plant):
    text = "modules:\n  a: {command: [echo], config: {pw: '${secret:PW}', n: 1}}\n  b: {command: [echo]}\n"

    def plan(environment, base, **more):
        key = b"key of the plant"
        return accepted(plant, text, base, environment=environment, fingerprint_key=key, **more)

    running = Base(1, plan({"PW": "hunter2"}, Base(), for_apply=True).graph)
    assert plan({"PW": "hunter2"}, running, for_apply=True).plan.is_empty
    assert plan({}, running).plan.is_empty  # not at hand now: nobody can say that it is another
    other = plan({"PW": "hunter3"}, running, for_apply=True)
    assert steps(other.plan) == [("a", "restart")]
    [change] = other.plan.steps[0].changes
    assert change.path == ("config", "pw")
    assert re.fullmatch(r"\(secret [0-9a-f]{12}\)", change.before)
    assert change.before != change.after
    assert b"hunter" not in msgspec.json.encode(other)


def test_equal_inputs_give_the_same_plan_to_the_byte(plant):
    running = Base(3, accepted(plant, PLANT).graph)
    text = PLANT.replace("port: 1", "port: 2")
    one, other = (msgspec.json.encode(accepted(plant, text, running)) for _ in range(2))
    assert one == other


# --- laws -------------------------------------------------------------------------------------------------------------

NAMES = [f"m{number}" for number in range(8)]


@st.composite
def plants(draw):
    """Draw modules, each with a figure in its config and providers among those before it in some hidden order."""
    hidden = draw(st.permutations(NAMES[: draw(st.integers(1, len(NAMES)))]))
    figures = {name: draw(st.integers(0, 2)) for name in hidden}
    needs = {
        name: draw(st.lists(st.sampled_from(hidden[:at]), unique=True, max_size=3)) if at else []
        for at, name in enumerate(hidden)
    }
    written = draw(st.permutations(hidden))
    kind = draw(st.sampled_from(["requires", "after"]))
    lines = [
        f"  {name}: {{command: [echo], config: {{n: {figures[name]}}}, {kind}: [{', '.join(needs[name])}]}}"
        for name in written
    ]
    return "modules:\n" + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("laws")


@settings(max_examples=40)
@given(text=plants())
def test_the_order_of_instances_respects_every_edge(folder, text):
    graph = accepted(folder, text).graph
    place = {address: number for number, address in enumerate(graph.instances)}
    assert all(place[edge.provider] < place[edge.dependent] for edge in graph.edges)


@settings(max_examples=40)
@given(text=plants())
def test_a_plan_from_a_graph_to_itself_is_empty(folder, text):
    graph = accepted(folder, text).graph
    plan = examined(build_plan(graph, graph, 1, ""))
    assert plan.steps == ()
    assert plan.unchanged == len(graph.instances)


@settings(max_examples=40)
@given(before=plants(), after=plants())
def test_a_plan_names_each_instance_once_and_orders_stops_before_starts(folder, before, after):
    running, desired = accepted(folder, before).graph, accepted(folder, after).graph
    plan = examined(build_plan(running, desired, 1, ""))
    addresses = [step.address for step in plan.steps]
    assert len(addresses) == len(set(addresses))
    kinds = [step.action == "delete" for step in plan.steps]
    assert kinds == sorted(kinds, reverse=True)
    gone = [step.address for step in plan.steps if step.action == "delete"]
    assert gone == [address for address in reversed(running.instances) if address not in desired.instances]
    rest = [step.address for step in plan.steps if step.action != "delete"]
    assert rest == [address for address in desired.instances if address in rest]
    assert plan.unchanged + len(rest) == len(desired.instances)
    assert {step.address for step in plan.steps if step.action == "create"} == set(desired.instances) - set(
        running.instances
    )


@settings(max_examples=20)
@given(text=plants())
def test_what_is_created_and_then_deleted_goes_in_reverse_order(folder, text):
    graph = accepted(folder, text).graph
    up = [step.address for step in examined(build_plan(EMPTY, graph, 0, "")).steps]
    down = [step.address for step in examined(build_plan(graph, Graph("x", {}, ()), 1, "")).steps]
    assert down == list(reversed(up))


@settings(max_examples=200)
@given(pairs=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=20))
def test_an_order_exists_where_there_is_no_circle_and_only_there(pairs):
    here = Span("x", 1, 1, 1)
    edges = [Edge(Address(one), "", Address(other), Condition.STARTED, "after", here) for one, other in pairs]
    addresses = [Address(name) for name in NAMES]
    order, stuck = ordered(addresses, edges)
    assert sorted((*order, *stuck)) == sorted(addresses)
    found = circles(addresses, edges)
    assert bool(found) == bool(stuck)
    for circle in found:
        assert [edge.provider for edge in circle] == [edge.dependent for edge in (*circle[1:], circle[0])]
        assert len({edge.dependent for edge in circle}) == len(circle)


def test_a_oneshot_that_always_runs_goes_along_with_every_plan_that_does_something(tmp_path) -> None:
    text = "modules:\n  job: {{command: [echo], oneshot: {{rerun: always}}}}\n  web: {{command: [sleep, '{}']}}\n"
    before = accepted(tmp_path, text.format(1))
    same = accepted(tmp_path, text.format(1), Base(1, before.graph))
    assert same.plan.is_empty
    after = accepted(tmp_path, text.format(2), Base(1, before.graph))
    assert [(step.address, step.action) for step in after.plan.steps] == [
        ("job@gateway", "restart"),
        ("web@gateway", "replace"),
    ]
    assert isinstance(after.plan.steps[0].cause, Requested)
    assert after.plan.unchanged == 0


def test_asked_for_once_more_everybody_who_can_takes_his_own_config(tmp_path) -> None:
    write(
        tmp_path,
        "parts.py",
        """
        from ignrun import Module

        class Live(Module):
            async def reconfigure(self, change): ...

        class Plain(Module): ...
        """,
    )
    text = "modules:\n  live: {entry: 'parts:Live', config: {x: 1}}\n  plain: {entry: 'parts:Plain', config: {x: 1}}\n"
    before = accepted(tmp_path, text)
    again = accepted(tmp_path, text, Base(1, before.graph), planning=Planning(once_more=True))
    assert [(step.address, step.action) for step in again.plan.steps] == [("live@gateway", "reconfigure")]
    assert [change.path for change in again.plan.steps[0].changes] == [("config", "x")]
    assert again.target == before.target and again.plan.unchanged == 1
