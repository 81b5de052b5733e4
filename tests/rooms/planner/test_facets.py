"""Each key of the language belongs to exactly one facet or to none, and a change of it changes that facet and no other."""

import re
from typing import Any

import msgspec
import pytest

from ignrun.manifest.shipped import schema
from ignrun.planner.graph import facets
from ignrun.planner.graph.facets import FACET_OF_KEY, FACET_OF_PLANT_KEY, NAMES, digest_of_graph
from ignrun.planner.graph.model import Command, Hosted, InstanceSpec, Rules
from tests.house.tree import ROOT
from tests.rooms.planner.reading import accepted, write

CODE = "from ignrun import Module\nclass One(Module): ...\nclass Two(Module): ...\nasync def three(ctx): ...\n"
CHANGES: dict[str, tuple[str, str]] = {
    "metadata": ("", "metadata: {description: new}"),
    "requires": ("", "requires: [other]"),
    "wants": ("", "wants: [other]"),
    "after": ("", "after: [other]"),
    "config": ("config: {a: 1}", "config: {a: 2}"),
    "limits": ("", "limits: {memory: 1MiB}"),
    "lifecycle": ("", "lifecycle: {start_timeout: 1s}"),
    "health": ("", "health: {interval: 1s}"),
    "gate": ("", "gate: started"),
    "labels": ("", "labels: {a: b}"),
    "irreversible": ("", "irreversible: true"),
    "claims": ("", "claims: ['tcp:1']"),
    "exports": ("", "exports: {url: a}"),
    "env": ("", "env: {A: 1}"),
    "inherit_env": ("", "inherit_env: [A]"),
    "cwd": ("", "cwd: /"),
    "user": ("", "user: www"),
    "umask": ("", "umask: '027'"),
    "files": ("files: {a: {text: a}}", "files: {a: {text: '${var:b}'}}"),
    "ready": ("", "ready: 'tcp:80'"),
    "reload": ("", "reload: {signal: HUP}"),
    "stop": ("", "stop: {signal: INT}"),
    "oneshot": ("", "oneshot: true"),
    "log": ("", "log: {level: debug}"),
}
"""What the block of a command says beside it, before and after, by the key that changes."""
BODIES = {
    "command": ("command: [sh]", "command: [sh, -c]"),
    "entry": ("entry: 'code:One'", "entry: 'code:Two'"),
    "isolation": ("entry: 'code:One'", "entry: 'code:One', isolation: process"),
    "config_schema": ("entry: 'code:One'", "entry: 'code:One', config_schema: {type: object}"),
}
ELSEWHERE = {
    "uses": "it takes a definition: test_catalog",
    "version": "it takes a definition: test_catalog",
    "scopes": "it makes other instances: test_graph",
    "enabled": "it makes other instances: test_graph",
    "for_each": "it makes other modules: tests of the manifest",
    "extends": "it makes another block: tests of the manifest",
}


def test_every_key_of_a_module_has_its_facet() -> None:
    assert {*schema("manifest")["$defs"]["module"]["properties"]} == {*FACET_OF_KEY}
    assert {*CHANGES, *BODIES, *ELSEWHERE} == {*FACET_OF_KEY}


def test_every_key_of_a_manifest_has_its_facet() -> None:
    assert {*schema("manifest")["properties"]} == {*FACET_OF_PLANT_KEY}


def test_every_field_of_what_is_planned_has_its_facet() -> None:
    for table, struct in (
        (facets.FACET_OF, InstanceSpec),
        (facets.FACET_OF_HOSTED, Hosted),
        (facets.FACET_OF_COMMAND, Command),
        (facets.FACET_OF_RULES, Rules),
    ):
        assert {*table} == {field.name for field in msgspec.structs.fields(struct)}
        assert {*table.values()} <= {*NAMES, None}


def test_what_a_field_holds_has_the_facet_of_its_key() -> None:
    for table in (facets.FACET_OF, facets.FACET_OF_COMMAND, facets.FACET_OF_HOSTED):
        both = table.keys() & FACET_OF_KEY.keys()
        assert {name: table[name] for name in both} == {name: FACET_OF_KEY[name] for name in both}
    both = facets.FACET_OF_RULES.keys() & FACET_OF_PLANT_KEY.keys()
    assert {name: facets.FACET_OF_RULES[name] for name in both} == {name: FACET_OF_PLANT_KEY[name] for name in both}


def _facets(folder: Any, module: str, rest: str = "") -> dict[str, str]:
    text = f"vars: {{b: b}}\n{rest}\nmodules:\n  m: {{{module}}}\n  other: {{command: [sh]}}\n"
    spec = accepted(folder, text).graph.instances["m@gateway"]
    return {name: getattr(spec.facets, name) for name in NAMES}


@pytest.mark.parametrize("key", [*CHANGES, *BODIES])
def test_a_change_of_a_key_changes_its_facet_and_no_other(tmp_path, key: str) -> None:
    write(tmp_path, "code.py", CODE)
    before, after = BODIES[key] if key in BODIES else (f"command: [sh], {one}" for one in CHANGES[key])
    old, new = _facets(tmp_path, before), _facets(tmp_path, after)
    changed = {name for name in NAMES if old[name] != new[name]}
    assert changed == (set() if key == "config_schema" else {FACET_OF_KEY[key]})  # a schema acts through the config


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("apply", "", "apply: {soak: 1s}"),
        ("watch", "", "watch: {settle: 1s}"),
        ("log", "", "log: {level: debug}"),
        ("alerts", "", "alerts: {a: {when: {modules: m, health: unhealthy}}}"),
        ("moved", "", "moved: [{from: old, to: m}]"),
    ],
)
def test_what_is_said_of_the_whole_plant_changes_no_instance_and_the_target_all_the_same(tmp_path, key, before, after) -> None:  # fmt: skip
    graphs = [
        accepted(tmp_path, f"{text}\nmodules: {{m: {{command: [sh]}}}}\n").graph
        for text in (before, after, "\n" + after)
    ]
    assert len({graph.instances["m@gateway"].facets for graph in graphs}) == 1
    digests = [digest_of_graph(graph) for graph in graphs]
    assert digests[0] != digests[1] == digests[2], key


def test_the_interpreter_is_part_of_what_a_python_module_is(tmp_path) -> None:
    write(tmp_path, "code.py", CODE)
    old, new = _facets(tmp_path, "entry: 'code:One'"), _facets(tmp_path, "entry: 'code:One'", "python: /bin/sh")
    assert {name for name in NAMES if old[name] != new[name]} == {FACET_OF_PLANT_KEY["python"]}


def test_what_is_carried_is_seen_in_a_plan(tmp_path) -> None:
    from ignrun.planner.proposal import Base

    old = accepted(tmp_path, "modules: {m: {command: [sh]}}\n")
    body = "command: [sh], user: www, limits: {memory: 1MiB}, files: {a.txt: {json: {a: '${env:HOME:-x}'}}}, log: {to: both}"
    new = accepted(tmp_path, f"modules: {{m: {{{body}}}}}\n", Base(1, old.graph))
    (step,) = new.plan.steps
    assert {change.path[0] for change in step.changes} == {"user", "limits", "files", "log"}


def test_the_reference_puts_every_key_into_its_facet() -> None:
    text = (ROOT / "docs" / "reference" / "manifest.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\w+) \| (`.*) \|$", text, re.MULTILINE))
    wanted: dict[str, set[str]] = {name: set() for name in NAMES}
    for key, facet in (FACET_OF_KEY | FACET_OF_PLANT_KEY).items():
        if facet is not None:
            wanted[facet].add(key)
    assert {name: {*re.findall(r"`(\w+)`", rows[name])} for name in NAMES} == wanted
