"""Turns requests to apply, to go back and to boot into proposals for the loop, one reading at a time, and outcomes into reports."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal, Protocol

import msgspec
from msgspec.structs import replace

from ignrun.control.wire import ApplyOptions, ApplyRequest, RollbackRequest
from ignrun.manifest.inputs import Inputs, Trial
from ignrun.planner.graph.model import Graph
from ignrun.planner.proposal import Base, Proposal, Reading
from ignrun.planner.reader import ResidentReader
from ignrun.render.diagnostics import diagnosis
from ignrun.render.outcome import OutcomeReport, invalid_report, outcome_report
from ignrun.runner.answers import Answers
from ignrun.runner.loop import Loop
from ignrun.runner.secrets import SecretStore
from ignrun.runner.turns import Turns
from ignrun.runtime.apply.state import Phase, State
from ignrun.runtime.journal.back import before
from ignrun.runtime.journal.code import CodeStore
from ignrun.runtime.journal.generations import Generation
from ignrun.runtime.journal.overlays import Overlays
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.supervise.effects import Outcome
from ignrun.runtime.supervise.messages import ApplyProposed
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.failure import Failure, LockHeld
from ignrun.terms.verdict import Accepted

Trigger = Literal["cli", "api", "watch", "rollback", "boot"]


class Describe(Protocol):
    """Turns what somebody asks for into the inputs of a reading."""

    def __call__(self, request: ApplyRequest, *, for_apply: bool) -> Inputs:
        """Say whether it is read for an apply."""


_IN_A_HURRY: Final[frozenset[Trigger]] = frozenset({"watch", "rollback"})
"""Whoever does not wait for the soak of the apply before: a later edit takes its place, and going back is urgent."""

_LOOKED_AT: Final = 1000
"""How many generations are looked through for the one to go back to."""


class Wish(msgspec.Struct, frozen=True):
    """What somebody wants to come into force: what these inputs say, or what was `kept`; `until` is when he no longer waits for his turn."""

    inputs: Inputs
    options: ApplyOptions
    trigger: Trigger
    by: str
    until: float | None
    kept: Proposal | None = None


class Applies:
    """The way of every apply: its turn, its reading, its code kept, its outcome."""

    def __init__(
        self,
        *,
        loop: Loop,
        reader: ResidentReader,
        secrets: SecretStore,
        code: CodeStore,
        overlays: Overlays,
        answers: Answers,
        describe: Describe,
        journal: Journal,
    ) -> None:
        """Take the parts of the runner that an apply goes through."""
        self._loop = loop
        self._reader = reader
        self._secrets = secrets
        self._code = code
        self._overlays = overlays
        self._answers = answers
        self._describe = describe
        self._journal = journal
        self._environment: dict[str, str] = {}
        self._turns = Turns(loop)
        self._running: set[asyncio.Task[OutcomeReport]] = set()

    async def apply(self, request: ApplyRequest, trigger: Trigger = "cli") -> OutcomeReport:
        """Apply and return at the outcome; goes on when whoever waits for it goes away."""
        return await self._see_through(self._apply(request, trigger))

    async def roll_back(self, request: RollbackRequest) -> OutcomeReport:
        """Bring a kept generation into force again, as a new one; raises Failure where there is none to go back to."""
        kept = self._kept(request.generation)
        return await self._see_through(self._go_back(kept, request))

    async def read(self, request: ApplyRequest, *, for_apply: bool) -> Reading:
        """Read the manifest and plan against what is in force."""
        return await self._reader.ask(self._describe(request, for_apply=for_apply), base_of(self._loop.state))

    async def settled(self, seconds: float) -> bool:
        """Wait at most so many seconds until no apply is under way; tells whether none is."""
        try:
            await self._turns.free(_free_for(hurried=False), asyncio.get_running_loop().time() + seconds)
        except LockHeld:
            return False
        return True

    def as_in_force(self, by: str) -> ApplyRequest | None:
        """Ask as was asked for what is in force; None where nothing is, or where the journal does not know."""
        kept = self._journal.generation(self._loop.state.generation) if self._loop.state.generation else None
        if kept is None:
            return None
        call = kept.content.call
        return ApplyRequest(
            manifest=call.manifest, root=call.root, python=call.python, modes=call.modes, vars=call.vars, sets=call.sets,
            scopes=call.scopes, strict_env=call.strict_env, locked=call.locked, allowed=call.allowed,
            environment={**self._secrets.texts(), **self._environment}, by=by,
        )  # fmt: skip

    async def try_out(self, request: ApplyRequest, trial: Trial) -> Reading:
        """Read the manifest as if this change of a run-time value had been written."""
        inputs = replace(self._describe(request, for_apply=False), trial=trial)
        return await self._reader.ask(inputs, base_of(self._loop.state))

    async def _see_through(self, work: Coroutine[Any, Any, OutcomeReport]) -> OutcomeReport:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _apply(self, request: ApplyRequest, trigger: Trigger) -> OutcomeReport:
        self._environment = request.environment
        return await self._propose(_wish(request, self._describe(request, for_apply=True), trigger))

    def _kept(self, number: int | None) -> Proposal:
        history = self._journal.generations(_LOOKED_AT)
        chosen = before(history, self._journal.current()) if number is None else number
        kept = self._journal.generation(chosen) if chosen else None
        if kept is None:
            which = "there is no earlier good generation" if number is None else f"generation {number} is not kept"
            raise Failure(f"{which} to go back to", "`ignrun history` lists what is kept")
        return kept.content

    async def _go_back(self, kept: Proposal, request: RollbackRequest) -> OutcomeReport:
        inputs = self._describe(self._again(kept, request), for_apply=True)
        return await self._propose(_wish(request, inputs, "rollback", kept))

    def _again(self, kept: Proposal, request: RollbackRequest) -> ApplyRequest:
        """Ask as was asked for what was kept; secrets of the environment are those that the runner remembers, unless it is told others."""
        call = kept.call
        return ApplyRequest(
            manifest=call.manifest, root=call.root, python=call.python,
            environment={**self._secrets.texts(), **self._environment, **request.environment},
            options=request.options, by=request.by,
        )  # fmt: skip

    async def _propose(self, wish: Wish) -> OutcomeReport:
        async with self._turns.taken(wish.by, wish.until):
            former = self._former()
            reading = await self._settled(wish, former)
            diagnostics = reading.verdict.diagnostics
            if former and wish.options.boot and not isinstance(reading.verdict, Accepted):
                reading = await self._reader.revive(former.content, wish.inputs, Base())
            verdict = reading.verdict
            if not isinstance(verdict, Accepted):
                return invalid_report(self._loop.state.generation, diagnostics or verdict.diagnostics)
            await asyncio.to_thread(self._keep, verdict.value)
            outcome = await self._put(reading, verdict.value, wish, former)
        report = self._report(await outcome, diagnostics)
        self._reader.warm(wish.inputs, base_of(self._loop.state))
        return report

    def _keep(self, proposal: Proposal) -> None:
        """Make the code durable, and see what hosts are to be told of the state folder; waits for the disk, so not in the loop."""
        self._code.keep(proposal.code, proposal.files)
        self._overlays.look()

    def _former(self) -> Generation | None:
        """Give what was good when the plant last ran, to a runner that has applied nothing yet."""
        state = self._loop.state
        fresh = not state.generation and state.transaction is None
        good = self._journal.good() if fresh else 0
        return self._journal.generation(good) if good else None

    async def _settled(self, wish: Wish, former: Generation | None) -> Reading:
        """Read until what was compared with is still what a proposal has to compare with."""
        while True:
            base = base_of(self._loop.state)
            told = replace(base, last=former.content.graph) if former else base
            reading = await self._read(wish, told)
            if not isinstance(reading.verdict, Accepted) or self._joins(reading.verdict.value):
                return reading
            await self._turns.free(_free_for(hurried=wish.trigger in _IN_A_HURRY), wish.until)
            if base_of(self._loop.state) == base:
                return reading

    async def _read(self, wish: Wish, base: Base) -> Reading:
        if wish.kept:
            return await self._reader.revive(wish.kept, wish.inputs, base)
        return await self._reader.ask(wish.inputs, base)

    def _joins(self, proposal: Proposal) -> bool:
        """Tell whether the very same is being applied already."""
        under_way = self._loop.state.transaction
        return under_way is not None and under_way.proposal.target == proposal.target

    async def _put(
        self, reading: Reading, proposal: Proposal, wish: Wish, former: Generation | None
    ) -> "asyncio.Task[Outcome]":
        as_it_was = former is not None and former.content.target == proposal.target
        way_back = await self._way_back(former.content, proposal, wish.inputs) if former and not as_it_was else None
        number, answer = self._answers.expect()
        self._secrets.offer(number, reading.secrets)
        if not self._joins(proposal):
            self._turns.begun(wish.by)
        self._loop.hear(
            ApplyProposed(
                proposal,
                "boot" if as_it_was else wish.trigger,
                number,
                wish.options.no_start,
                soak=wish.options.soak,
                on_failure=wish.options.on_failure,
                retry=wish.options.retry,
                kept=former.entry.number if former and (as_it_was or way_back) else 0,
                way_back=way_back,
            )
        )
        return asyncio.create_task(self._answered(proposal, number, answer))

    async def _way_back(self, former: Proposal, proposal: Proposal, inputs: Inputs) -> Graph | None:
        """Place what was good so that it can take the place of what is proposed, its secrets fetched; None where they are not to be had."""
        reading = await self._reader.revive(former, inputs, Base(1, proposal.graph))
        if not isinstance(reading.verdict, Accepted):
            return None
        self._secrets.offer(0, reading.secrets)
        self._secrets.accept(0)
        return reading.verdict.value.graph

    async def _answered(self, proposal: Proposal, number: int, answer: "asyncio.Future[Outcome]") -> Outcome:
        """Wait for the outcome; the secrets that an apply brought stay when it came into force."""
        outcome = await answer
        state = self._loop.state
        good = state.good
        if good is not None and good.target == proposal.target:
            self._secrets.accept(number)
        elif good is not None and state.graph is good.graph and state.transaction is None:
            self._secrets.go_back(number)
        elif state.graph is not proposal.graph:  # else it is held, or the disk has refused to keep that it is in force
            self._secrets.withdraw(number)
        return outcome

    def _report(self, outcome: Outcome, diagnostics: tuple[Diagnostic, ...]) -> OutcomeReport:
        return outcome_report(outcome, diagnosis(diagnostics).diagnostics)


def _wish(
    request: ApplyRequest | RollbackRequest, inputs: Inputs, trigger: Trigger, kept: Proposal | None = None
) -> Wish:
    seconds = request.options.lock_timeout
    until = None if seconds is None else asyncio.get_running_loop().time() + seconds
    return Wish(inputs, request.options, trigger, request.by or "somebody", until, kept)


def base_of(state: State) -> Base:
    """Say what a plan made now has to compare with: what is in force, or what is about to be once it has proven itself."""
    under_way = state.transaction
    if under_way is not None and under_way.phase is Phase.SOAKING:
        return Base(under_way.generation, state.graph)
    return Base(state.generation, state.graph)


def _free_for(*, hurried: bool) -> Callable[[State], bool]:
    def free(state: State) -> bool:
        under_way = state.transaction
        return under_way is None or (hurried and under_way.phase is Phase.SOAKING)

    return free
