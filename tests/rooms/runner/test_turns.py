"""Holds turns to their order: one wish at a time, others wait as long as they said, and hear who is before them."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from ignrun.runner.turns import Turns
from ignrun.runtime.apply.state import Phase
from ignrun.terms.failure import LockHeld


class Changing:
    """A loop in whose state a change is under way, and stays so."""

    def __init__(self, *, busy: bool) -> None:
        change = SimpleNamespace(number=7, phase=Phase.SOAKING)
        self.state: Any = SimpleNamespace(transaction=change if busy else None)

    async def until(self, condition: Any) -> None:
        if not condition(self.state):
            await asyncio.Event().wait()


def turns(*, busy: bool) -> Turns:
    loop: Any = Changing(busy=busy)
    return Turns(loop)


def soon() -> float:
    return asyncio.get_running_loop().time()


async def test_who_waits_no_longer_hears_whose_manifest_is_being_read() -> None:
    door = turns(busy=False)
    async with door.taken("ada", None):
        with pytest.raises(LockHeld, match="held by ada, whose manifest is being read"):
            async with door.taken("bob", soon()):
                pass


async def test_who_waits_no_longer_hears_whose_change_is_under_way() -> None:
    door = turns(busy=True)
    door.begun("ada")
    async with door.taken("bob", soon()):
        with pytest.raises(LockHeld, match="held by ada, whose change 7 is soaking"):
            await door.free(lambda state: state.transaction is None, soon())


async def test_a_free_turn_is_taken_however_short_the_patience() -> None:
    door = turns(busy=False)
    async with door.taken("ada", soon()):
        await door.free(lambda state: state.transaction is None, soon())


async def test_the_turn_comes_back_from_who_gave_up_and_from_who_failed() -> None:
    door = turns(busy=True)
    with pytest.raises(LockHeld):
        async with door.taken("ada", None):
            await door.free(lambda _: False, soon())
    async with door.taken("bob", soon()):
        pass


async def test_turns_are_taken_in_the_order_in_which_they_were_asked_for() -> None:
    door, seen = turns(busy=False), []

    async def one(name: str) -> None:
        async with door.taken(name, None):
            await asyncio.sleep(0)
            seen.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(one(name))
    assert seen == [*"abcd"]
