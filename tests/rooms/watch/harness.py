"""Owns Watched, a watcher of real files with a counting callback in the place of a runner."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from ignrun.manifest.model import WatchPolicy
from ignrun.manifest.seen import Listing, Seen, found_in
from ignrun.runtime.watch.model import Edit, Turned
from ignrun.runtime.watch.watcher import EditOutcome, Watcher
from ignrun.terms.clock import SystemClock


def digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _texts(seen: Seen) -> dict[str, str]:
    return {path: Path(path).read_text() if found else "" for path, found in seen.files.items()}


class Watched:
    """Reads its files at each settled edit, as a runner would, and remembers what it read: `applied` holds the texts in order."""

    def __init__(self, *files: Path, patterns: tuple[tuple[Path, str], ...] = (), **options) -> None:
        self.files = files
        self.patterns = patterns
        self.applied: list[dict[str, str]] = []
        self.edits: list[Edit] = []
        self.turned: list[Turned] = []
        self.bugs: list[Exception] = []
        self.stirred = 0
        self.on_apply: Callable[[], None] = lambda: None
        policy = options.pop("policy", WatchPolicy())
        self.watcher = Watcher(
            seen=self.seen(),
            policy=policy,
            on_settled=self._apply,
            on_stir=self._stir,
            clock=SystemClock(),
            on_bug=self.bugs.append,
            on_turned=self.turned.append,
            **options,
        )

    def seen(self) -> Seen:
        listings = tuple(Listing(str(f), p, found_in(str(f), p)) for f, p in self.patterns)
        more = [Path(one.folder, name) for one in listings for name in one.names]
        return Seen({str(path): digest(path) for path in (*self.files, *more)}, listings)

    async def _apply(self, edit: Edit) -> EditOutcome:
        self.edits.append(edit)
        seen = self.seen()
        self.applied.append(_texts(seen))
        self.on_apply()
        self.watcher.follow(seen)
        return EditOutcome("committed", "done")

    def _stir(self) -> None:
        self.stirred += 1

    async def __aenter__(self) -> Self:
        self.watcher.start()
        await self.until(lambda: self.watcher.status().digest != "" and self.watcher.status().folders != (), 5)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.watcher.stop()
        assert self.bugs == []

    async def until(self, holds: Callable[[], object], within: float) -> float:
        """Wait until something holds; gives the seconds that it took, fails when it takes longer."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < within, (self.watcher.status(), self.edits[-3:])
            await asyncio.sleep(0.002)
        return time.monotonic() - began

    async def quiet(self, seconds: float) -> None:
        """Let time pass in which nothing is to happen."""
        await asyncio.sleep(seconds)
