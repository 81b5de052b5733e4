"""Holds what operators are told of a hold: that it holds only once it is kept, and else that it will not outlive the runner."""

from collections.abc import Callable
from typing import Any

import pytest

from ignrun.runner.holding import Holding
from ignrun.runtime.supervise.effects import AnswerAsked
from ignrun.terms.names import Address

DISK_FULL = "disk full"
WEB, DB = Address("web@gateway"), Address("db@gateway")


class _Journal:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[Address, str], Callable[[str], None]]] = []

    def holds(self) -> dict[Address, str]:
        return {DB: "bob"}

    def keep_holds(self, holds: dict[Address, str], done: Callable[[str], None]) -> None:
        self.asked.append((holds, done))

    def answers(self, refusal: str = "") -> None:
        _, done = self.asked.pop(0)
        done(refusal)


@pytest.fixture
def journal() -> _Journal:
    return _Journal()


@pytest.fixture
def told() -> list[tuple[int, str]]:
    return []


@pytest.fixture
def holding(journal: Any, told: list[tuple[int, str]]) -> Holding:
    return Holding(journal, lambda one: told.append((one.request, one.refusal)), lambda call: call())


def test_who_stops_something_hears_of_it_once_it_is_kept(holding, journal, told):
    holding.keep({WEB: "ada", DB: "bob"})
    holding.answer(AnswerAsked(1, address=WEB))
    assert told == []
    journal.answers()
    assert told == [(1, "")]


def test_what_the_disk_refuses_is_said_to_end_with_the_runner(holding, journal, told):
    holding.keep({WEB: "ada", DB: "bob"})
    holding.answer(AnswerAsked(1, address=WEB))
    journal.answers(DISK_FULL)
    assert told == [(1, "it is so now, but will not outlive this runner: the journal cannot keep it (disk full)")]


@pytest.mark.parametrize(("refusal", "said"), [("", ""), (DISK_FULL, "the journal cannot keep it (disk full)")])
def test_who_has_stopped_only_after_the_disk_refused_is_not_told_that_it_is_kept_before_it_was_asked_again(
    holding, journal, told, refusal, said
):
    holding.keep({WEB: "ada", DB: "bob"})
    journal.answers(DISK_FULL)
    holding.answer(AnswerAsked(1, address=WEB))
    assert told == [] and journal.asked[0][0] == {WEB: "ada", DB: "bob"}
    journal.answers(refusal)
    ((request, heard),) = told
    assert request == 1 and heard.endswith(said) and bool(heard) is bool(refusal)


def test_a_start_that_cannot_be_kept_would_be_a_stop_for_the_next_runner(holding, journal, told):
    holding.keep({})
    journal.answers(DISK_FULL)
    holding.answer(AnswerAsked(1, address=DB))
    journal.answers(DISK_FULL)
    assert "will not outlive this runner" in told[0][1]


def test_whose_own_hold_is_kept_as_it_is_need_not_hear_of_the_disk(holding, journal, told):
    holding.keep({WEB: "ada", DB: "bob"})
    journal.answers(DISK_FULL)
    holding.answer(AnswerAsked(1, address=DB))
    assert told == [(1, "")] and journal.asked == []


def test_a_refusal_is_handed_on_as_it_is(holding, journal, told):
    holding.keep({WEB: "ada", DB: "bob"})
    holding.answer(AnswerAsked(1, "the plant is going down", WEB))
    journal.answers(DISK_FULL)
    assert told == [(1, "the plant is going down")]


def test_nobody_is_answered_while_a_later_hold_is_still_to_be_kept(holding, journal, told):
    holding.keep({WEB: "ada"})
    holding.answer(AnswerAsked(1, address=WEB))
    holding.keep({WEB: "ada", DB: "eve"})
    journal.answers(DISK_FULL)
    assert told == []
    journal.answers()
    assert told == [(1, "")]
