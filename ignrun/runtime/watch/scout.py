"""Owns Scout, the thread that looks at the disk for a watcher, so that a slow disk never holds the loop up."""

import os
import queue
import threading
from collections.abc import Callable, Mapping

import msgspec

from ignrun.runtime.watch.events import EventsRefusedError, FolderEvents
from ignrun.runtime.watch.git import index_locks
from ignrun.runtime.watch.look import Digester
from ignrun.runtime.watch.model import Message, Picture, Refused, Scan, Scanned
from ignrun.runtime.watch.places import Ground, Pattern, ground_of
from ignrun.runtime.watch.writers import written


class Target(msgspec.Struct, frozen=True):
    """What a look takes in: files and patterns, the trigger among the files, and the plant's processes by pid."""

    files: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    trigger: str = ""
    writers: Mapping[int, str] = {}


class Scout:
    """Looks when it is told to; what it saw is told by `hear`, from its own thread."""

    def __init__(
        self, events: FolderEvents | None, hear: Callable[[Message], None], broke: Callable[[Exception], None]
    ) -> None:
        """Take the events whose folders follow what is looked at, None where there are none."""
        self.folders: tuple[str, ...] = ()
        self._events = events
        self._hear = hear
        self._broke = broke
        self._digester = Digester()
        self._last: Picture = {}
        self._grown: dict[str, int] = {}
        self._counts: dict[int, int] = {}
        self._since: dict[int, int] | None = None
        self._marked = False
        self._wanted: queue.SimpleQueue[tuple[Scan, Target] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        self._thread.start()

    def look(self, scan: Scan, target: Target) -> None:
        """Have a look taken."""
        self._wanted.put((scan, target))

    def mark(self) -> None:
        """Count from here on what processes write."""
        self._marked = True

    def close(self) -> None:
        """Look no longer; a look at a disk that does not answer is not waited for."""
        self._wanted.put(None)

    def _work(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            try:
                self._hear(self._look(*wanted))
            except Exception as bug:  # noqa: BLE001 - the outermost frame of this thread
                self._broke(bug)

    def _look(self, scan: Scan, target: Target) -> Scanned:
        """Watch first, then look: what changes in between is announced."""
        counts = written(target.writers)
        if self._marked:  # from the look on that the edit came of: an apply may write at once
            self._marked, self._grown, self._since = False, {}, self._counts
        ground = ground_of(target.files, target.patterns)
        renewed = self._cover(ground)
        locks = index_locks(ground.folders)
        held = _held(locks)
        picture = self._digester.look(target.files, target.patterns, target.trigger, scan)
        self._grown |= {p: self._digester.size_of(p) for p, d in picture.items() if self._last.get(p, d) != d}
        self._last, self._counts = picture, counts
        return Scanned(picture, scan.whole, held or _held(locks), renewed, self._suspects(target.writers, counts))

    def _cover(self, ground: Ground) -> bool:
        """Have the folders watched; what the system refuses is told, and looked after by looking."""
        if self._events is None:
            return False
        try:
            return self._events.cover(ground)
        except EventsRefusedError as refused:
            self._hear(Refused(str(refused)))
            return False
        finally:
            self.folders = self._events.folders

    def _suspects(self, writers: Mapping[int, str], counts: dict[int, int]) -> frozenset[str] | None:
        """Name the processes that have written as much as has changed since the mark; None where nobody can say."""
        if self._since is None or not counts:
            return None
        least = max(1, sum(self._grown.values()))
        return frozenset(writers[pid] for pid, count in counts.items() if count - self._since.get(pid, 0) >= least)


def _held(locks: tuple[str, ...]) -> str:
    return next((lock for lock in locks if os.path.lexists(lock)), "")
