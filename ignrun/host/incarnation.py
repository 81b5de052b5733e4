"""Drives one incarnation, a running object of an instance, through the nine states."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from ignrun.host.callbacks import Caller, on_own_thread, settled
from ignrun.host.checks import Checks, has_checks
from ignrun.host.faults import Faulted, fault_of, timed_out
from ignrun.host.importing import implements
from ignrun.host.sight import Sight
from ignrun.host.stage import Stage
from ignrun.host.steps import Marked
from ignrun.host.winding import wind_down
from ignrun.protocol.orders import Assignment, Timeouts
from ignrun.protocol.reports import Move
from ignrun.sdk.context import Stopping
from ignrun.sdk.health import HealthResult, healthy
from ignrun.sdk.lifecycle import LifecycleRecord
from ignrun.sdk.module import AbstractIgnitionModule, make_module
from ignrun.sdk.settings import convert
from ignrun.sdk.surroundings import logger_of
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import RESTING, Health, ModuleState, may_move

if TYPE_CHECKING:
    from ignrun.host.revising import Reviser

S = ModuleState
_HOOKS: Final = {"G": "create_gateway_hook", "C": "create_client_hook", "D": "create_designer_hook"}
_OF_A_HOOK: Final = ("setup", "startup", "shutdown")
UNKNOWN: Final = HealthResult(Health.UNKNOWN)


class IllegalMoveError(AssertionError):
    """The table of states does not allow the move: a bug of the host."""


class Incarnation(Sight):
    """One object of one instance. `prepare`, `start` and `stop` are awaited one after the other by whoever drives it."""

    __slots__ = (
        "__weakref__", "_turn", "caller", "checks", "config", "health", "hook", "kind", "main_loop", "module", "raw_config",
        "reviser", "run_on_thread", "shut_down", "stopping",
    )  # fmt: skip

    def __init__(
        self,
        stage: Stage,
        assignment: Assignment,
        kind: type[AbstractIgnitionModule],
        epoch: int,
        record: LifecycleRecord,
    ) -> None:
        super().__init__(stage, assignment, epoch, record)
        self.kind = kind
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

    def callback_of(self, task: "asyncio.Task[Any] | None") -> str:
        """Name the callback of a running incarnation that this task calls; empty where it calls none."""
        asked = self.checks.asked_in(task) if self.checks is not None else ""
        return asked or (self.reviser.called_in(task) if self.reviser is not None else "")

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
        await self.callback("initialize", self.assignment.timeouts.initialize)
        hook = _HOOKS[self.assignment.scope.value]
        if implements(self.kind, hook):
            await self._make_hook(hook)
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

    async def _make_hook(self, name: str) -> None:
        self.hook = await self._call(name, getattr(self.module, name), seconds=self.assignment.timeouts.initialize)
        if self.hook is not None and not any(callable(getattr(self.hook, one, None)) for one in _OF_A_HOOK):
            said = f"`{name}` gave a `{type(self.hook).__name__}`, which has none of {', '.join(_OF_A_HOOK)}"
            raise Faulted(Fault(FaultKind.RAISED, said, name))
        await self.hook_callback("setup", self.assignment.timeouts.initialize, self.context)

    async def start(self) -> None:
        """Start it; running, and its main loop and checks begun, when it returns. Raises Faulted."""
        self.move(S.STARTING, "dependencies met")
        await self.callback("startup", self.assignment.timeouts.start)
        if self.hook is not None:
            await self.hook_callback("startup", self.assignment.timeouts.start)
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
        fault = await wind_down(self)
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
        fault = await wind_down(self)
        if fault is not None:
            logger_of(self.address).warning("after the failure, %s", fault.summary)

    # --- calls and moves ----------------------------------------------------------------------------------------------

    def callback(self, name: str, seconds: float) -> Awaitable[Any]:
        """Call a callback of the module, if it has it; raises Faulted."""
        if not implements(self.kind, name):
            return _nothing()
        return self._call(name, getattr(self.module, name), seconds=seconds)

    def hook_callback(self, name: str, seconds: float, *args: Any) -> Awaitable[Any]:
        """Call one of the hook, if it has it; raises Faulted."""
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
