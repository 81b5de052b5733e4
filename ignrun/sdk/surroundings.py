"""Owns Surroundings, everything that one incarnation is given by its host or by the test kit."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from ignrun.protocol.orders import Origin
from ignrun.sdk.context import ModuleContext, Stopping
from ignrun.sdk.health import HealthResult
from ignrun.sdk.lifecycle import LifecycleRecord
from ignrun.sdk.metrics import Metrics
from ignrun.sdk.peer import Peer
from ignrun.sdk.timing import ModuleClock
from ignrun.terms.metadata import ModuleMetadata

LOGGERS = "ignrun.instance."
"""Loggers of instances are called so, with the address behind it."""


class Surroundings(Protocol):
    """What an incarnation sees of the world; read only, but for `publish` and `request`."""

    address: str
    stopping: Stopping
    record: LifecycleRecord
    config: Any
    raw_config: Any
    health: HealthResult

    @property
    def metadata(self) -> ModuleMetadata:
        """What the module says of itself."""

    @property
    def clock(self) -> ModuleClock:
        """Time."""

    @property
    def context(self) -> ModuleContext:
        """Folders, scope, plant and mode."""

    @property
    def metrics(self) -> Metrics:
        """The figures that the module keeps."""

    def peers(self, slot: str) -> Peer | tuple[Peer, ...]:
        """Give what is bound to a slot; raises LookupError when nothing is."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where each value of the config is from."""

    @property
    def backups(self) -> tuple[str, ...]:
        """What is kept of earlier run-time values, by name, the oldest first."""

    async def request(self, path: str, value: Any) -> None:
        """Ask for another value of the config, and wait until it is in effect; raises Refused."""

    def publish(self, exports: Mapping[str, Any]) -> None:
        """Add to what the instance exports; raises TypeError or ValueError where it is not JSON of at most 64 KiB."""


def logger_of(address: str) -> logging.Logger:
    """Give the logger of an instance; its lines carry the address whichever thread they come from."""
    return logging.getLogger(LOGGERS + address)
