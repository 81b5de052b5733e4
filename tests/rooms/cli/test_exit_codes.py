"""Holds the exit codes to their page and to the failures that end in them."""

import pytest

from ignrun.cli.exit_codes import MEANINGS, ExitCode, code_of_failure, code_of_result
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.failure import (
    AmbiguousPlant,
    Failure,
    LockHeld,
    NoRunner,
    ReaderFailure,
    RunnerRefused,
    StateFolderFailure,
    WaitTimedOut,
)
from tests.rooms.cli.reference import CODES_PAGE, codes_page


def test_the_codes_are_those_that_are_promised() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 70, 130, 143]


def test_every_code_has_a_meaning_and_the_page_shows_it() -> None:
    assert set(MEANINGS) == set(ExitCode)
    assert CODES_PAGE.read_text(encoding="utf-8") == codes_page()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure("no"), 1),
        (AmbiguousPlant(("a", "b")), 2),
        (ReaderFailure("killed"), 1),
        (StateFolderFailure("/x", "full"), 5),  # type: ignore[arg-type]
        (LockHeld("the plant", "process 1"), 5),
        (WaitTimedOut("late"), 12),
        (NoRunner("none"), 13),
        (RunnerRefused(409, "no"), 1),
        (RunnerRefused(409, "held", kind="LockHeld"), 5),
    ],
)
def test_a_failure_ends_in_its_code(failure, code) -> None:
    assert code_of_failure(failure) == code


def test_every_result_of_an_apply_has_a_code() -> None:
    assert {result.value: int(code_of_result(result.value)) for result in Result} == {
        "committed": 0,
        "unchanged": 0,
        "held": 11,
        "rejected": 3,
        "refused": 1,
        "unkept": 1,
        "rolled-back": 6,
        "rollback-partial": 7,
        "superseded": 1,
        "interrupted": 1,
    }
