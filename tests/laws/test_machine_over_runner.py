"""Laws of everything at once, over the real runner: its loop, its performer, its journal on a disk that can be full."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace

from ignrun.runner import fill, perform
from ignrun.runner.holding import Holding
from ignrun.runner.loop import Loop
from ignrun.runner.perform import Performer
from ignrun.runtime.apply import state
from ignrun.runtime.journal import start, store, writer
from ignrun.runtime.journal.recovery import Recovered
from ignrun.runtime.journal.writer import Journal
from ignrun.terms.states import ModuleState
from tests.laws.games import Game, complaint_of, draw, play
from tests.laws.machine_over_runner import ALSO, RunnerPlants

QUICK = settings(max_examples=50, stateful_step_count=30, derandomize=True)
FULL = settings(max_examples=2000, stateful_step_count=50)
GAMES = range(60)
CATCHING = range(200)


ONCE = sorted((Path(__file__).parent / "once").glob("*.json"))


def machine() -> type[RunnerPlants]:
    """Give a machine of its own, so that it counts by itself what it has entered."""
    return type("Plant", (RunnerPlants,), {"phases": set(), "states": set()})


def test_whatever_happens_in_whatever_order_the_promises_of_the_runner_hold():
    run_state_machine_as_test(machine(), settings=QUICK)


def test_whatever_game_is_drawn_the_laws_hold_over_the_runner():
    assert {number: found for number in GAMES if (found := complaint_of(draw(number, ALSO), over=RunnerPlants))} == {}


@pytest.mark.parametrize("path", ONCE, ids=lambda path: path.stem)
def test_what_has_once_gone_wrong_goes_well_over_the_runner(path):
    play(msgspec.json.decode(path.read_bytes(), type=Game), over=RunnerPlants)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_whatever_happens_for_long_the_promises_of_the_runner_hold_and_every_phase_and_state_is_entered():
    plants = machine()
    run_state_machine_as_test(plants, settings=FULL)
    assert plants.phases == set(state.Phase)
    assert plants.states == set(ModuleState)


def _answered_at_once(self: Journal, effect: Any, at: Any, done: Any, real: Any = Journal.keep_outcome) -> None:
    done("")
    real(self, effect, at, lambda _: None)


def _with_the_old_config(revising: Any, **given: Any) -> Any:
    made = fill.revision_of(revising, **given)
    return replace(made, config={**made.config, "level": 3 - made.config["level"]})


def _without_the_last(self: Journal, happenings: Any, *given: Any, real: Any = Journal.submit_events) -> None:
    real(self, happenings[:-1], *given)


def _changed(owner: object, name: str, instead: Any) -> AbstractContextManager[Any]:
    return patch.object(owner, name, instead)


SABOTAGES: Final = {
    "forgets who is held": lambda: _changed(Holding, "keep", lambda *_: None),
    "answers operators before it is kept": lambda: _changed(Holding, "answer", lambda self, one: self._answer(one)),
    "revises to the old config": lambda: _changed(perform, "revision_of", _with_the_old_config),
    "fills in no secret": lambda: _changed(fill, "fill_secrets", lambda tree, _: (tree.plain, ())),
    "imports what was not committed": lambda: _changed(Performer, "_code_of", lambda *_: ""),
    "forgets its timer": lambda: _changed(Loop, "_wake_at", lambda *_: None),
    "says that an outcome is kept before it is": lambda: _changed(Journal, "keep_outcome", _answered_at_once),
    "keeps nothing but events": lambda: _changed(writer, "_write_entry", lambda *_: None),
    "loses what happened": lambda: _changed(Journal, "submit_events", _without_the_last),
    "leaves open what a crash broke off": lambda: _changed(start, "recover", lambda *_: Recovered()),
    "moves no pointer": lambda: _changed(store, "move_pointer", lambda *_: None),
}
"""By what is wrong with a runner: what decisions alone would never show."""


@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_games_over_the_runner_catch_one_that(name):
    with SABOTAGES[name]():
        assert any(complaint_of(draw(number, ALSO), over=RunnerPlants) for number in CATCHING)
