"""Owns the questions put to the loop that are not answered yet, by the numbers that their messages carry."""

import asyncio
import itertools
from typing import Any

from ignrun.runtime.supervise.effects import AnswerApply, AnswerAsked


class Answers:
    """Hands each answer of the loop to whoever waits for it."""

    def __init__(self) -> None:
        """Start with no question open."""
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[Any]] = {}

    def expect(self) -> tuple[int, "asyncio.Future[Any]"]:
        """Give the number for a new question, and what will hold its answer: an Outcome, or the text of a refusal."""
        number = next(self._numbers)
        self._open[number] = asyncio.get_running_loop().create_future()
        return number, self._open[number]

    def answer(self, effect: AnswerApply | AnswerAsked) -> None:
        """Hand an answer to whoever waits for it."""
        waiting = self._open.pop(effect.request, None)
        if waiting and not waiting.done():
            waiting.set_result(effect.outcome if isinstance(effect, AnswerApply) else effect.refusal)
