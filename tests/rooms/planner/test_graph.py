"""Slots are bound, circles are told, instances are ordered, placed and digested."""

import msgspec
import pytest

from ignrun.planner.graph.facets import FACET_OF, FACET_OF_COMMAND, FACET_OF_HOSTED, NAMES
from ignrun.planner.graph.model import Command, Facets, Hosted, InstanceSpec
from ignrun.planner.proposal import Base
from tests.rooms.planner.reading import accepted, complaints, write

TAGS = "kind: Module\nmetadata: {id: com.acme.tags, name: Tags, version: 1.2.0}\nentry: job:Job\n"
ALARMS = """\
kind: Module
metadata: {id: com.acme.alarms, name: Alarms, version: 1.0.0}
entry: job:Job
requires: {tags: {uses: com.acme.tags, version: ">=1,<2"}, all: {uses: com.acme.tags, many: true}}
wants: {mail: {uses: com.acme.mail}}
"""


@pytest.fixture
def plant(tmp_path):
    write(tmp_path, "job.py", "class Job: ...\n")
    write(tmp_path, "defs/tags/module.yaml", TAGS)
    write(tmp_path, "defs/alarms/module.yaml", ALARMS)
    return tmp_path


def edges_of(graph, dependent):
    return [(edge.kind, edge.slot, edge.provider) for edge in graph.edges if edge.dependent == dependent]


def test_unbound_slots_go_to_the_module_of_their_name_else_to_the_only_one_of_its_definition(plant):
    text = "sources: [{path: defs}]\nmodules:\n  NAME: {uses: com.acme.tags}\n  alarms: {uses: com.acme.alarms}\n"
    for name in ("tags", "anything"):
        graph = accepted(plant, text.replace("NAME", name)).graph
        provider = f"{name}@gateway"
        assert edges_of(graph, "alarms@gateway") == [("requires", "tags", provider), ("requires", "all", provider)]


def test_an_ambiguous_slot_and_a_missing_one_are_told_at_the_module(plant):
    text = "sources: [{path: defs}]\nmodules:\n  alarms: {uses: com.acme.alarms}\n"
    [one, two] = complaints(plant, text)
    assert one.startswith("3:3 IGN310 the slot `all` of `alarms` is missing")
    assert two.startswith("3:3 IGN310 the slot `tags` of `alarms` is missing")
    more = text + "  a: {uses: com.acme.tags}\n  b: {uses: com.acme.tags}\n"
    assert complaints(plant, more) == ["3:3 IGN318 the slot `tags` of `alarms` is ambiguous (bind one of `a`, `b`)"]
    bound = more.replace("alarms: {uses: com.acme.alarms}", "alarms: {uses: com.acme.alarms, requires: {tags: b}}")
    graph = accepted(plant, bound).graph
    assert edges_of(graph, "alarms@gateway") == [
        ("requires", "tags", "b@gateway"),
        ("requires", "all", "a@gateway"),
        ("requires", "all", "b@gateway"),
    ]


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        ("{tags: [a, b]}", "5:46 IGN311 the slot `tags` takes one module (it is bound to `a`, `b`)"),
        ("{tgas: a}", "5:46 IGN309 the definition of `alarms` has no slot `tgas` (did you mean `tags`?)"),
        ("{tags: c}", "5:52 IGN319 `c` does not fit the slot `tags` (the slot asks for `com.acme.tags`, this is `c`)"),
        ("{tags: aa}", "5:52 IGN301 there is no module `aa` (did you mean `a`?)"),
        ("{tags: a@client}", "5:52 IGN312 `a` has no active instance in scope client (it has one in `gateway`)"),
    ],
)
def test_a_wrong_binding_is_told_at_its_place(plant, binding, told):
    text = f"""\
        sources: [{{path: defs}}]
        modules:
          a: {{uses: com.acme.tags}}
          b: {{uses: com.acme.tags}}
          alarms: {{uses: com.acme.alarms, requires: {binding}}}
          c: {{command: [echo]}}
        """
    assert complaints(plant, text)[0].startswith(told)


def test_names_nobody_declares_are_errors_in_all_three_and_disabled_modules_are_not(plant):
    text = """\
        modules:
          a: {command: [echo], requires: [of], wants: {w: gone}, after: [gone]}
          b: {command: [echo], requires: [off], wants: [off], after: [off]}
          off: {command: [echo], enabled: false}
        """
    assert complaints(plant, text) == [
        "2:35 IGN301 there is no module `of` (did you mean `off`?)",
        "2:51 IGN301 there is no module `gone`",
        "2:66 IGN301 there is no module `gone`",
        "3:35 IGN403 `b` requires `off`, which is disabled: it starts without it",
    ]


def test_an_instance_is_bound_in_its_own_scope_else_to_the_gateway_and_follows_its_own_gateway_instance(plant):
    text = """\
        modules:
          hmi: {entry: "job:Job", scopes: [designer, gateway], requires: [tags, db]}
          tags: {entry: "job:Job", scopes: [gateway, designer]}
          db: {entry: "job:Job"}
        """
    graph = accepted(plant, text).graph
    assert edges_of(graph, "hmi@designer") == [
        ("requires", "tags", "tags@designer"),
        ("requires", "db", "db@gateway"),
        ("after", "", "hmi@gateway"),
    ]
    assert {spec.address: spec.body.host for spec in graph.instances.values()} == {
        "tags@gateway": "gateway",
        "tags@designer": "designer",
        "db@gateway": "gateway",
        "hmi@gateway": "gateway",
        "hmi@designer": "designer",
    }
    only = accepted(plant, "activate: [gateway]\n" + text.replace("        ", "")).graph
    assert not [one for one in only.instances if one.endswith("@designer")]
    assert set(accepted(plant, text, scopes=("gateway",)).graph.instances) == set(only.instances)
    [told] = complaints(plant, text, scopes=("designer",))
    assert told.startswith("2:73 IGN403 the module `db` is not active")


def test_an_export_that_is_used_requires_its_provider(plant):
    text = """\
        modules:
          a: {command: [echo], config: {x: "${module:b.exports.url}"}}
          b: {command: [echo], exports: {url: x}}
        """
    graph = accepted(plant, text).graph
    assert list(graph.instances) == ["b@gateway", "a@gateway"]
    assert edges_of(graph, "a@gateway") == [("requires", "", "b@gateway")]


def test_circles_are_told_once_each_the_shortest_with_the_place_of_every_edge(plant):
    text = """\
        modules:
          a: {command: [echo], requires: [b]}
          b: {command: [echo], wants: [c], after: [a]}
          c: {command: [echo], after: [a]}
          x: {command: [echo], requires: [y]}
          y: {command: [echo], requires: [z]}
          z: {command: [echo], requires: [x]}
          free: {command: [echo], requires: [x]}
          me: {command: [echo], requires: [me]}
        """
    assert complaints(plant, text) == [
        "2:35 IGN401 cycle: `a` -> `b` -> `a` (remove one of these edges)",
        "5:35 IGN401 cycle: `x` -> `y` -> `z` -> `x` (remove one of these edges)",
        "9:36 IGN402 `me` needs itself: a cycle of one (remove it)",
    ]


def test_a_command_that_never_ends_cannot_complete(plant):
    text = (
        "modules:\n  a: {command: [echo]}\n  b: {command: [echo], requires: {a: {module: a, condition: completed}}}\n"
    )
    [told] = complaints(plant, text)
    assert "IGN404 `a` is no oneshot and never completes" in told


# --- facets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("struct", "table"), [(InstanceSpec, FACET_OF), (Hosted, FACET_OF_HOSTED), (Command, FACET_OF_COMMAND)]
)
def test_every_field_belongs_to_exactly_one_facet_or_says_that_it_has_none(struct, table):
    assert set(table) == set(struct.__struct_fields__)
    assert set(table.values()) <= {*NAMES, None}


def test_the_facets_are_those_of_the_model():
    assert set(NAMES) == set(Facets.__struct_fields__)


PLANT = """\
modules:
  a: {command: [echo]}
  b:
    command: [echo, "${config:port}"]
    config: {port: 1, deep: {x: 1, y: 2}}
    requires: [a]
    labels: {tier: data}
    lifecycle: {stop_timeout: 10s}
"""


def facets(folder, text):
    return accepted(folder, text).graph.instances["b@gateway"].facets


def differing(one, other):
    return {name for name in NAMES if getattr(one, name) != getattr(other, name)}


def test_place_order_of_keys_and_comments_do_not_count(plant):
    moved = """\
# a comment
modules:
  b:
    labels: {"tier": 'data'}
    requires: {a: a}
    config: {deep: {y: 2, x: 1}, port: 1}
    lifecycle: {stop_timeout: 10s}
    command: ["echo", "${config:port}"]
  a: {command: [echo]}
"""
    assert differing(facets(plant, PLANT), facets(plant, moved)) == set()


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("y: 2", "y: 3", {"config"}),
        ("tier: data", "tier: web", {"meta"}),
        ("10s", "11s", {"policy"}),
        ("requires: [a]", "wants: [a]", {"wiring"}),
        ("[echo, ", "[printf, ", {"identity"}),
        ("port: 1", "port: 2", {"config", "identity"}),
    ],
)
def test_a_change_shows_in_its_own_facet_only(plant, old, new, changed):
    assert differing(facets(plant, PLANT), facets(plant, PLANT.replace(old, new))) == changed


# --- placement --------------------------------------------------------------------------------------------------------


def test_new_code_goes_to_one_fresh_host_and_the_neighbours_stay(plant):
    write(plant, "other.py", "class Job: ...\n")
    text = """\
modules:
  a: {entry: "job:Job"}
  b: {entry: "job:Job", config: {x: 1}}
  c: {entry: "job:Job", isolation: process}
"""
    first = accepted(plant, text).graph
    write(plant, "other.py", "class Job:\n    pass\n")
    changed = text.replace('a: {entry: "job:Job"}', 'a: {entry: "other:Job"}').replace("x: 1", "x: 2")
    second = accepted(plant, changed + '  d: {entry: "job:Job"}\n', Base(4, first)).graph
    assert {name: spec.body.host for name, spec in second.instances.items()} == {
        "a@gateway": "gateway+1",
        "b@gateway": "gateway",
        "c@gateway": "c@gateway",
        "d@gateway": "gateway+1",
    }


def test_a_graph_comes_back_from_its_bytes_as_it_was(plant):
    graph = accepted(plant, PLANT).graph
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(graph), type=type(graph)) == graph
    assert msgspec.json.decode(msgspec.json.encode(graph), type=type(graph)) == graph
