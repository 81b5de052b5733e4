"""Holds the API to an answer for everything: no request, sound or not, meets a bug or hears anything but JSON."""

import random

import msgspec
import pytest

from ignrun.control.guard import Guard
from ignrun.control.routes import Door, application
from ignrun.control.streams import Streams
from ignrun.control.wire import Problem
from tests.rooms.control.hammer import answered, cases, mutants
from tests.rooms.control.scripted import ScriptedRunner


async def hammered(each: int, mutations: int) -> tuple[int, list[str]]:
    """Send so many requests and give their number and what was answered as it must not be."""
    runner = ScriptedRunner()
    runner.go.set()
    app = Guard(application(runner, Streams()))
    chance = random.Random(1)
    count, wrong = 0, []
    for case in cases(each):
        for sent in mutants(case, mutations, chance):
            count += 1
            try:
                got = await answered(app, sent)
            except Exception as bug:
                wrong.append(f"{bug!r}: {sent}")
                continue
            if got.status == 500 or (got.status >= 400 and sent.method != "HEAD" and not _is_said(got.body)):
                wrong.append(f"{got}: {sent}")
    return count, wrong


def _is_said(body: bytes) -> bool:
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return "valid" in said or bool(msgspec.convert(said, Problem).summary)


async def test_no_request_meets_a_bug() -> None:
    count, wrong = await hammered(each=18, mutations=24)
    assert (wrong[:3], count > 9_000) == ([], True), count


@pytest.mark.torture
@pytest.mark.timeout(600)
async def test_no_request_of_very_many_meets_a_bug() -> None:
    count, wrong = await hammered(each=100, mutations=50)
    assert (wrong[:3], count > 90_000) == ([], True), count


async def test_the_hammer_finds_a_door_that_breaks(monkeypatch) -> None:
    sound = Door._instance

    def brittle(door: Door, named: str):
        if not named.isascii():
            raise ValueError(named)
        return sound(door, named)

    monkeypatch.setattr(Door, "_instance", brittle)
    count, wrong = await hammered(each=5, mutations=5)
    assert count > 200
    assert any("ValueError" in one for one in wrong)
