"""Turns what clients ask over HTTP into messages for the loop, and the loop's answers into what they hear."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from ignrun.control.feed import EventFeed
from ignrun.control.wire import ApplyRequest, RollbackRequest, Verb
from ignrun.render.alerts import AlertsReport
from ignrun.render.config import ConfigReport, config_report
from ignrun.render.diagnostics import Diagnosis, diagnosis
from ignrun.render.known import Known
from ignrun.render.outcome import OutcomeReport
from ignrun.render.plan import PlanReport, plan_report
from ignrun.render.status import status_of, unready
from ignrun.render.status_report import InstanceStatus, RunnerFacts, StatusReport
from ignrun.render.top import TopReport
from ignrun.runner.answers import Answers
from ignrun.runner.applies import Applies
from ignrun.runner.loop import Loop
from ignrun.runner.observing import Observing
from ignrun.runner.secrets import SecretStore, masked_tree
from ignrun.runner.watching import Watching
from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.supervise.messages import Asked, CancelAsked, ShutdownAsked
from ignrun.runtime.watch.status import WatchStatus
from ignrun.terms.clock import Clock
from ignrun.terms.names import Address
from ignrun.terms.verdict import Accepted

_CLOCK_SET: Final = timedelta(seconds=1)


class Steering:
    """A runner as its clients steer it; lives in the runner's loop."""

    def __init__(
        self,
        *,
        loop: Loop,
        applies: Applies,
        answers: Answers,
        secrets: SecretStore,
        feed: EventFeed,
        runner: RunnerFacts,
        clock: Clock,
        observing: Observing,
        watching: Watching,
        note: Callable[[], str] = str,
    ) -> None:
        """Take the parts of the runner that answer for it; `note` gives what people have to know of the journal, mostly nothing."""
        self.feed = feed
        self._loop = loop
        self._applies = applies
        self._answers = answers
        self._secrets = secrets
        self._runner = runner
        self._clock = clock
        self._observing = observing
        self._watching = watching
        self._note = note
        self._began = clock.utc() - timedelta(seconds=clock.monotonic())

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
        report = status_of(
            self._loop.state,
            mono=mono,
            at=self._time_of_day(mono),
            runner=self._runner,
            usage=self._observing.usage(),
        )
        plant = replace(report.plant, watch=self.watch(), note=report.plant.note or self._note())
        return replace(report, plant=plant, instances=tuple(self._masked(one) for one in report.instances))

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

    def top(self) -> TopReport:
        """Describe the processes of the plant and what they take; whoever asks has them looked at every second for a while."""
        return self._observing.top(self._runner.name)

    def alerts(self) -> AlertsReport:
        """Describe the alerts that fire."""
        return self._observing.alerts(self._runner.name)

    def known(self) -> Known:
        """Collect what metrics are made of."""
        return self._observing.known(self.status())

    def watch(self) -> WatchStatus:
        """Say how the watcher does."""
        return self._watching.status()

    def pause_watch(self, by: str) -> str:
        """Hold every edit of the files back; the text is a refusal, empty when it is so."""
        return self._watching.pause(by)

    def resume_watch(self, by: str) -> str:
        """Let edits of the files through again; the text is a refusal, empty when it is so."""
        return self._watching.resume(by)

    async def report(self) -> bytes:
        """Gather a diagnostic report, in a thread; every text in it is masked."""
        return await asyncio.to_thread(self._report, self.known())

    def _report(self, known: Known) -> bytes:
        from ignrun.render.metrics import metrics_text
        from ignrun.render.report import Live
        from ignrun.runner.report import archive, gather

        live = Live(known.status, known.top, known.alerts, metrics_text(known)[0])
        return archive(
            gather(self._runner.name, StateFolder(Path(self._runner.state_dir)), live=live), self._secrets.mask
        )

    def ready(self) -> str:
        """Say why the plant is not up as wanted, nothing when it is."""
        return unready(self._loop.state)

    async def plan(self, request: ApplyRequest) -> PlanReport | Diagnosis:
        """Read the manifest and say what an apply would do, or what is wrong with it."""
        reading = await self._applies.read(request, for_apply=False)
        if isinstance(reading.verdict, Accepted):
            return plan_report(reading.verdict.value.plan, reading.verdict.diagnostics)
        return diagnosis(reading.verdict.diagnostics)

    async def apply(self, request: ApplyRequest) -> OutcomeReport:
        """Apply and return at the outcome; goes on when whoever waits for it goes away."""
        self._watching.asked(request)
        return await self._applies.apply(request)

    async def rollback(self, request: RollbackRequest) -> OutcomeReport:
        """Bring a kept generation into force again, as a new one; raises Failure where there is none to go back to."""
        return await self._applies.roll_back(request)

    def cancel(self, by: str) -> None:
        """Have the open apply taken back; asked a second time, stop waiting for the way back."""
        self._loop.hear(CancelAsked(by))

    async def ask(self, verb: Verb, address: str, by: str) -> str:
        """Do this with an instance and return when it holds; the text is a refusal, empty when it was done."""
        request, answer = self._answers.expect()
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
