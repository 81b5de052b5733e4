"""Owns Tags, a module that offers this machine's figures to others as a stream and a call."""

import asyncio
from collections.abc import AsyncIterator

from ignrun import AbstractIgnitionModule, HealthResult, degraded, healthy, provides
from ignrun.examples.tags.figures import Reading, changed, read_figures

_BUFFER = 1024


class Tags(AbstractIgnitionModule):
    """Samples CPU, memory, disk and network; whoever listens first hears every tag, then each change."""

    async def initialize(self) -> None:
        """Begin with no reading and nobody listening."""
        self._latest: dict[str, Reading] = {}
        self._listeners: set[asyncio.Queue[Reading]] = set()

    async def startup(self) -> None:
        """Take the first sample, so that a dependent that starts next finds every tag."""
        self._sample()
        self.export(tags=sorted(self._latest))

    async def run(self) -> None:
        """Take a sample each interval until the module is stopped."""
        while True:
            await self.clock.sleep(self.config["interval"])
            self._sample()

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
        """Report tags of bad quality."""
        bad = sorted(tag for tag, reading in self._latest.items() if reading["quality"] != "good")
        return degraded(f"cannot be read: {', '.join(bad)}") if bad else healthy()

    def _sample(self) -> None:
        for reading in changed(self._latest, read_figures(self.config["groups"], self.config["disk"])):
            self._latest[reading["tag"]] = reading
            for listener in self._listeners:
                if listener.full():
                    listener.get_nowait()
                listener.put_nowait(reading)
