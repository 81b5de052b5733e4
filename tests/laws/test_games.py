"""Laws of everything at once, over games that numbers draw: many of them, and those that have once shown a mistake."""

from pathlib import Path

import msgspec
import pytest

from ignrun.runtime.apply import state
from ignrun.terms.states import ModuleState
from tests.laws.games import Game, complaint_of, draw, play, smallest
from tests.laws.sabotage import SABOTAGES

ONCE = sorted((Path(__file__).parent / "once").glob("*.json"))
QUICK = range(500)
FULL = range(500, 50_000)


@pytest.mark.parametrize("path", ONCE, ids=lambda path: path.stem)
def test_what_has_once_gone_wrong_goes_well(path):
    play(msgspec.json.decode(path.read_bytes(), type=Game))


def test_whatever_game_is_drawn_the_laws_hold():
    assert {number: found for number in QUICK if (found := complaint_of(draw(number)))} == {}


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_whatever_game_is_drawn_the_laws_hold_for_long_and_every_phase_and_state_is_entered():
    phases: set[state.Phase] = set()
    states: set[ModuleState] = set()
    for number in FULL:
        played = play(draw(number))
        phases |= type(played).phases
        states |= type(played).states
    assert phases == set(state.Phase)
    assert states == set(ModuleState)


@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_games_catch_a_runner_that(name):
    assert any(complaint_of(draw(number), SABOTAGES[name]) for number in QUICK)


def test_the_smallest_game_that_fails_in_the_same_way_is_found():
    game = draw(3)
    found = smallest(game, lambda one: "it is asked" if any(move.what == "ask" for move in one.moves) else "")
    assert [move.what for move in found.moves] == ["ask"]
