"""Holds `ignrun history` to what people need before they go back: who, when, how it ended, what it was made from."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.schema import open_store
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.fault import Fault, FaultKind
from tests.rooms.journal.plants import T0, WEB, ended, ending, intent, proposal


@pytest.fixture
def journal(plant_lying) -> Path:
    """Write a history of three generations: one committed, one held, one cut off."""
    path = StateFolder(Path(plant_lying("four").state_dir)).journal
    writer = Journal(path, lambda _: None)
    for number, result in ((1, Result.COMMITTED), (2, Result.HELD)):
        writer.keep_intent(intent(number, proposal(f"t{number}")), "ann", T0, lambda _: None)
        fault = None if result is Result.COMMITTED else Fault(FaultKind.RAISED, "no such tag")
        writer.submit_events([ended(number), ended(number, WEB, fault=fault)], T0, 0.0, number)
        writer.keep_outcome(ending(number, result), T0, lambda _: None)
    writer.keep_intent(intent(3, proposal("t3")), "\x1b[2Jbob", T0, lambda _: None)
    writer.close()
    return path


def test_a_line_for_each_generation_says_how_it_ended_and_which_one_is_in_force(ignrun, journal) -> None:
    shown = ignrun("history").out.splitlines()
    assert [line.split() for line in shown] == [
        ["GENERATION", "WHEN", "(UTC)", "WHO", "BY", "RESULT", "CHANGES", "SUMMARY"],
        ["3", "2026-05-04", "03:02:01", "\\x1b[2Jbob", "cli", "under", "way", "+1"],
        ["2", "(current)", "2026-05-04", "03:02:01", "ann", "cli", "held", "+1", "held", "it", "is"],
        ["1", "(good)", "2026-05-04", "03:02:01", "ann", "cli", "committed", "+1", "committed", "it", "is"],
    ]
    assert len(ignrun("history", "--lines", "1").out.splitlines()) == 2
    assert journal.exists()


def test_the_same_as_json(ignrun, journal) -> None:
    report = json.loads(ignrun("history", "-o", "json").out)
    assert (report["format_version"], report["plant"]) == ("1.0", "four")
    newest, held, _ = report["generations"]
    assert (newest["number"], newest["result"], newest["ended"]) == (3, None, None)
    assert held == {
        "number": 2, "at": "2026-05-04T03:02:01.234567Z", "ended": "2026-05-04T03:02:01.234567Z", "author": "ann",
        "trigger": "cli", "parent": 1, "target_digest": "t2", "result": "held", "summary": "held it is",
        "changes": {"create": 1}, "current": True, "good": False, "readable": True,
    }  # fmt: skip


def test_one_generation_in_full_shows_its_plan_its_steps_and_what_it_was_made_from(ignrun, journal) -> None:
    shown = ignrun("history", "2").out
    assert shown.startswith("Generation 2 (current)\n  when    2026-05-04 03:02:01 UTC, ended 03:02:01\n")
    assert "  who     ann by cli\n  after   generation 1\n  result  held: held it is\n" in shown
    assert "Plan: 1 to add" in shown
    assert "  03:02:01 create tags: done\n  03:02:01 create web: failed: no such tag\n" in shown
    assert "  manifest   /srv/plant.yaml  ab12\n  env        PORT=80\n  secret     DB_PW  (not at hand)\n" in shown
    report = json.loads(ignrun("history", "2", "-o", "json").out)
    assert (report["generation"]["number"], report["names"]) == (2, ["PORT", "DB_PW"])
    assert report["steps"][1]["fault"]["summary"] == "no such tag"
    assert report["code"] == {"tags@gateway": "c0de"}


def test_a_generation_that_is_not_there_is_a_failure_with_a_hint(ignrun, journal) -> None:
    found = ignrun("history", "9")
    assert (found.code, found.err) == (
        1,
        "error: there is no generation 9\nhint: `ignrun history` shows those that are kept\n",
    )


def test_a_damaged_generation_is_shown_as_such(ignrun, journal) -> None:
    with closing(open_store(journal)) as store:
        store.execute("UPDATE generations SET author = 'eve' WHERE number = 1")
    assert ignrun("history").out.splitlines()[-1].split() == [
        "1",
        "(good)",
        *["damaged", "cannot", "be", "read", "any", "more"],
    ]
    assert ignrun("history", "1").err.startswith("error: generation 1 is damaged in the journal\n")


def test_where_nothing_was_ever_applied_there_is_no_history(ignrun, plant_lying) -> None:
    plant_lying("four")
    found = ignrun("history")
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("error: plant `four` has no history\nhint: `ignrun apply")


def test_looking_at_a_plant_that_is_down_leaves_nothing_beside_its_store(ignrun, journal) -> None:
    for words in (("history",), ("events",), ("status",)):
        ignrun(*words)
        assert [one.name for one in journal.parent.glob("journal.sqlite*")] == ["journal.sqlite"]
