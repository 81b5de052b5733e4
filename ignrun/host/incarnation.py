"""Drives one incarnation, a running object of an instance, through the nine states."""

import asyncio
import inspect
import json
import pathlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from ignrun.host.callbacks import Abandoned, Caller, on_own_thread, settled
from ignrun.host.checks import Checks, has_checks
from ignrun.host.faults import Faulted, fault_of, one_line, timed_out
from ignrun.host.importing import implements
from ignrun.host.stage import Stage
from ignrun.host.steps import Marked
from ignrun.protocol.orders import Assignment, Origin, Timeouts
from ignrun.protocol.reports import EXPORT_LIMIT, Move
from ignrun.sdk.context import ModuleContext, Stopping
from ignrun.sdk.health import HealthResult, healthy
from ignrun.sdk.lifecycle import LifecycleRecord
from ignrun.sdk.metrics import Metrics
from ignrun.sdk.module import AbstractIgnitionModule, make_module
from ignrun.sdk.peer import Peer
from ignrun.sdk.raised import Refused
from ignrun.sdk.settings import convert
from ignrun.sdk.surroundings import logger_of
from ignrun.sdk.timing import ModuleClock
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.states import RESTING, Health, ModuleState, may_move

if TYPE_CHECKING:
    from ignrun.host.revising import Reviser

S = ModuleState
_HOOKS: Final = {"G": "create_gateway_hook", "C": "create_client_hook", "D": "create_designer_hook"}
_OF_A_HOOK: Final = ("setup", "startup", "shutdown")
_THREADS_GRACE: Final = 0.5
UNKNOWN: Final = HealthResult(Health.UNKNOWN)


class IllegalMoveError(AssertionError):
    """The table of states does not allow the move: a bug of the host."""


class Incarnation:
    """One object of one instance. `prepare`, `start` and `stop` are awaited one after the other by whoever drives it."""

    __slots__ = (
        "__weakref__", "_draft", "_holds", "_metrics", "_turn", "address", "assignment", "caller", "checks", "config", "epoch",
        "exports", "health", "hook", "kind", "main_loop", "module", "raw_config", "record", "reviser", "run_on_thread", "shut_down",
        "stage", "stopping",
    )  # fmt: skip

    def __init__(
        self,
        stage: Stage,
        assignment: Assignment,
        kind: type[AbstractIgnitionModule],
        epoch: int,
        record: LifecycleRecord,
    ) -> None:
        self.stage = stage
        self.assignment = assignment
        self.address = assignment.address
        self.kind = kind
        self.epoch = epoch
        self.record = record
        self.caller = Caller(stage.pool, stage.masker, stage.deadlines)
        self.stopping = Stopping()
        self.health = UNKNOWN
        self.exports: dict[str, Any] = {**assignment.exports}
        self.config: Any = None
        self.raw_config: Any = None
        self.module: AbstractIgnitionModule | None = None
        self.hook: object | None = None
        self.main_loop: asyncio.Task[None] | None = None
        self.checks: Checks | None = None
        self.reviser: Reviser | None = None
        self.shut_down = self.run_on_thread = False
        self._turn: asyncio.Lock | None = None
        self._metrics: Metrics | None = None
        self._holds = False
        self._draft: dict[str, Any] | None = None

    def retime(self, timeouts: Timeouts) -> None:
        """Let other timeouts hold from the next callback on, and have the checks go at another pace."""
        self.assignment = replace(self.assignment, timeouts=timeouts)
        if self.checks is not None:
            self.checks.retime()

    @property
    def turn(self) -> asyncio.Lock:
        """Whoever holds it may call callbacks while the instance runs: its checks, or who changes it."""
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn

    @property
    def overdue(self) -> str:
        """Name of a callback that still runs although nobody waits for it any more; empty when none does."""
        return self.caller.overdue or (self.reviser.overdue if self.reviser is not None else "")

    # --- what the module sees -----------------------------------------------------------------------------------------

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
            self.stage.measures(self)
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
        return self.stage.peers(self, slot)

    async def request(self, path: str, value: Any) -> None:
        """Ask for another value of the config, and wait until it is in effect; raises Refused."""
        if self.state not in {S.RUNNING, S.MAINTENANCE}:
            message = f"`{self.address}` does not run now (its state: {self.state.value})"
            raise Refused(message)
        if callback := self._callback_of(asyncio.current_task()):
            message = f"`{callback}` would wait for itself: ask in `run`, or in a task of the module's own"
            raise Refused(message)
        await self.stage.request(self, path, value)

    def _callback_of(self, task: "asyncio.Task[Any] | None") -> str:
        """Name the callback of a running incarnation that this task calls; empty where it calls none."""
        asked = self.checks.asked_in(task) if self.checks is not None else ""
        return asked or (self.reviser.called_in(task) if self.reviser is not None else "")

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
        if self.state is S.RUNNING:
            self.stage.exported(self)

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

    # --- up -----------------------------------------------------------------------------------------------------------

    def refuse_overlap(self, overdue: str) -> None:
        """Fail at once when a callback of the incarnation before still runs; raises Faulted."""
        if overdue:
            self.move(S.INITIALIZING, "start ordered")
            summary = f"`{overdue}` of the incarnation before still runs, and callbacks of one instance never overlap"
            raise Faulted(Fault(FaultKind.OVERDUE, summary, overdue))

    async def prepare(self, settle: Callable[[], Any]) -> None:
        """Make the object and initialise it; raises Faulted."""
        self.move(S.INITIALIZING, "start ordered")
        self._make(settle)
        await self._callback("initialize", self.assignment.timeouts.initialize)
        await self._make_hook()
        self.move(S.INITIALIZED, "initialize returned")

    def _make(self, settle: Callable[[], Any]) -> None:
        """Settle the config and make the object with it."""
        callback = "config"
        try:
            self.raw_config = settle()
            self.config = convert(self.raw_config, self.kind.Config)
            callback = "__init__"
            self.module = make_module(self.kind, self)
        except BaseException as error:
            raise Faulted(fault_of(error, callback, self.stage.masker)) from error

    async def _make_hook(self) -> None:
        name = _HOOKS[self.assignment.scope.value]
        if not implements(self.kind, name):
            return
        self.hook = await self._call(name, getattr(self.module, name), seconds=self.assignment.timeouts.initialize)
        if self.hook is not None and not any(callable(getattr(self.hook, one, None)) for one in _OF_A_HOOK):
            said = f"`{name}` gave a `{type(self.hook).__name__}`, which has none of {', '.join(_OF_A_HOOK)}"
            raise Faulted(Fault(FaultKind.RAISED, said, name))
        await self._hook_callback("setup", self.assignment.timeouts.initialize, self.context)

    async def start(self) -> None:
        """Start it; running, and its main loop and checks begun, when it returns. Raises Faulted."""
        self.move(S.STARTING, "dependencies met")
        await self._callback("startup", self.assignment.timeouts.start)
        await self._hook_callback("startup", self.assignment.timeouts.start)
        if not has_checks(self.kind):
            self.health = healthy()
        self.move(S.RUNNING, "startup returned", exports=self.exports or None)
        if implements(self.kind, "run"):
            self.main_loop = _own_task(self._run(), self.address, "run")
        if has_checks(self.kind):
            self.checks = Checks(self)
            self.checks.begin()
        else:
            self.stage.checked(self, self.health)

    async def _run(self) -> None:
        """Await the main loop and tell how it ended; what ends it during a stop is not of interest."""
        run = getattr(self.module, "run")  # noqa: B009 - the base class does not define it
        fault: Fault | None = None
        try:
            if inspect.iscoroutinefunction(run):
                await run()
            else:
                self.run_on_thread = True
                answer = await on_own_thread(run, f"{self.address} run")
                self.run_on_thread = False
                await settled("run", answer)
        except asyncio.CancelledError as error:
            if self.stopping:
                raise
            fault = fault_of(error, "run", self.stage.masker)
        except BaseException as error:  # noqa: BLE001 - module code raises what it likes
            fault = fault_of(error, "run", self.stage.masker)
        if not self.stopping:
            self.stage.run_ended(self, fault)
        elif fault is not None:
            logger_of(self.address).warning("after the stop had begun, %s", fault.summary)

    # --- down ---------------------------------------------------------------------------------------------------------

    async def stop(self, cause: str) -> None:
        """Stop it from whatever state: stopped, or in error when its shutdown failed."""
        if self.state is S.ERROR:
            self.move(S.STOPPED, cause)
            return
        if self.state in RESTING and self.module is not None:
            return
        if self.state in RESTING:  # never begun: whoever ordered it waits to hear that it is over
            self.move(S.INITIALIZING, cause)
        if self.state is not S.STOPPING:
            self.move(S.STOPPING, cause)
        fault = await self._wind_down()
        if self.caller.abandoned and self.state is not S.STOPPING:
            return
        if fault is None:
            self.move(S.STOPPED, cause)
        else:
            self.move(S.ERROR, "shutdown failed", fault)

    def fail(self, fault: Fault) -> None:
        """Move to error, unless it is there or at rest already."""
        if self.state not in RESTING:
            self.move(S.ERROR, fault.callback or fault.kind.value, fault)

    async def clean(self) -> None:
        """Attempt the shutdown of a failed incarnation, once."""
        fault = await self._wind_down()
        if fault is not None:
            logger_of(self.address).warning("after the failure, %s", fault.summary)

    async def _wind_down(self) -> Fault | None:
        """End main loop, checks and hook, shut down, cancel what is left; gives the first fault of the shutdown."""
        self.stopping.set()
        seconds, loop = self.assignment.timeouts.stop, asyncio.get_running_loop()
        end = loop.time() + seconds
        if self.checks is not None:
            await self.checks.end()
        if self.reviser is not None:
            await self.reviser.end(seconds / 4)
        left = await self._end_main_loop(seconds / 2)
        fault = None
        if self.caller.abandoned or not await self._thread_ended(max(seconds / 4, end - loop.time())):
            left.append(f"`{self.overdue or 'a callback'}`, still running, so that `shutdown` was not called")
        elif self.module is not None and not self.shut_down:
            self.shut_down = True
            fault = await self._shut_down(max(seconds / 4, end - loop.time()))
        left += await self._cancel_tasks()
        left += await self._threads_left()
        if left:
            self.stage.unfinished(self, tuple(left))
        return fault

    async def _thread_ended(self, seconds: float) -> bool:
        """Wait for the callback that still runs on a thread; tells whether none runs any more."""
        return await self.caller.thread_ended(seconds) and not self.overdue

    async def _shut_down(self, seconds: float) -> Fault | None:
        """Call `shutdown` of the hook, then of the module, whatever the first one did."""
        first: Fault | None = None
        for callback in (self._hook_callback, self._callback):
            try:
                await callback("shutdown", seconds)
            except Faulted as faulted:
                first = first or faulted.fault
            except Abandoned:
                return first
        return first

    async def _end_main_loop(self, seconds: float) -> list[str]:
        loop = self.main_loop
        if loop is None or loop.done() or loop is asyncio.current_task():
            return []
        if not self.run_on_thread:
            loop.cancel()
        await asyncio.wait({loop}, timeout=seconds)
        return [] if loop.done() else ["run"]

    async def _cancel_tasks(self) -> list[str]:
        tasks = [task for task in self.stage.tasks_of(self.address) if task is not asyncio.current_task()]
        if not tasks:
            return []
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0)
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                said = one_line(error, self.stage.masker)
                logger_of(self.address).warning("task `%s` ended with %s", task.get_name(), said)
        return [f"task {task.get_name()}" for task in tasks if not task.done()]

    async def _threads_left(self) -> list[str]:
        """Give threads a moment to end; nobody can end them from outside."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _THREADS_GRACE
        while threads := self.stage.threads_of(self.address):
            if loop.time() >= end:
                return [f"thread {thread.name}" for thread in threads]
            await asyncio.sleep(0.01)
        return []

    # --- calls and moves ----------------------------------------------------------------------------------------------

    def _callback(self, name: str, seconds: float) -> Awaitable[Any]:
        if not implements(self.kind, name):
            return _nothing()
        return self._call(name, getattr(self.module, name), seconds=seconds)

    def _hook_callback(self, name: str, seconds: float, *args: Any) -> Awaitable[Any]:
        method = getattr(self.hook, name, None)
        if method is None:
            return _nothing()
        label = f"{self.assignment.scope.word} hook {name}"
        return self._call(label, method, *args, seconds=seconds)

    def _call(self, name: str, function: Callable[..., Any], *args: Any, seconds: float) -> Awaitable[Any]:
        return self.caller.within(seconds, name, function, *args, lost=self._lost)

    def _lost(self, name: str, seconds: float) -> None:
        self.stage.gave_up(self, timed_out(name, seconds, ended=False))

    def move(
        self, new: ModuleState, cause: str, fault: Fault | None = None, exports: dict[str, Any] | None = None
    ) -> None:
        """Move to another state, as the table allows."""
        old = self.record.state
        if not may_move(old, new):
            message = f"{self.address}: {old.value} -> {new.value} ({cause})"
            raise IllegalMoveError(message)
        at, mono = self.stage.clock.utc(), self.stage.clock.monotonic()
        move = Move(self.address, self.epoch, old, new, cause, at, mono, fault, exports)
        self.record.note(move)
        self.stage.moved(self, move)


async def _nothing() -> None:
    """Stand in for a callback that the module does not have."""


def _own_task(work: Any, address: str, what: str) -> "asyncio.Task[None]":
    """Make a task of the host's own that runs code of the instance: the ledger of module tasks does not list it."""
    return asyncio.Task(Marked(work, address), loop=asyncio.get_running_loop(), name=f"{address} {what}")
