"""Holds what is steered from outside to its outcome: secrets stay as long as what needs them, a failed beginning is told."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from ignrun.control.wire import ApplyRequest
from ignrun.manifest.inputs import Inputs
from ignrun.planner.graph.model import EMPTY, Graph
from ignrun.planner.proposal import Reading
from ignrun.runner.answers import Answers
from ignrun.runner.applies import Applies
from ignrun.runner.first import First
from ignrun.runner.secrets import SecretStore
from ignrun.runtime.apply.state import State
from ignrun.runtime.journal.overlays import Overlays
from ignrun.runtime.supervise.effects import AnswerApply, Outcome, Result
from ignrun.runtime.supervise.messages import Message, ShutdownAsked
from ignrun.terms.failure import ReaderFailure
from ignrun.terms.verdict import Accepted
from tests.doubles.plants import graph, module, planned

INPUTS = Inputs("m", "s", "r", "p")
PLANT = graph([module("tags")])


class ScriptedLoop:
    """Answers an apply with `result`, after which `in_force` is the graph."""

    def __init__(self, result: Result, in_force: Graph) -> None:
        self.state = State()
        self.answer: Any = None
        self._result, self._in_force = result, in_force

    def hear(self, message: Any) -> None:
        self.state = replace(self.state, graph=self._in_force)
        outcome = Outcome(1, self._result, 1, "so it went")
        asyncio.get_running_loop().call_soon(self.answer, AnswerApply(message.request, outcome))

    async def until(self, condition: Any) -> None:
        assert condition(self.state)


def _reading_of(proposal: Any) -> Any:
    async def read(*_: object) -> Reading:
        return Reading(Accepted(proposal), secrets={"password": "hunter2"})

    return read


@pytest.mark.parametrize(
    ("result", "in_force", "kept"),
    [
        (Result.COMMITTED, PLANT, {"password"}),
        (Result.HELD, PLANT, {"password"}),
        (Result.UNKEPT, PLANT, {"password"}),  # the disk could not keep the outcome, but everything runs
        (Result.REFUSED, EMPTY, set()),
        (Result.REJECTED, EMPTY, set()),
    ],
)
async def test_secrets_stay_when_what_needs_them_runs(result, in_force, kept) -> None:
    secrets = SecretStore()
    await _apply(secrets, result, in_force)
    assert {*secrets.current()} == kept


async def test_who_is_rejected_takes_away_nobody_elses_secrets() -> None:
    secrets = SecretStore()
    secrets.offer(0, {"password": "of the one that is watched"})
    await _apply(secrets, Result.REJECTED, EMPTY)
    assert secrets.current()["password"].reveal() == "of the one that is watched"


async def _apply(secrets: SecretStore, result: Result, in_force: Graph) -> None:
    loop: Any = ScriptedLoop(result, in_force)
    answers = Answers()
    loop.answer = answers.answer
    reader: Any = SimpleNamespace(ask=_reading_of(planned(EMPTY, PLANT)), warm=lambda *_: None)
    code: Any = SimpleNamespace(keep=lambda *_: None)
    journal: Any = SimpleNamespace(good=lambda: 0)
    applies = Applies(
        loop=loop,
        reader=reader,
        secrets=secrets,
        code=code,
        overlays=Overlays(Path("/nowhere")),
        answers=answers,
        describe=lambda _, for_apply: INPUTS,
        journal=journal,
    )
    await applies.apply(ApplyRequest("m", "r"))


async def test_a_first_apply_without_an_outcome_ends_the_runner_and_says_why() -> None:
    async def fail(_: ApplyRequest) -> None:
        raise ReaderFailure("the reading process is gone")

    heard: asyncio.Queue[Message] = asyncio.Queue()
    first = First(SimpleNamespace(apply=fail), heard.put_nowait, None)  # type: ignore[arg-type]
    first.begin(ApplyRequest("m", "r"))
    assert await heard.get() == ShutdownAsked("the first apply came to no outcome", 1)
    with pytest.raises(ReaderFailure, match="the reading process is gone"):
        first.final_code(1)
