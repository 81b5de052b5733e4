"""Owns Steering, what the HTTP door asks of a runner."""

from typing import Protocol

from ignrun.control.feed import EventFeed
from ignrun.control.wire import ApplyRequest, RollbackRequest, Verb
from ignrun.render.alerts import AlertsReport
from ignrun.render.config import ConfigReport
from ignrun.render.diagnostics import Diagnosis
from ignrun.render.known import Known
from ignrun.render.outcome import OutcomeReport
from ignrun.render.plan import PlanReport
from ignrun.render.status_report import RunnerFacts, StatusReport
from ignrun.render.top import TopReport
from ignrun.runtime.watch.status import WatchStatus


class Steering(Protocol):
    """A runner as its clients steer it; called in the runner's loop, so nothing here may block.

    A Failure raised by any of these becomes a Problem; one that is raised after the answer has begun, its last message.
    """

    @property
    def feed(self) -> EventFeed:
        """Where durable events come from."""

    @property
    def runner(self) -> RunnerFacts:
        """What the runner knows of itself, its state folder among it."""

    def status(self) -> StatusReport:
        """Describe the plant now."""

    def config(self, address: str) -> ConfigReport | None:
        """Describe the config in force of an instance, secrets masked; None for one that is not in force."""

    def top(self) -> TopReport:
        """Describe the processes of the plant and what they take; whoever asks has them looked at every second for a while."""

    def alerts(self) -> AlertsReport:
        """Describe the alerts that fire."""

    async def report(self) -> bytes:
        """Gather a diagnostic report: a zip file without secrets."""

    def known(self) -> Known:
        """Collect what metrics are made of."""

    def ready(self) -> str:
        """Say why the plant is not up as wanted, nothing when it is (`/readyz`)."""

    async def plan(self, request: ApplyRequest) -> PlanReport | Diagnosis:
        """Read the manifest and say what an apply would do, or what is wrong with it."""

    async def apply(self, request: ApplyRequest) -> OutcomeReport:
        """Apply and return at the outcome; goes on whether or not the client that asked is still there."""

    async def rollback(self, request: RollbackRequest) -> OutcomeReport:
        """Bring a kept generation into force again, as a new one; returns and goes on as `apply` does."""

    def watch(self) -> WatchStatus:
        """Say how the watcher does; `off` where nobody has asked for one."""

    def pause_watch(self, by: str) -> str:
        """Hold every edit of the files back; the text is a refusal, empty when it is so."""

    def resume_watch(self, by: str) -> str:
        """Let edits of the files through again; the text is a refusal, empty when it is so."""

    def cancel(self, by: str) -> None:
        """Have the open apply taken back; asked a second time, stop waiting for the way back."""

    async def ask(self, verb: Verb, address: str, by: str) -> str:
        """Do this with an instance and return when it holds; the text is a refusal, empty when it was done."""

    async def shutdown(self, by: str) -> None:
        """Begin to take the plant down; returns at once, the runner ends when everything has stopped."""
