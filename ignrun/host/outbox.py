"""Owns the reports that wait to be sent to the runner: moves in batches, order kept, log lines never without bound."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from ignrun.host.sendable import framed
from ignrun.protocol.reports import HealthReport, HostReport, Logged, LogLine, Move, Moves

BATCH: Final = 256
PAUSE: Final = 0.005
"""Seconds that a move waits at most, while others keep coming."""

UNSENT_LIMIT: Final = 2 * 2**20
"""Bytes that the runner may leave unread before log lines are dropped instead."""


class Outbox:
    """Sends reports in the order in which they were said; used on the event loop only."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, write: Callable[[bytes], None], unsent: Callable[[], int]
    ) -> None:
        self._loop = loop
        self._write = write
        self._unsent = unsent
        self._waiting: list[HostReport] = []
        self._moves: list[Move] = []
        self._checks: dict[str, HealthReport] = {}
        self._since = 0.0
        self._seen = 0
        self._scheduled = False

    def move(self, move: Move, after: Iterable[str] = ()) -> None:
        """Report a move: at once when it is a fault, else with those that happen in the same breath.

        It comes after the checks of its own instance and of those named in `after`, which may be why it happens.
        """
        if self._checks and (move.address in self._checks or not self._checks.keys().isdisjoint(after)):
            self._close_batch()
        self._moves.append(move)
        if move.fault is not None or len(self._moves) >= BATCH:
            self.flush()
        elif not self._scheduled:
            self._schedule()

    def check(self, report: HealthReport) -> None:
        """Report a check, behind the moves of this breath."""
        if report.address in self._checks:
            self._close_batch()
        self._checks[report.address] = report
        self._schedule()

    def say(self, report: HostReport) -> None:
        """Report anything else, after the moves that came before it."""
        self._close_batch()
        self._waiting.append(report)
        self._schedule()

    def log(self, lines: tuple[LogLine, ...]) -> bool:
        """Hand on log lines, or refuse them (False) while the runner does not keep up."""
        if self._unsent() > UNSENT_LIMIT:
            return False
        self.say(Logged(lines))
        return True

    def flush(self) -> None:
        """Send everything now."""
        self._close_batch()
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write(b"".join(framed(report) for report in waiting))

    def _close_batch(self) -> None:
        if self._moves:
            self._waiting.append(Moves(tuple(self._moves)))
            self._moves = []
        if self._checks:
            self._waiting += self._checks.values()
            self._checks = {}

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._since, self._seen = self._loop.time(), -1
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Send once a turn of the loop has added nothing, or the oldest has waited long enough."""
        said = len(self._moves) + len(self._checks) + len(self._waiting)
        if said == self._seen or self._loop.time() - self._since >= PAUSE:
            self._scheduled = False
            self.flush()
        else:
            self._seen = said
            self._loop.call_soon(self._look)
