"""Owns the runner's State: takes in what happened, lets it be decided, and has the effects performed."""

import asyncio
from collections.abc import Callable

from ignrun.runtime.apply.decide import decide
from ignrun.runtime.apply.state import State
from ignrun.runtime.supervise.effects import Effect, WakeAt
from ignrun.runtime.supervise.messages import Message, Woke
from ignrun.runtime.supervise.now import Now
from ignrun.terms.clock import Clock

Perform = Callable[[State, tuple[Effect, ...], Now], None]
"""Carries out the effects of one turn; `State` is the one that they were decided in. What comes of them is heard later."""

Condition = Callable[[State], bool]
"""Something that a state may or may not meet; must not block."""


class Loop:
    """One owner of one `State`: everybody else sends messages by `hear` and looks at `state`."""

    def __init__(self, state: State, clock: Clock, on_bug: Callable[[Exception], None]) -> None:
        """Start from `state`; nothing happens before the first message, and `perform_by` comes before that.

        `on_bug` is told of a turn that could not be taken to its end: what was heard in it is lost, and the plant is not to go on so.
        """
        self.state = state
        self._clock = clock
        self._on_bug = on_bug
        self._perform: Perform | None = None
        self._inbox: list[Message] = []
        self._turn_planned = False
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[Condition, asyncio.Future[None]]] = []

    def perform_by(self, perform: Perform) -> None:
        """Say who carries out effects."""
        self._perform = perform

    def hear(self, message: Message) -> None:
        """Take in a message; it is decided upon in the next turn, together with all that has come by then."""
        self._inbox.append(message)
        if not self._turn_planned:
            self._turn_planned = True
            asyncio.get_running_loop().call_soon(self._turn)

    async def until(self, condition: Condition) -> None:
        """Return once the state meets a condition, which is asked now and after every turn."""
        if condition(self.state):
            return
        met = asyncio.get_running_loop().create_future()
        self._waiting.append((condition, met))
        await met

    def _turn(self) -> None:
        self._turn_planned = False
        inbox, self._inbox = tuple(self._inbox), []
        try:
            self._take_turn(inbox)
        except Exception as bug:  # noqa: BLE001 - the outermost frame of a turn: nobody else would hear of it
            self._on_bug(bug)

    def _take_turn(self, inbox: tuple[Message, ...]) -> None:
        now = Now(mono=self._clock.monotonic(), utc=self._clock.utc())
        self.state, effects = decide(self.state, inbox, now)
        rest = tuple(effect for effect in effects if not isinstance(effect, WakeAt))
        for effect in effects:
            if isinstance(effect, WakeAt):
                self._wake_at(effect.at - now.mono)
        if rest and self._perform:
            self._perform(self.state, rest, now)
        if self._waiting:
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for condition, met in waiting:
            if met.done():
                continue
            if condition(self.state):
                met.set_result(None)
            else:
                self._waiting.append((condition, met))

    def _wake_at(self, delay: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, delay), self.hear, Woke())
