"""Owns what the modules of a host have asked their runner for and have no answer to yet."""

import asyncio
import itertools
from typing import Any, Final

import msgspec

from ignrun.host.incarnation import Incarnation
from ignrun.host.outbox import Outbox
from ignrun.protocol.orders import Answer
from ignrun.protocol.reports import ConfigAsked
from ignrun.sdk.raised import Refused

LONGEST_PATH: Final = 1000
LONGEST_VALUE: Final = 64 * 1024
"""Characters of a value as text."""


class Requests:
    """Puts requests to the runner, and hands each answer to the module that waits for it; used on the event loop only."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[str]] = {}

    async def put(self, incarnation: Incarnation, path: str, value: Any) -> None:
        """Ask for another value at `path`, and wait for the answer; raises Refused."""
        text = _text_of(value)
        if not path or len(path) > LONGEST_PATH or len(text) > LONGEST_VALUE:
            message = f"a path has 1 to {LONGEST_PATH} characters, a value at most {LONGEST_VALUE}"
            raise Refused(message)
        number = next(self._numbers)
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        self._outbox.say(ConfigAsked(incarnation.address, incarnation.epoch, number, path, text))
        try:
            refusal = await answer
        finally:
            del self._open[number]
        if refusal:
            raise Refused(refusal)

    def answered(self, order: Answer) -> None:
        """Take an answer; whoever asked may be gone by now."""
        waiting = self._open.get(order.request)
        if waiting is not None and not waiting.done():
            waiting.set_result(order.refusal)


def _text_of(value: Any) -> str:
    """Write a value as `ignrun config set` takes it."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError) as error:
        message = f"it is no JSON value: {error}"
        raise Refused(message) from error
