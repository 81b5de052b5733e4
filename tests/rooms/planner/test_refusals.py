"""A plan may be limited to some modules; it is refused where it deletes too much, what is still required, or where its base has moved."""

import pytest

from ignrun.planner.graph.facets import digest_of_content
from ignrun.planner.proposal import Base
from ignrun.terms.planning import Expected, Planning
from tests.rooms.planner.reading import accepted, complaints, inputs, lines, write

FOUR = "modules:\n  a: {command: [sh]}\n  b: {command: [sh], requires: [a]}\n  c: {command: [sh], wants: [b]}\n  d: {command: [sh]}\n"


def refused(folder, before, after, planning=None) -> list[str]:
    from ignrun.planner.reader import propose

    base = Base(3, accepted(folder, before).graph)
    asked = inputs(write(folder, "plant.yaml", after), planning=planning or Planning())
    return lines(propose(asked, base).verdict.diagnostics)


def done(folder, before, after, *targets) -> list[tuple[str, str]]:
    base = Base(3, accepted(folder, before).graph) if before else Base()
    plan = accepted(folder, after, base, planning=Planning(targets)).plan
    return [(step.address.removesuffix("@gateway"), step.action) for step in plan.steps]


def without(*names: str) -> str:
    return "\n".join(line for line in FOUR.split("\n") if line.strip()[:1] not in names)


@pytest.mark.parametrize(("gone", "said"), [("acd", "3 of 4"), ("bcd", "3 of 4")])
def test_a_plan_that_deletes_more_than_half_is_refused(tmp_path, gone, said):
    after = without(*gone).replace(", requires: [a]", "")
    [found] = refused(tmp_path, FOUR, after)
    assert f"IGN603 the plan deletes {said} instances" in found
    assert "`--allow-mass-delete` goes on" in found
    assert refused(tmp_path, FOUR, after, Planning(allow_mass_delete=True)) == []


def test_everything_is_more_than_half_also_of_one(tmp_path):
    one, other = "modules: {a: {command: [sh]}}\n", "modules: {z: {command: [sh]}}\n"
    assert "IGN603 the plan deletes all 1 instances" in refused(tmp_path, one, other)[0]


def test_a_half_and_less_goes_by_itself(tmp_path):
    assert refused(tmp_path, FOUR, without("c", "d")) == []


def test_a_target_takes_along_what_it_requires_and_nothing_else(tmp_path):
    assert done(tmp_path, "", FOUR, "b") == [("a", "create"), ("b", "create")]
    edited = FOUR.replace("[sh]", "[echo]")
    assert done(tmp_path, FOUR, edited, "b") == [("a", "replace"), ("b", "replace")]
    assert done(tmp_path, FOUR, edited, "c@gateway", "d") == [("c", "replace"), ("d", "replace")]
    assert done(tmp_path, FOUR, edited + "  e: {command: [sh], requires: [d]}\n", "e") == [
        ("d", "replace"),
        ("e", "create"),
    ]


def test_a_target_that_is_gone_is_deleted_and_the_rest_stays(tmp_path):
    assert done(tmp_path, FOUR, without("c", "d"), "d") == [("d", "delete")]


def test_what_stays_loses_no_provider_through_a_target(tmp_path):
    after = "modules: {b: {command: [sh]}}\n"
    [found] = refused(tmp_path, FOUR, after, Planning(("a",)))
    assert "IGN604 `a@gateway` would be deleted and is still required" in found


def test_what_only_wants_a_deleted_target_goes_on_without_it(tmp_path):
    base = Base(3, accepted(tmp_path, FOUR).graph)
    graph = accepted(tmp_path, without("b").replace(", wants: [b]", ""), base, planning=Planning(("b",))).graph
    assert [edge for edge in graph.edges if edge.provider == "b@gateway"] == []
    assert set(graph.instances) == {"a@gateway", "c@gateway", "d@gateway"}


def test_after_a_target_the_rest_is_still_to_be_done(tmp_path):
    base = Base(3, accepted(tmp_path, FOUR).graph)
    edited = FOUR.replace("[sh]", "[echo]")
    first = accepted(tmp_path, edited, base, planning=Planning(("d",)))
    second = accepted(tmp_path, edited, Base(4, first.graph))
    assert [step.address for step in second.plan.steps] == ["a@gateway", "b@gateway", "c@gateway"]
    assert first.target != second.target


def test_a_target_nobody_has_is_told_with_a_near_one(tmp_path):
    text = "modules: {historian: {command: [sh]}}\n"
    [found] = complaints(tmp_path, text, planning=Planning(("historan",)))
    assert found == "1:1 IGN301 there is no module `historan` (did you mean `historian`?)"


def test_a_plan_that_was_written_down_holds_for_its_base_and_its_inputs(tmp_path):
    base = Base(3, accepted(tmp_path, FOUR).graph)
    edited = FOUR.replace("[sh]", "[echo]")
    seen = accepted(tmp_path, edited, base)

    def again(text: str, number: int) -> list[str]:
        from ignrun.planner.reader import propose

        planning = Planning(expected=Expected(3, digest_of_content(seen.graph), "/p/plan.json"))
        asked = inputs(write(tmp_path, "plant.yaml", text), planning=planning)
        return lines(propose(asked, Base(number, base.graph)).verdict.diagnostics)

    assert again(edited, 3) == []
    assert again(edited + "# a comment changes nothing\n", 3) == []
    assert "IGN602 the plan is stale: it compares with generation 3, 4 is in force" in again(edited, 4)[0]
    assert "IGN602 the plan is stale: the manifest, or what belongs to it, has changed since" in again(FOUR, 3)[0]
