"""Owns what Ctrl-C does while a live runner applies: the first takes the apply back, the second leaves the runner to it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from ignrun.cli.speech import say

if TYPE_CHECKING:
    from ignrun.terms.events import Event


class TakingBack:
    """Knows whether the apply of this command has begun, and whether it was asked to be taken back."""

    def __init__(self, target: str, cancel: Callable[[], None]) -> None:
        """Watch for the apply with this digest; `cancel` asks the runner to take it back."""
        self._target = target
        self._cancel = cancel
        self._begun = False
        self.asked = False

    def heard(self, event: "Event") -> None:
        """Take note of the beginning of our own apply; somebody else's is not ours to take back."""
        from ignrun.terms.events import ApplyBegan

        self._begun |= isinstance(event.body, ApplyBegan) and event.body.digest == self._target

    def interrupted(self, _number: int, _frame: FrameType | None) -> None:
        """Ask once; everything else is an interruption of this command only."""
        if self.asked or not self._begun:
            raise KeyboardInterrupt
        self.asked = True
        say("taking the apply back; Ctrl-C once more leaves the runner to it")
        self._cancel()


@contextmanager
def taking_back(target: str, cancel: Callable[[], None]) -> Iterator[TakingBack]:
    """Let Ctrl-C take the apply with this digest back for as long as the block runs."""
    taken = TakingBack(target, cancel)
    before = signal.signal(signal.SIGINT, taken.interrupted)
    try:
        yield taken
    finally:
        signal.signal(signal.SIGINT, before)
