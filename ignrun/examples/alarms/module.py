"""Owns Alarms, a module that raises and clears alarms as tags cross their thresholds."""

from typing import Any

from ignrun import AbstractIgnitionModule, provides
from ignrun.examples.alarms.thresholds import stands, thresholds_of


class Alarms(AbstractIgnitionModule):
    """Listens to the same stream as the historian and keeps the alarms that stand."""

    async def initialize(self) -> None:
        """Begin with no alarm."""
        self._thresholds = thresholds_of(self.config["thresholds"])
        self._active: dict[str, dict[str, Any]] = {}

    async def run(self) -> None:
        """Judge every change of every tag."""
        async for change in self.dependency("tags").stream("changes"):
            self._judge(change)

    async def reconfigure(self, change: Any) -> None:
        """Judge by other thresholds from now on; an alarm whose threshold is gone is cleared."""
        self._thresholds = thresholds_of(change.new["thresholds"])
        for tag in [tag for tag in self._active if tag not in self._thresholds]:
            del self._active[tag]
            self.log.info("alarm cleared: %s has no threshold any more", tag)

    @provides
    async def active(self) -> list[dict[str, Any]]:
        """Give the alarms that stand, by tag, each with the change that raised it."""
        return [self._active[tag] for tag in sorted(self._active)]

    def _judge(self, change: dict[str, Any]) -> None:
        tag, value = change["tag"], change["value"]
        threshold = self._thresholds.get(tag)
        if threshold is None or value is None:
            return
        stood = tag in self._active
        if stands(threshold, value, stood=stood) and not stood:
            self._active[tag] = change
            self.log.warning("alarm raised: %s is %s", tag, value)
        elif stood and not stands(threshold, value, stood=True):
            del self._active[tag]
            self.log.info("alarm cleared: %s is %s", tag, value)
