"""Owns Tags, a module that offers this machine's figures to others as a stream and a call."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ignrun import AbstractIgnitionModule, HealthResult, Reject, degraded, healthy, provides, unhealthy
from ignrun.examples.tags.figures import Reading, changed, read_figures

_BUFFER = 1024
_SHORTEST = 0.05
"""Seconds between two samples at least."""


class Tags(AbstractIgnitionModule):
    """Samples CPU, memory, disk and network; whoever listens first hears every tag, then each change."""

    async def initialize(self) -> None:
        """Begin with no reading and nobody listening."""
        self._latest: dict[str, Reading] = {}
        self._listeners: set[asyncio.Queue[Reading]] = set()
        self._due = asyncio.Event()

    async def startup(self) -> None:
        """Take the first sample, so that a dependent that starts next finds every tag."""
        self._sample()
        self.export(tags=sorted(self._latest))

    async def run(self) -> None:
        """Take a sample each interval until the module is stopped."""
        while True:
            await self._pause()
            self._sample()

    async def prepare_reconfigure(self, change: Any) -> None:
        """Refuse what would cost more than it shows."""
        if change.new["interval"] < _SHORTEST:
            raise Reject(f"an interval below {_SHORTEST:g} s would measure little but itself")

    async def reconfigure(self, change: Any) -> None:
        """Forget the tags that are not sampled any more, take a sample by the new config, and go on at the new pace."""
        wanted = {*change.new["groups"]}
        self._latest = {tag: one for tag, one in self._latest.items() if tag.partition("/")[0] in wanted}
        self._sample(change.new)
        self.export(tags=sorted(self._latest))
        self._due.set()

    @provides
    async def read(self, tag: str) -> Reading | None:
        """Give the latest reading of a tag; None where there is no such tag."""
        return self._latest.get(tag)

    @provides
    async def changes(self) -> AsyncIterator[Reading]:
        """Yield the latest reading of every tag, then each change; a listener that falls behind loses the oldest ones."""
        heard: asyncio.Queue[Reading] = asyncio.Queue(_BUFFER)
        for reading in self._latest.values():
            heard.put_nowait(reading)
        self._listeners.add(heard)
        try:
            while True:
                yield await heard.get()
        finally:
            self._listeners.discard(heard)

    async def check_health(self) -> HealthResult:
        """Report tags of bad quality, and a disk that is not there at all."""
        there = await asyncio.to_thread(Path(self.config["disk"]).exists)
        if "disk" in self.config["groups"] and not there:
            return unhealthy(f"there is no `{self.config['disk']}` whose space could be measured")
        bad = sorted(tag for tag, reading in self._latest.items() if reading["quality"] != "good")
        return degraded(f"cannot be read: {', '.join(bad)}") if bad else healthy()

    async def _pause(self) -> None:
        """Wait for one interval; a new config ends the wait, which then begins anew at the new pace."""
        while True:
            self._due.clear()
            pause = asyncio.ensure_future(self.clock.sleep(self.config["interval"]))
            due = asyncio.ensure_future(self._due.wait())
            try:
                await asyncio.wait({pause, due}, return_when=asyncio.FIRST_COMPLETED)
                if pause.done():
                    return
            finally:
                pause.cancel()
                due.cancel()

    def _sample(self, config: Any = None) -> None:
        by = self.config if config is None else config
        for reading in changed(self._latest, read_figures(by["groups"], by["disk"])):
            self._latest[reading["tag"]] = reading
            for listener in self._listeners:
                if listener.full():
                    listener.get_nowait()
                listener.put_nowait(reading)
