"""Going back without a number: to what was committed before, and twice goes back twice."""

from datetime import UTC, datetime

import pytest

from ignrun.runtime.journal.back import before
from ignrun.runtime.journal.generations import HistoryEntry

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _history(*said: str) -> list[HistoryEntry]:
    """Make a history, the latest first, of words such as `A`, `B rollback` or `C held`."""
    entries = []
    for number, words in enumerate(said, 1):
        target, trigger, result = (*words.split(), "", "")[:3]
        how = {"rollback": ("rollback", "committed"), "held": ("cli", "held"), "": ("cli", "committed")}[trigger]
        entries.append(HistoryEntry(number, 0, target, how[0], "me", AT, result=result or how[1]))
    return entries[::-1]


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (("A",), 0),
        (("A", "B"), 1),
        (("A", "B", "C"), 2),
        (("A", "B", "C", "B rollback"), 1),  # the second time
        (("A", "B", "C", "B rollback", "A rollback"), 0),  # there is nothing before the first
        (("A", "B", "A"), 2),
        (("A", "B", "A", "B rollback"), 1),
        (("A", "B held", "C"), 1),
        (("A", "B", "B"), 1),
        (("A", "B", "C", "B rollback", "D"), 4),
    ],
)
def test_what_is_gone_back_to(said, number) -> None:
    assert before(_history(*said), len(said)) == number


def test_a_damaged_generation_is_passed_over() -> None:
    last, *_, first = _history("A", "B", "C")
    damaged = HistoryEntry(2, 0, "", "", "", AT, is_sound=False)
    assert before([last, damaged, first], 3) == 1


def test_where_nothing_is_in_force_there_is_nothing_to_go_back_from() -> None:
    assert before([], 0) == 0
