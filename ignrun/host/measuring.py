"""Tells the runner, every few seconds, how the metrics that modules of this host keep stand."""

import asyncio
from collections.abc import Collection
from typing import Final

from ignrun.host.incarnation import Incarnation
from ignrun.host.outbox import Outbox
from ignrun.protocol.reports import Measured, Metrics
from ignrun.terms.states import RESTING

USUAL: Final = 10.0
"""Seconds between two looks, unless the runner wants them more often."""


class Meter:
    """Knows whose metrics there are; used on the event loop only. Where no module keeps any, it never wakes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, outbox: Outbox) -> None:
        self._loop = loop
        self._outbox = outbox
        self._interval = USUAL
        self._known: dict[Incarnation, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, incarnation: Incarnation) -> None:
        """Look at the metrics of an incarnation from now on."""
        if incarnation.state not in RESTING:
            self._known[incarnation] = None
            self._wait()

    def pace(self, interval: float) -> None:
        """Tell all metrics now, and those that change every so many seconds."""
        self._interval = interval if interval > 0 else USUAL
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell(self._known)
        self._wait()

    def end_of(self, incarnation: Incarnation) -> None:
        """Tell for the last time how the metrics of an incarnation stand."""
        if incarnation in self._known:
            self._tell((incarnation,))
            del self._known[incarnation]

    def _wait(self) -> None:
        if self._timer is None and self._known:
            self._timer = self._loop.call_later(self._interval, self._look)

    def _look(self) -> None:
        self._timer = None
        self._tell([one for one in self._known if one.metrics.changed])
        self._wait()

    def _tell(self, incarnations: Collection[Incarnation]) -> None:
        if incarnations:
            measured = (Measured(one.address, one.epoch, one.metrics.readings()) for one in incarnations)
            self._outbox.say(Metrics(tuple(measured)))
