"""The runner's loop: a whole inbox in one turn, effects performed in the state that they were decided in."""

import asyncio

from ignrun.runner.loop import Loop
from ignrun.runtime.apply.state import State
from ignrun.runtime.supervise.effects import AnswerAsked, Effect, EndRunner
from ignrun.runtime.supervise.messages import Asked, ShutdownAsked
from ignrun.runtime.supervise.now import Now
from ignrun.terms.clock import SystemClock
from ignrun.terms.names import Address

bugs: list[Exception] = []


async def test_all_that_was_heard_by_then_is_decided_in_one_turn() -> None:
    turns: list[tuple[Effect, ...]] = []

    def perform(_state: State, effects: tuple[Effect, ...], _now: Now) -> None:
        turns.append(effects)

    loop = Loop(State(), SystemClock(), bugs.append)
    loop.perform_by(perform)
    loop.hear(Asked("restart", Address("nobody@gateway"), "a test", 1))
    loop.hear(Asked("restart", Address("nobody@gateway"), "a test", 2))
    await asyncio.sleep(0)
    assert len(turns) == 1
    assert [effect.request for effect in turns[0] if isinstance(effect, AnswerAsked)] == [1, 2]


async def test_an_empty_plant_goes_down_at_once() -> None:
    codes: list[int] = []

    def perform(_state: State, effects: tuple[Effect, ...], _now: Now) -> None:
        codes.extend(effect.code for effect in effects if isinstance(effect, EndRunner))

    loop = Loop(State(), SystemClock(), bugs.append)
    loop.perform_by(perform)
    loop.hear(ShutdownAsked("a test", 143))
    await asyncio.sleep(0)
    assert codes == [143]
    assert loop.state.ending == 143


async def test_a_turn_that_cannot_be_taken_to_its_end_is_told_and_not_swallowed() -> None:
    def perform(_state: State, _effects: tuple[Effect, ...], _now: Now) -> None:
        raise ZeroDivisionError

    found: list[Exception] = []
    loop = Loop(State(), SystemClock(), found.append)
    loop.perform_by(perform)
    loop.hear(ShutdownAsked("a test", 143))
    await asyncio.sleep(0)
    assert [type(one) for one in found] == [ZeroDivisionError]
