"""Holds `ignrun rollback` to a clear refusal where there is nothing to go back to, before any runner is asked."""

from pathlib import Path

import pytest

from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.supervise.effects import Result
from tests.rooms.journal.plants import T0, ending, intent, proposal


@pytest.fixture
def running(plant_running):
    """Let a runner live whose journal holds two committed generations of the same content."""
    record = plant_running("four")
    journal = Journal(StateFolder(Path(record.state_dir)).journal, lambda _: None)
    for number in (1, 2):
        journal.keep_intent(intent(number, proposal("same")), "ann", T0, lambda _: None)
        journal.keep_outcome(ending(number, Result.COMMITTED), T0, lambda _: None)
    journal.close()
    return record


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            (),
            "error: there is no earlier good generation to go back to\nhint: `ignrun history` shows what is kept; `ignrun rollback N` takes any of it\n",
        ),
        (("2",), "error: generation 2 is in force already\nhint: `ignrun history` shows those before it\n"),
        (("7",), "error: there is no generation 7\nhint: `ignrun history` shows those that are kept\n"),
    ],
)
def test_what_cannot_be_gone_back_to_is_refused_with_a_hint(ignrun, running, words, said) -> None:
    ended = ignrun("rollback", *words)
    assert (ended.code, ended.out, ended.err) == (1, "", said)
    assert running.plant == "four"


def test_without_a_runner_there_is_nothing_to_bring_back(ignrun, plant_lying) -> None:
    plant_lying("four")
    assert ignrun("rollback").code == 13
