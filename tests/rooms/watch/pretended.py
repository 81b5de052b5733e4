"""Owns Pretended, a disk, its events, a thread that looks and a runner that reads, all on a clock that only the test moves."""

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from ignrun.runtime.watch.decide import decide
from ignrun.runtime.watch.model import (
    Edit,
    EditEnded,
    Followed,
    Hint,
    Hinted,
    Message,
    Scan,
    Scanned,
    Settle,
    Stir,
    Turned,
    WakeAt,
    WatchState,
    Woke,
)

LATENCY = 0.001
LOOK = 0.004
READING = 0.03


class Pretended:
    """A watcher in a pretended world; `readings` holds what each reading saw, with its time; `asked` when each was asked for."""

    def __init__(self, files: dict[str, str], **state: Any) -> None:
        self.now = 0.0
        self.disk = dict(files)
        self.lock = ""
        self.deaf = False
        self.decide = decide
        self.follows = True
        self.suspects: frozenset[str] | None = frozenset()
        self.on_outcome: Callable[[], None] = lambda: None
        self.state = WatchState(base=dict(files), **state)
        self.asked: list[float] = []
        self.edits: list[tuple[Edit, dict[str, str]]] = []
        self.readings: list[tuple[float, dict[str, str]]] = []
        self.turned: list[Turned] = []
        self.stirred = 0
        self.looks: list[Scan] = []
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._wake = 0
        self.hear(Woke())
        self.run(0.1)

    # --- what happens -------------------------------------------------------------------------------------------------

    def at(self, delay: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._coming, (self.now + delay, next(self._number), call))

    def write(self, path: str, text: str, *, complete: bool = True) -> None:
        """Change a file; `complete` with a rename or close behind it."""
        self.disk[path] = text
        self.hint(path, complete=complete)

    def hint(self, path: str, *, complete: bool = False) -> None:
        if not self.deaf:
            self.at(LATENCY, lambda: self.hear(Hinted((Hint(path, complete),))))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._coming and self._coming[0][0] <= end:
            self.now, _, call = heapq.heappop(self._coming)
            call()
        self.now = end

    # --- the watcher --------------------------------------------------------------------------------------------------

    def hear(self, *messages: Message) -> None:
        before = self.state.base
        self.state, effects = self.decide(self.state, messages, self.now)
        for effect in effects:
            match effect:
                case Scan():
                    self.looks.append(effect)
                    self.at(LOOK / 2, lambda scan=effect: self._look(scan))  # type: ignore[misc]
                case Settle(edit):
                    self.edits.append((edit, dict(before)))
                    self.asked.append(self.now)
                    self.at(READING / 2, self._read)
                case WakeAt(at):
                    self._wake += 1
                    self.at(max(0.0, at - self.now), lambda number=self._wake: self._woke(number))  # type: ignore[misc]
                case Turned():
                    self.turned.append(effect)
                case Stir():
                    self.stirred += 1

    def _woke(self, number: int) -> None:
        if number == self._wake:
            self.hear(Woke())

    def _look(self, scan: Scan) -> None:
        paths = {*self.state.base, *([self.state.trigger] if self.state.trigger else [])}
        picture = {path: self.disk.get(path, "") for path in paths}
        seen = Scanned(picture, scan.whole, self.lock, suspects=self.suspects)
        self.at(LOOK / 2, lambda: self.hear(seen))

    def _read(self) -> None:
        seen = dict(self.disk)
        self.readings.append((self.now, seen))

        def end() -> None:
            if self.follows:
                self.hear(Followed({path: text for path, text in seen.items() if path != self.state.trigger}))
            self.hear(EditEnded("committed"))
            self.on_outcome()

        self.at(READING / 2, end)
