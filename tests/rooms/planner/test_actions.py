"""What changed in an instance, and what its class can do, decide what happens to it; dependents move only where an edge asks for it."""

from pathlib import Path

import pytest

from ignrun.planner.config.model import Update
from ignrun.planner.config.updates import asked_by
from ignrun.planner.plan.model import DependencyMoved, Edited
from ignrun.planner.proposal import Base
from ignrun.planner.reader import propose
from ignrun.terms.planning import Planning
from tests.rooms.planner.reading import accepted, complaints, inputs, lines, write

CODE = """\
from dataclasses import dataclass
from typing import Annotated
from ignrun import Module, update

class Still(Module):
    async def startup(self): ...

class Supple(Module):
    async def reconfigure(self, change): ...
    async def rebind(self, slot, peer): ...

class Stiff(Module):
    async def reconfigure(self, change): ...

class Marked(Module):
    @dataclass
    class Config:
        path: Annotated[str, update("restart")] = ""
        site: Annotated[str, update("never")] = ""
        flush: float = 1.0

    async def reconfigure(self, change): ...

class Grown(Supple):
    def helper(self): ...
"""
SCHEMA = (
    "{type: object, properties: {n: {type: integer}, path: {type: string, x-ignrun-update: restart}, "
    "site: {x-ignrun-update: never}, servers: {items: {properties: {port: {x-ignrun-update: restart}}}}}}"
)


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    write(tmp_path, "code.py", CODE)
    return tmp_path


def plan(folder: Path, before: str, after: str, **more):
    running = accepted(folder, before).graph
    return accepted(folder, after, Base(3, running), **more).plan


def done(folder: Path, before: str, after: str, **more) -> dict[str, str]:
    steps = plan(folder, before, after, **more).steps
    return {step.address.removesuffix("@gateway"): step.action for step in steps}


def module(entry: str, more: str = "") -> str:
    return f"modules: {{m: {{entry: 'code:{entry}'{more}}}, a: {{command: [sh]}}, b: {{command: [sh]}}}}\n"


@pytest.mark.parametrize(
    ("entry", "action"), [("Still", "restart"), ("Supple", "reconfigure"), ("Stiff", "reconfigure"), ("Grown", "reconfigure")]
)  # fmt: skip
def test_a_config_changes_in_place_where_the_class_says_how(plant, entry, action):
    assert done(plant, module(entry, ", config: {n: 1}"), module(entry, ", config: {n: 2}")) == {"m": action}


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        ("n: 1", "n: 2", "reconfigure"),
        ("path: a", "path: b", "restart"),
        ("n: 1, path: a", "n: 2, path: b", "restart"),
        ("servers: [{port: 1}]", "servers: [{port: 2}]", "restart"),
    ],
)
def test_the_strictest_property_decides(plant, before, after, action):
    old, new = (f", config: {{{one}}}, config_schema: {SCHEMA}" for one in (before, after))
    assert done(plant, module("Supple", old), module("Supple", new)) == {"m": action}


def test_a_word_of_the_schema_does_not_give_a_class_what_it_lacks(plant):
    schema = ", config_schema: {properties: {n: {x-ignrun-update: reconfigure}}}"
    assert done(plant, module("Still", f", config: {{n: 1}}{schema}"), module("Still", f", config: {{n: 2}}{schema}")) == {"m": "restart"}  # fmt: skip


def test_marks_of_a_config_class_count_where_no_schema_was_generated(plant):
    before = module("Marked", ", config: {path: a, flush: 1}")
    assert done(plant, before, before.replace("flush: 1", "flush: 2")) == {"m": "reconfigure"}
    assert done(plant, before, before.replace("path: a", "path: b")) == {"m": "restart"}


def test_a_value_that_never_changes_is_refused_unless_its_module_may_be_replaced(plant):
    before = module("Supple", f", config: {{site: a}}, config_schema: {SCHEMA}")
    after = before.replace("site: a", "site: b")
    base = Base(3, accepted(plant, before).graph)
    refused = propose(inputs(write(plant, "plant.yaml", after)), base).verdict
    [found] = lines(refused.diagnostics)
    assert found.startswith("1:52 IGN601 `site` of module `m` never changes while it is the same instance")
    assert found.endswith("(change it back, or replace the instance with `--allow-replace m`)")
    allowed = accepted(plant, after, base, planning=Planning(allow_replace=("m",)))
    assert [(step.address, step.action) for step in allowed.plan.steps] == [("m@gateway", "replace")]
    assert allowed.graph.instances["m@gateway"].body.host == "gateway+1"


def test_what_only_the_runner_needs_to_know_leaves_the_module_alone(plant):
    before = module("Supple", ", requires: [a]")
    assert done(plant, before, module("Supple", ", requires: [a], health: {interval: 1s}")) == {"m": "policy"}
    assert done(plant, before, module("Supple", ", requires: [a], labels: {a: b}")) == {"m": "no-op"}
    assert done(plant, before, module("Supple", ", requires: {a: {module: a, on_change: rebind}}")) == {"m": "policy"}


def test_another_provider_is_bound_where_the_class_says_how(plant):
    for entry, action in (("Supple", "rebind"), ("Stiff", "restart")):
        before = module(entry, ", config: {n: 1}, requires: {source: a}")
        after = before.replace("source: a", "source: b")
        assert done(plant, before, after) == {"m": action}
        assert done(plant, before, after.replace("n: 1", "n: 2")) == {"m": action}
    [step] = plan(
        plant, module("Supple", ", requires: {x: a, y: a}"), module("Supple", ", requires: {x: a, y: b}")
    ).steps
    assert step.slots == ("y",)
    assert [change.path for change in step.changes] == [("requires", "y")]


def test_an_order_without_another_provider_binds_nothing_anew(plant):
    [step] = plan(plant, module("Stiff"), module("Stiff", ", after: [a]")).steps
    assert (step.action, step.slots) == ("rebind", ())


def test_an_optional_provider_that_is_disabled_is_taken_away(plant):
    before = module("Supple", ", wants: {source: a}")
    result = plan(plant, before, before.replace("a: {command: [sh]}", "a: {command: [sh], enabled: false}"))
    assert [(step.address, step.action, step.slots) for step in result.steps] == [
        ("a@gateway", "delete", ()),
        ("m@gateway", "rebind", ("source",)),
    ]
    assert isinstance(result.steps[1].cause, DependencyMoved)
    assert result.steps[1].cause.edge.provider == "a@gateway"


def test_a_provider_that_is_needed_cannot_be_deleted(plant):
    write(plant, "plant.yaml", "")
    [found] = complaints(plant, "modules: {m: {entry: 'code:Supple', requires: [a]}}\n")
    assert found.startswith("1:48 IGN301 there is no module `a`")


@pytest.mark.parametrize(
    "change", [("config: {n: 1}", "config: {n: 2}"), ("files: {f: {text: a}}", "files: {f: {text: b}}")]
)
def test_a_command_reads_again_where_it_can(plant, change):
    for more, action in (("", "restart"), (", reload: {signal: HUP}", "reload")):
        before = f"modules: {{c: {{command: [sh], config: {{n: 1}}, files: {{f: {{text: a}}}}{more}}}}}\n"
        assert done(plant, before, before.replace(*change)) == {"c": action}


def test_a_command_that_is_to_end_from_now_on_is_started_again(plant):
    assert done(plant, "modules: {c: {command: [sh]}}\n", "modules: {c: {command: [sh], oneshot: true}}\n") == {"c": "restart"}  # fmt: skip


# --- dependents -------------------------------------------------------------------------------------------------------

CHAIN = """\
modules:
  p: {entry: "code:Still", config: {n: 1}}
  q: {entry: "code:Supple", requires: {up: {module: p%s}}}
  r: {command: [sh], requires: [q]}
"""


@pytest.mark.parametrize(
    ("asked", "moved"),
    [
        ("", {"p": "restart"}),
        (", on_change: rebind", {"p": "restart", "q": "rebind"}),
        (", on_change: restart", {"p": "restart", "q": "restart"}),
    ],
)
def test_dependents_stay_unless_their_edge_asks_for_more(plant, asked, moved):
    before = CHAIN % asked
    assert done(plant, before, before.replace("n: 1", "n: 2")) == moved


def test_a_provider_reconfigured_in_place_moves_nobody(plant):
    before = CHAIN.replace("Still", "Supple") % ", on_change: restart"
    assert done(plant, before, before.replace("n: 1", "n: 2")) == {"p": "reconfigure"}


def test_who_cannot_bind_anew_restarts_instead(plant):
    before = CHAIN.replace("Supple", "Stiff") % ", on_change: rebind"
    assert done(plant, before, before.replace("n: 1", "n: 2")) == {"p": "restart", "q": "restart"}


def test_an_edge_that_asks_for_more_than_the_own_change_is_the_cause(plant):
    before = (CHAIN % ", on_change: restart").replace("requires: {up", "config: {x: 1}, requires: {up")
    first = plan(plant, before, before.replace("n: 1", "n: 2").replace("x: 1", "x: 2"))
    assert isinstance(first.steps[1].cause, DependencyMoved)
    assert first.steps[1].changes  # its own change is told all the same
    second = plan(plant, before, before.replace("x: 1", "x: 2"))
    assert isinstance(second.steps[0].cause, Edited)


def test_a_step_says_who_waits_for_it_and_who_shares_its_process(plant):
    before = CHAIN % ""
    result = plan(plant, before, before.replace("n: 1", "n: 2"))
    assert [(step.address, step.interrupts, step.host) for step in result.steps] == [("p@gateway", ("q@gateway",), "gateway")]  # fmt: skip
    assert result.hosts == {"gateway": ("p@gateway", "q@gateway")}


def test_what_no_rollback_undoes_is_marked_where_it_is_touched(plant):
    before = "modules: {c: {command: [sh], irreversible: true, config: {n: 1}}}\n"
    [touched] = plan(plant, before, before.replace("n: 1", "n: 2")).steps
    [left] = plan(plant, before, before.replace("n: 1", "n: 1}, labels: {a: b")).steps
    assert (touched.irreversible, left.irreversible) == (True, False)


# --- placement --------------------------------------------------------------------------------------------------------


def hosts(proposal) -> dict[str, str]:
    return {address.removesuffix("@gateway"): spec.body.host for address, spec in proposal.graph.instances.items()}


def test_each_apply_takes_one_fresh_host_with_the_next_number(plant):
    text = "modules:\n  a: {entry: 'code:Still'}\n  b: {entry: 'code:Still'}\n  own: {entry: 'code:Still', isolation: process}\n"
    first = accepted(plant, text)
    assert hosts(first) == {"a": "gateway", "b": "gateway", "own": "own@gateway"}
    second = accepted(plant, text + "  c: {entry: 'code:Still'}\n  d: {entry: 'code:Still'}\n", Base(1, first.graph))
    assert hosts(second) == {"a": "gateway", "b": "gateway", "own": "own@gateway", "c": "gateway+1", "d": "gateway+1"}
    write(plant, "code.py", CODE + "\n")
    third = accepted(plant, text, Base(2, second.graph))
    assert hosts(third) == {"a": "gateway+2", "b": "gateway+2", "own": "own@gateway+1"}
    write(plant, "code.py", CODE)
    fourth = accepted(plant, text, Base(3, third.graph))
    assert hosts(fourth) == {"a": "gateway+3", "b": "gateway+3", "own": "own@gateway+2"}


def test_where_no_host_of_that_name_runs_the_first_name_is_taken(plant):
    first = accepted(plant, "modules: {c: {command: [sh]}}\n")
    second = accepted(plant, "modules: {c: {command: [sh]}, a: {entry: 'code:Still'}}\n", Base(1, first.graph))
    assert second.graph.instances["a@gateway"].body.host == "gateway"


# --- what a property asks for -----------------------------------------------------------------------------------------

UPDATES = (
    Update(("db",), "restart"),
    Update(("db", "pool"), "reconfigure"),
    Update(("servers", "*", "port"), "restart"),
    Update(("id",), "never"),
)


@pytest.mark.parametrize(
    ("path", "how"),
    [
        (("x",), "reconfigure"),
        (("db", "url"), "restart"),
        (("db", "pool", "size"), "reconfigure"),
        (("db",), "restart"),
        (("servers", 3, "port"), "restart"),
        (("servers", 3, "name"), "reconfigure"),
        (("servers",), "restart"),
        (("id",), "never"),
        ((), "never"),
    ],
)
def test_the_nearest_word_above_decides_and_of_a_whole_block_the_strictest(path, how):
    assert asked_by(UPDATES, path) == how
