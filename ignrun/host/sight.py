"""Owns Sight, what a module sees of its incarnation: who and where it is, its metrics, its peers, what it exports."""

import asyncio
import json
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from ignrun.host.stage import Stage
from ignrun.protocol.orders import Assignment, Origin
from ignrun.protocol.reports import EXPORT_LIMIT
from ignrun.sdk.context import ModuleContext
from ignrun.sdk.lifecycle import LifecycleRecord
from ignrun.sdk.metrics import Metrics
from ignrun.sdk.peer import Peer
from ignrun.sdk.raised import Refused
from ignrun.sdk.timing import ModuleClock
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.states import ModuleState

if TYPE_CHECKING:
    from ignrun.host.incarnation import Incarnation

_ASKING: Final = frozenset({ModuleState.RUNNING, ModuleState.MAINTENANCE})


class Sight:
    """The side of an incarnation that `Surroundings` describes."""

    __slots__ = ("_draft", "_holds", "_metrics", "address", "assignment", "epoch", "exports", "record", "stage")

    exports: dict[str, Any]

    def __init__(self, stage: Stage, assignment: Assignment, epoch: int, record: LifecycleRecord) -> None:
        """Take what it is to be, and where it plays."""
        self.stage = stage
        self.assignment = assignment
        self.address = assignment.address
        self.epoch = epoch
        self.record = record
        self._metrics: Metrics | None = None
        self._holds = False
        self._draft: dict[str, Any] | None = None

    @property
    def state(self) -> ModuleState:
        """The state of the instance."""
        return self.record.state

    @property
    def metadata(self) -> ModuleMetadata:
        """What the module says of itself."""
        return self.assignment.metadata

    @property
    def clock(self) -> ModuleClock:
        """Time."""
        return self.stage.clock

    @property
    def context(self) -> ModuleContext:
        """Folders, scope, plant and mode."""
        given, folders = self.assignment, self.assignment.folders
        return ModuleContext(
            address=given.address,
            module=given.module,
            scope=given.scope,
            plant=given.plant,
            mode=given.mode,
            epoch=self.epoch,
            data_path=folders.data,
            config=pathlib.Path(folders.config),
            log=pathlib.Path(folders.log),
            temp_path=folders.temp,
            module_folder=pathlib.Path(folders.module),
        )

    @property
    def metrics(self) -> Metrics:
        """The figures that the module keeps; from the first time on they are collected."""
        if self._metrics is None:
            self._metrics = Metrics()
            self.stage.measures(self._incarnation)
        return self._metrics

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where each value of the config is from."""
        return self.assignment.origins

    @property
    def backups(self) -> tuple[str, ...]:
        """What is kept of earlier run-time values, the oldest first."""
        return self.assignment.backups

    def peers(self, slot: str) -> Peer | tuple[Peer, ...]:
        """Give what is bound to a slot."""
        return self.stage.peers(self._incarnation, slot)

    async def request(self, path: str, value: Any) -> None:
        """Ask for another value of the config, and wait until it is in effect; raises Refused."""
        if self.state not in _ASKING:
            message = f"`{self.address}` does not run now (its state: {self.state.value})"
            raise Refused(message)
        if callback := self._incarnation.callback_of(asyncio.current_task()):
            message = f"`{callback}` would wait for itself: ask in `run`, or in a task of the module's own"
            raise Refused(message)
        await self.stage.request(self._incarnation, path, value)

    def publish(self, exports: Mapping[str, Any]) -> None:
        """Add to what the instance exports; told at once when it runs, else with the move to running."""
        try:
            text = json.dumps({**(self._draft or self.exports), **exports}, allow_nan=False)
            together = json.loads(text)
            msgspec.msgpack.encode(together)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            message = f"exports are JSON values, and a Secret is never exported: {error}"
            raise TypeError(message) from None
        size = len(text.encode())
        if size > EXPORT_LIMIT:
            message = f"the exports of `{self.address}` are {size} bytes of JSON, {EXPORT_LIMIT} are allowed"
            raise ValueError(message)
        if self._holds:
            self._draft = together
            return
        self.exports = together
        if self.state is ModuleState.RUNNING:
            self.stage.exported(self._incarnation)

    def hold_exports(self) -> None:
        """Keep back what is published while the instance is changed."""
        self._holds = True

    def release_exports(self, *, keep: bool) -> dict[str, Any] | None:
        """Export what was kept back, or forget it; gives the exports where there were any kept back."""
        draft, self._draft, self._holds = self._draft, None, False
        if not keep or draft is None:
            return None
        self.exports = draft
        return draft

    @property
    def _incarnation(self) -> "Incarnation":
        return cast("Incarnation", self)
