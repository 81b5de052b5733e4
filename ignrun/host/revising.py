"""Changes one running incarnation in place: one order after the other, and never beside another of its callbacks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec.structs import replace

from ignrun.host.callbacks import Abandoned, Caller, whose
from ignrun.host.config import ExportMissing, dotted, settle
from ignrun.host.faults import Faulted, fault_of, timed_out
from ignrun.host.importing import implements
from ignrun.host.incarnation import Incarnation
from ignrun.host.seat import SERVING
from ignrun.host.steps import Marked
from ignrun.protocol.orders import Assignment, Revision
from ignrun.protocol.reports import Prepared, Revised
from ignrun.sdk.change import ConfigChange
from ignrun.sdk.peer import Peer
from ignrun.sdk.settings import convert
from ignrun.sdk.surroundings import logger_of
from ignrun.terms.fault import Fault, FaultKind

_ASKED: Final = "prepare_reconfigure"
_DONE: Final = "reconfigure"
_BOUND: Final = "rebind"


class Reviser:
    """Prepares and carries out the revisions of one incarnation; each is answered once, whatever becomes of it."""

    def __init__(self, incarnation: Incarnation) -> None:
        """Take the incarnation."""
        stage = incarnation.stage
        self._incarnation = incarnation
        self._caller = Caller(stage.pool, stage.masker, stage.deadlines)
        self._requests: dict[asyncio.Task[None], _Request] = {}

    @property
    def overdue(self) -> str:
        """Name of the callback that still runs although nobody waits for it any more; empty when none does."""
        return self._caller.overdue

    def prepare(self, revision: Revision) -> None:
        """Have the revision checked and agreed to; nothing changes."""
        self._begin(_Request(self._incarnation, revision, Prepared), self._ask)

    def revise(self, revision: Revision) -> None:
        """Have the revision brought into effect."""
        self._begin(_Request(self._incarnation, revision, Revised), self._carry_out)

    def called_in(self, task: "asyncio.Task[Any] | None") -> str:
        """Name the callback that this task calls; empty where it calls none."""
        request = self._requests.get(task) if task is not None else None
        return request.callback if request is not None else ""

    async def end(self, seconds: float) -> None:
        """Break off what is under way, and wait so many seconds for it."""
        for task in self._requests:
            task.cancel()
        if self._requests:
            await asyncio.wait(self._requests, timeout=seconds)
        for task, request in self._requests.items():
            self._caller.give_up(task)
            request.break_off()
        await self._caller.thread_ended(seconds)

    def _begin(self, request: "_Request", work: "Callable[[_Request], Awaitable[None]]") -> None:
        address = self._incarnation.address
        serving = Marked(self._serve(request, work), address)
        task = asyncio.Task(serving, loop=asyncio.get_running_loop(), name=f"{address} {work.__name__}")
        self._requests[task] = request
        task.add_done_callback(lambda _: self._requests.pop(task, None))

    async def _serve(self, request: "_Request", work: "Callable[[_Request], Awaitable[None]]") -> None:
        whose.set(self._incarnation.address)
        fault = None
        try:
            if not request.revision.anew:
                await request.turn()
                await self._refuse_unless_fit(request.revision)
            await work(request)
        except Abandoned:
            return
        except Faulted as faulted:
            fault = faulted.fault
        except asyncio.CancelledError:
            request.break_off()
        request.answer(fault)

    async def _refuse_unless_fit(self, revision: Revision) -> None:
        """Raise Faulted where the incarnation cannot be asked now, or its class has no callback for such a change."""
        incarnation = self._incarnation
        if incarnation.state not in SERVING:
            raise Faulted(not_running(incarnation.address, incarnation.state.value))
        needed = [name for name, wanted in ((_DONE, revision.paths), (_BOUND, revision.slots)) if wanted]
        for callback in needed:
            if not implements(incarnation.kind, callback):
                summary = f"`{incarnation.kind.__qualname__}` has no `{callback}`: it cannot be changed while it runs"
                raise Faulted(Fault(FaultKind.RAISED, summary, callback))
        hanging = self.overdue
        if not hanging and incarnation.checks is not None:
            hanging = await incarnation.checks.hanging()
        if hanging:
            summary = f"`{hanging}` still runs, and callbacks of one instance never overlap"
            raise Faulted(Fault(FaultKind.TIMED_OUT, summary, hanging))

    # --- the work -----------------------------------------------------------------------------------------------------

    async def _ask(self, request: "_Request") -> None:
        """Make the new config and have the module agree to it, unless it ends; what is not exported yet cannot be asked about."""
        if not request.revision.paths:
            return
        try:
            _, change = self._change(request.revision, self._assignment(request.revision))
        except Faulted as faulted:
            if not isinstance(faulted.__cause__, ExportMissing):
                raise
            said = "the change is checked only when it is carried out: %s"
            logger_of(self._incarnation.address).info(said, faulted.__cause__)
        else:
            if not request.revision.anew:
                await self._call(request, _ASKED, change)

    async def _carry_out(self, request: "_Request") -> None:
        """Have the module take the new config, then let it know its new peers."""
        incarnation, revision = self._incarnation, request.revision
        before, assignment = incarnation.assignment, self._assignment(revision)
        incarnation.hold_exports()
        if revision.paths:
            raw, change = self._change(revision, assignment)
            await self._call(request, _DONE, change)
            incarnation.raw_config, incarnation.config = raw, change.new
        incarnation.stage.reassigned(incarnation, assignment)
        for slot in revision.slots:
            await self._call(request, _BOUND, slot, self._peer(slot, before))

    def _assignment(self, revision: Revision) -> Assignment:
        return replace(
            self._incarnation.assignment,
            config=revision.config,
            pending=revision.pending,
            secrets=revision.secrets,
            bindings=revision.bindings,
            origins=revision.origins,
            backups=revision.backups,
        )

    def _change(self, revision: Revision, assignment: Assignment) -> tuple[Any, ConfigChange]:
        """Make the new config, plain and as the class wants it; raises Faulted."""
        incarnation = self._incarnation
        stage = incarnation.stage
        try:
            raw = settle(assignment, stage.exports_of, stage.masker)
            new = convert(raw, incarnation.kind.Config)
        except BaseException as error:  # a `Config` may have code of its own
            raise Faulted(fault_of(error, "config", stage.masker)) from error
        return raw, ConfigChange(incarnation.config, new, tuple(dotted(path) for path in revision.paths))

    def _peer(self, slot: str, before: Assignment) -> Peer | tuple[Peer, ...] | None:
        """Give what is bound to a slot now; nothing is None, or no peers where there might be many."""
        try:
            return self._incarnation.stage.peers(self._incarnation, slot)
        except LookupError:
            return () if any(one.many for one in before.bindings if one.slot == slot) else None

    async def _call(self, request: "_Request", callback: str, *args: Any) -> None:
        incarnation = self._incarnation
        if implements(incarnation.kind, callback):
            request.callback = callback
            seconds, function = incarnation.assignment.timeouts.reconfigure, getattr(incarnation.module, callback)
            await self._caller.within(seconds, callback, function, *args, lost=request.lost)


class _Request:
    """One revision until it is answered, and the `callback` called for it; from its turn on no other one of the incarnation begins."""

    def __init__(self, incarnation: Incarnation, revision: Revision, kind: type[Prepared] | type[Revised]) -> None:
        self.revision = revision
        self._incarnation = incarnation
        self._kind = kind
        self._has_turn = self._answered = False
        self.callback = ""

    async def turn(self) -> None:
        """Wait for its turn."""
        await self._incarnation.turn.acquire()
        self._has_turn = True

    def answer(self, fault: Fault | None) -> None:
        """Say what became of it, unless that is said already, and give the turn to the next."""
        if self._answered:
            return
        self._answered = True
        incarnation, revision = self._incarnation, self.revision
        answer = self._kind(revision.address, revision.epoch, revision.change, fault)
        if self._has_turn:
            if isinstance(answer, Revised):
                answer = replace(answer, exports=incarnation.release_exports(keep=fault is None))
            incarnation.turn.release()
        incarnation.stage.answered(incarnation, answer)

    def break_off(self) -> None:
        """Answer for an instance that stops; where another one was to follow it anyway, that speaks against nothing."""
        self.answer(
            None if self.revision.anew else Fault(FaultKind.RAISED, "the change was broken off: the instance stops")
        )

    def lost(self, callback: str, seconds: float) -> None:
        """Answer for a callback that goes on although it was cancelled."""
        self.answer(timed_out(callback, seconds, ended=False))


def not_running(address: str, state: str) -> Fault:
    """Say that there is nothing that could be changed."""
    return Fault(FaultKind.RAISED, f"`{address}` does not run there now (its state: {state})")
