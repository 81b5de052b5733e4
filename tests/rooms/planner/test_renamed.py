"""A module that got another name keeps its data, now and ever after, and is told as what it is: neither lost nor new."""

from pathlib import PurePath

from ignrun.planner.proposal import Base
from ignrun.render.plan import plan_report, plan_text
from tests.rooms.planner.reading import accepted

OLD = "modules: {old: {command: [sh], config: {d: '${dir:data}'}}, b: {command: [sh]}}\n"
MOVED = "moved: [{from: old, to: new}]\n"
NEW = OLD.replace("old:", "new:")


def data(proposal) -> dict[str, str]:
    return {spec.module: PurePath(spec.folders.data).name for spec in proposal.graph.instances.values()}


def test_a_module_takes_its_data_along_under_a_new_name(tmp_path):
    first = accepted(tmp_path, OLD)
    second = accepted(tmp_path, MOVED + NEW, Base(1, first.graph))
    assert data(second) == {"new": "old@gateway", "b": "b@gateway"}
    assert second.graph.instances["new@gateway"].config.plain["d"].endswith("/data/old@gateway")
    assert [(step.address, step.action) for step in second.plan.steps] == [
        ("old@gateway", "delete"), ("new@gateway", "create"),
    ]  # fmt: skip
    text = plan_text(plan_report(second.plan), shown_file=lambda file: PurePath(file).name)
    assert "  - old  delete\n      is `new` from now on, moved at plant.yaml:1:" in text
    assert "  + new  create\n      was `old`, keeps its data; moved at plant.yaml:1:" in text


def test_it_stays_so_once_nobody_says_any_more_that_it_moved(tmp_path):
    first = accepted(tmp_path, OLD)
    second = accepted(tmp_path, MOVED + NEW, Base(1, first.graph))
    for base in (Base(2, second.graph), Base(last=second.graph)):  # running, and started again after it was down
        third = accepted(tmp_path, NEW, base)
        assert data(third) == {"new": "old@gateway", "b": "b@gateway"}
    assert accepted(tmp_path, MOVED + NEW, Base(2, second.graph)).plan.steps == ()


def test_a_later_module_of_the_old_name_gets_a_folder_of_its_own(tmp_path):
    second = accepted(tmp_path, MOVED + NEW, Base(1, accepted(tmp_path, OLD).graph))
    both = NEW.replace("b:", "old: {command: [sh]}, b:")
    third = accepted(tmp_path, both, Base(2, second.graph))
    assert data(third) == {"new": "old@gateway", "old": "old@gateway+1", "b": "b@gateway"}
    assert data(accepted(tmp_path, both, Base(3, third.graph))) == data(third)


def test_a_plant_whose_only_module_moves_is_not_taken_for_lost(tmp_path):
    one = "modules: {a: {command: [sh]}}\n"
    first = accepted(tmp_path, one)
    moved = "moved: [{from: a, to: c}]\n" + one.replace("a:", "c:")
    assert data(accepted(tmp_path, moved, Base(1, first.graph))) == {"c": "a@gateway"}
