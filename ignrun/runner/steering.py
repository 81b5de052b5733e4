"""Turns what clients ask over HTTP into messages for the loop, and the loop's answers into what they hear."""

import asyncio
import itertools
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from ignrun.control.feed import EventFeed
from ignrun.control.wire import ApplyRequest, Verb
from ignrun.manifest.inputs import Inputs
from ignrun.planner.proposal import Base, Reading
from ignrun.planner.reader import ResidentReader
from ignrun.render.config import ConfigReport, config_report
from ignrun.render.diagnostics import Diagnosis, diagnosis
from ignrun.render.outcome import OutcomeReport, invalid_report, outcome_report
from ignrun.render.plan import PlanReport, plan_report
from ignrun.render.status import status_of
from ignrun.render.status_report import InstanceStatus, RunnerFacts, StatusReport
from ignrun.runner.loop import Loop
from ignrun.runner.secrets import SecretStore, masked_tree
from ignrun.runtime.supervise.effects import AnswerApply, AnswerAsked, Outcome
from ignrun.runtime.supervise.messages import ApplyProposed, Asked, ShutdownAsked
from ignrun.terms.clock import Clock
from ignrun.terms.names import Address
from ignrun.terms.states import ModuleState
from ignrun.terms.verdict import Accepted

Inquiry = dict[int, "asyncio.Future[Any]"]

_CLOCK_SET: Final = timedelta(seconds=1)


class Steering:
    """A runner as its clients steer it; lives in the runner's loop."""

    def __init__(
        self,
        *,
        loop: Loop,
        reader: ResidentReader,
        secrets: SecretStore,
        feed: EventFeed,
        runner: RunnerFacts,
        clock: Clock,
        fingerprint_key: bytes,
    ) -> None:
        """Take the parts of the runner that answer for it."""
        self.feed = feed
        self._loop = loop
        self._reader = reader
        self._secrets = secrets
        self._runner = runner
        self._clock = clock
        self._began = clock.utc() - timedelta(seconds=clock.monotonic())
        self._key = fingerprint_key
        self._numbers = itertools.count(1)
        self._open: Inquiry = {}
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[OutcomeReport]] = set()

    @property
    def runner(self) -> RunnerFacts:
        """What the runner knows of itself."""
        return self._runner

    def config(self, address: str) -> ConfigReport | None:
        """Describe the config in force of an instance, secrets masked; None for one that is not in force."""
        spec = self._loop.state.graph.instances.get(Address(address))
        if spec is None:
            return None
        report = config_report(spec)
        values = tuple(replace(one, value=masked_tree(one.value, self._secrets.mask)) for one in report.values)
        return replace(report, values=values)

    def status(self) -> StatusReport:
        """Describe the plant now."""
        mono = self._clock.monotonic()
        report = status_of(self._loop.state, mono=mono, at=self._time_of_day(mono), runner=self._runner)
        return replace(report, instances=tuple(self._masked(one) for one in report.instances))

    def _masked(self, one: InstanceStatus) -> InstanceStatus:
        """Blot secrets out of what an instance exports: dependents are given the texts, people are not."""
        return replace(one, exports=masked_tree(one.exports, self._secrets.mask)) if one.exports else one

    def _time_of_day(self, mono: float) -> datetime:
        """Give one and the same time of day for a moment, however often it is asked, until somebody sets the clock."""
        at = self._began + timedelta(seconds=mono)
        now = self._clock.utc()
        if abs(now - at) > _CLOCK_SET:
            self._began, at = now - timedelta(seconds=mono), now
        return at

    def ready(self) -> str:
        """Say why the plant is not up as wanted, nothing when it is."""
        state = self._loop.state
        if state.transaction:
            return "an apply is under way"
        failed = [one.spec.address for one in state.roster.instances.values() if one.state is ModuleState.ERROR]
        return f"in error: {', '.join(failed)}" if failed else ""

    async def plan(self, request: ApplyRequest) -> PlanReport | Diagnosis:
        """Read the manifest and say what an apply would do, or what is wrong with it."""
        reading = await self._read(request, for_apply=False)
        if isinstance(reading.verdict, Accepted):
            return plan_report(reading.verdict.value.plan, reading.verdict.diagnostics)
        return diagnosis(reading.verdict.diagnostics)

    async def apply(self, request: ApplyRequest) -> OutcomeReport:
        """Apply and return at the outcome; goes on when whoever waits for it goes away."""
        task = asyncio.create_task(self._apply(request))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _apply(self, request: ApplyRequest) -> OutcomeReport:
        async with self._turn:
            reading = await self._read(request, for_apply=True)
            if not isinstance(reading.verdict, Accepted):
                return invalid_report(self._loop.state.generation, reading.verdict.diagnostics)
            outcome = await self.propose(reading, no_start=request.options.no_start)
            return outcome_report(outcome, diagnosis(reading.verdict.diagnostics).diagnostics)

    async def propose(self, reading: Reading, *, no_start: bool) -> Outcome:
        """Have an accepted reading applied; the secrets it brings hold while it is under way, and stay when its graph came into force."""
        if not isinstance(reading.verdict, Accepted):
            message = "only an accepted reading can be applied"
            raise TypeError(message)
        self._secrets.offer(reading.secrets)
        request, answer = self._inquire()
        proposal = reading.verdict.value
        self._loop.hear(ApplyProposed(proposal, "cli", request, no_start))
        outcome: Outcome = await answer
        if self._loop.state.graph is proposal.graph:  # also where the disk could not keep the outcome
            self._secrets.accept()
        else:
            self._secrets.withdraw()
        return outcome

    async def ask(self, verb: Verb, address: str, by: str) -> str:
        """Do this with an instance and return when it holds; the text is a refusal, empty when it was done."""
        request, answer = self._inquire()
        self._loop.hear(Asked(verb, Address(address), by, request))
        refusal: str = await answer
        return refusal

    @property
    def is_ending(self) -> bool:
        """Tell whether the plant is going down already: asking once more would take away every grace."""
        return self._loop.state.ending is not None

    async def shutdown(self, by: str) -> None:
        """Begin to take the plant down; the runner ends when everything has stopped."""
        self._loop.hear(ShutdownAsked(by, 0))

    def answer(self, effect: AnswerApply | AnswerAsked) -> None:
        """Hand an answer of the loop to whoever waits for it."""
        waiting = self._open.pop(effect.request, None)
        if waiting and not waiting.done():
            waiting.set_result(effect.outcome if isinstance(effect, AnswerApply) else effect.refusal)

    def _inquire(self) -> tuple[int, "asyncio.Future[Any]"]:
        number = next(self._numbers)
        self._open[number] = asyncio.get_running_loop().create_future()
        return number, self._open[number]

    async def _read(self, request: ApplyRequest, *, for_apply: bool) -> Reading:
        state = self._loop.state
        return await self._reader.ask(self._inputs(request, for_apply=for_apply), Base(state.generation, state.graph))

    def _inputs(self, request: ApplyRequest, *, for_apply: bool) -> Inputs:
        return Inputs(
            manifest=request.manifest,
            state_dir=self._runner.state_dir,
            root=request.root,
            python=request.python,
            modes=request.modes,
            vars=request.vars,
            sets=request.sets,
            scopes=request.scopes,
            environment=request.environment,
            strict_env=request.strict_env,
            locked=request.locked,
            allowed=request.allowed,
            for_apply=for_apply,
            fingerprint_key=self._key,
        )
