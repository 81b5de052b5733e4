"""Holds the comparison of two plants to its text and its JSON."""

import msgspec

from ignrun.manifest.model import ApplyPolicy, Moved
from ignrun.planner.graph.facets import with_facets
from ignrun.planner.graph.model import Graph, Rules
from ignrun.render.diff import diff_report, diff_text, encode_diff
from ignrun.terms.leaves import Tree
from tests.rooms.render.plants import at_line, command, hosted


def graph(*specs, rules: Rules | None = None) -> Graph:
    return Graph("line", {spec.address: with_facets(spec, ()) for spec in specs}, (), rules=rules or Rules())


BEFORE = graph(hosted("tags@gateway", config=Tree({"n": 1, "list": [1]})), command("old@gateway"))
AFTER = graph(
    hosted("tags@gateway", config=Tree({"n": 2, "list": [1, 2]})),
    command("web@gateway"),
    rules=Rules(apply=ApplyPolicy(soak=5.0)),
)


def test_a_comparison_names_what_was_added_removed_and_changed_with_the_values() -> None:
    assert diff_text(diff_report(BEFORE, AFTER, ("generation 3", "line.yaml"))) == (
        "from generation 3 to line.yaml:\n"
        "  ~ plant  changed\n"
        "      apply.soak: 3.0 -> 5.0\n"
        "  - old  removed\n"
        "  ~ tags  changed\n"
        "      n: 1 -> 2\n"
        "      list: [1] -> [1,2]\n"
        "  + web  added\n"
    )


def test_the_other_way_round_is_the_opposite() -> None:
    there, back = (diff_report(*pair, ("", "")).differences for pair in ((BEFORE, AFTER), (AFTER, BEFORE)))
    assert {(one.address, one.change) for one in there} == {
        ("plant", "changed"), ("old@gateway", "removed"), ("tags@gateway", "changed"), ("web@gateway", "added"),
    }  # fmt: skip
    by_name = {one.address: one for one in back}
    for one in there:
        assert one.before == by_name[one.address].after
        assert one.after == by_name[one.address].before


def test_places_alone_are_no_difference() -> None:
    moved = [Rules(moved=(Moved("a", "b", at_line(line)),)) for line in (3, 4)]
    same = [
        graph(hosted("tags@gateway", span=at_line(line)), rules=rules)
        for line, rules in zip((3, 9), moved, strict=True)
    ]
    assert diff_text(diff_report(same[0], same[1], ("a", "b"))) == "from a to b: no difference\n"


def test_the_json_form_has_these_keys() -> None:
    form = msgspec.json.decode(encode_diff(diff_report(BEFORE, AFTER, ("a", "b"))))
    assert set(form) == {"format_version", "before", "after", "differences"}
    assert set(form["differences"][0]) == {"address", "change", "paths", "before", "after", "units"}
