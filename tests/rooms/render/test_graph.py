"""Holds the pictures of a graph to its edges."""

import itertools

import msgspec

from ignrun.render.graph import graph_dot, graph_json, graph_mermaid, graph_text
from tests.rooms.render.plants import LINE, graph_of, hosted, needs


def test_the_tree_shows_what_each_needs_and_says_what_was_shown_above() -> None:
    assert graph_text(LINE) == (
        "web  (command)\n"
        "|- historian  (own process)\n"
        "|  |- tags  (host gateway)\n"
        "|  `- schema  (oneshot command) [completed]\n"
        "`- tags (above) [after]\n"
    )


def test_a_plant_without_modules_says_so() -> None:
    assert graph_text(graph_of()) == "(no modules)\n"


def test_a_chain_of_thousands_does_not_exhaust_the_stack() -> None:
    names = [f"m{at}@gateway" for at in range(3000)]
    edges = tuple(needs(one, two) for one, two in itertools.pairwise(names))
    assert len(graph_text(graph_of(*map(hosted, names), edges=edges)).splitlines()) == 3000


def test_graphviz_gets_an_arrow_for_each_edge_and_what_only_orders_is_dotted() -> None:
    assert graph_dot(LINE) == (
        'digraph "line" {\n'
        "  rankdir=LR;\n"
        "  node [shape=box];\n"
        '  "tags@gateway" [label="tags"];\n'
        '  "schema@gateway" [label="schema"];\n'
        '  "historian@gateway" [label="historian"];\n'
        '  "web@gateway" [label="web"];\n'
        '  "historian@gateway" -> "tags@gateway";\n'
        '  "historian@gateway" -> "schema@gateway";\n'
        '  "web@gateway" -> "historian@gateway";\n'
        '  "web@gateway" -> "tags@gateway" [style=dotted];\n'
        "}\n"
    )


def test_mermaid_draws_an_arrow_for_each_edge() -> None:
    assert graph_mermaid(LINE) == (
        "flowchart LR\n"
        '  n0["tags"]\n'
        '  n1["schema"]\n'
        '  n2["historian"]\n'
        '  n3["web"]\n'
        "  n2 --> n0\n"
        "  n2 --> n1\n"
        "  n3 --> n2\n"
        "  n3 -..-> n0\n"
    )


def test_the_json_form_names_instances_in_start_order_and_every_edge() -> None:
    form = msgspec.json.decode(graph_json(LINE))
    assert [one["address"] for one in form["instances"]] == list(LINE.instances)
    assert form["edges"][1] == {
        "dependent": "historian@gateway",
        "slot": "schema",
        "provider": "schema@gateway",
        "kind": "requires",
        "condition": "completed",
        "place": {"file": "/plants/line.yaml", "line": 9, "column": 3, "end": 7},
    }
    assert graph_json(LINE) == graph_json(LINE)
