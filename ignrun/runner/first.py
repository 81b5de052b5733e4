"""Owns the first apply of a runner in the foreground, and what its outcome means for the exit code."""

import asyncio
from collections.abc import Callable
from typing import Final

from ignrun.control.wire import ApplyRequest
from ignrun.render.outcome import OutcomeReport
from ignrun.runner.steering import Steering
from ignrun.runtime.supervise.messages import Message, ShutdownAsked

_STAYS: Final = {"held": 11, "rolled-back": 6, "rollback-partial": 7}
NOTHING_RUNS: Final = {"rejected": 3, "refused": 1}
"""Outcomes after which something runs, and those after which nothing does; the command line's enum holds the same numbers."""

_FAILED: Final = 1


class First:
    """The apply that a foreground runner begins with: refused, the runner ends; held, it stays and ends with 11."""

    def __init__(
        self, steering: Steering, hear: Callable[[Message], None], told: Callable[[OutcomeReport], None] | None
    ) -> None:
        """Take who applies, who is told to go down, and who listens to the outcome."""
        self._steering = steering
        self._hear = hear
        self._told = told
        self._task: asyncio.Task[None] | None = None
        self._result = ""

    def begin(self, request: ApplyRequest) -> None:
        """Apply `request` while the runner goes on."""
        self._task = asyncio.create_task(self._apply(request), name="first apply")
        self._task.add_done_callback(self._done)

    def final_code(self, code: int) -> int:
        """Give the code to end with when the runner was asked to end with `code`; raises what kept the apply from its outcome."""
        if self._task and self._task.done() and not self._task.cancelled():
            self._task.result()
        return _STAYS.get(self._result, code)

    async def _apply(self, request: ApplyRequest) -> None:
        outcome = await self._steering.apply(request)
        self._result = outcome.result
        if self._told:
            self._told(outcome)
        if outcome.result in NOTHING_RUNS and not self._steering.is_ending:
            self._hear(ShutdownAsked("nothing came into force", NOTHING_RUNS[outcome.result]))

    def _done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception():
            self._hear(ShutdownAsked("the first apply came to no outcome", _FAILED))
