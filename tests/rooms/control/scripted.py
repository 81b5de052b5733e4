"""Owns a runner that answers by a script, for the tests of its door."""

import asyncio
from datetime import UTC, datetime

from msgspec.structs import replace

from ignrun.control.feed import EventFeed
from ignrun.control.wire import ApplyRequest, RollbackRequest, Verb
from ignrun.planner.plan.model import Plan
from ignrun.render.alerts import AlertsReport, AlertStatus
from ignrun.render.config import ConfigReport, ValueReport
from ignrun.render.diagnostics import Diagnosis, PlaceReport, diagnosis
from ignrun.render.known import Known
from ignrun.render.outcome import OutcomeReport
from ignrun.render.plan import PlanReport, plan_report
from ignrun.render.status_report import InstanceStatistics, InstanceStatus, PlantStatus, RunnerFacts, StatusReport
from ignrun.render.top import ProcessUse, TopReport
from ignrun.runtime.watch.status import OFF, WatchStatus
from ignrun.terms.diagnostics import diagnose
from ignrun.terms.events import Event, OperatorAsked
from ignrun.terms.failure import Failure
from ignrun.terms.sample import ProcessSample
from ignrun.terms.spans import Span

T0 = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
OUTCOME = OutcomeReport("1.0", 1, "committed", 7, "1 created")
PLAN = plan_report(Plan(0, "abc", (), 3))
DIAGNOSIS = diagnosis([diagnose(Span("/srv/plant.yaml", 3, 5, 9), "IGN204", "`taps` is no key")])


def event(seq: int) -> Event:
    return Event(seq, T0, float(seq), "tags@gateway", 1, OperatorAsked("restart", "x" * 40))


def instance(address: str) -> InstanceStatus:
    module, _, scope = address.partition("@")
    statistics = InstanceStatistics(0.0, 0, 0, None, None, "healthy", None, None, None, None, None, 0, None, None)
    return InstanceStatus(
        address, module, scope, "running", "healthy", "", "up", 1, "gateway", "", T0, None, 0, None, False, "", False,
        {}, (), statistics,
    )  # fmt: skip


class ScriptedRunner:
    """A Steering whose answers are set by the test, and which keeps what it was asked."""

    def __init__(self) -> None:
        self.stored: list[Event] = []
        self.reads: list[int] = []
        self.feed = EventFeed(self._read)
        self.asked: list[object] = []
        self.refusal = ""
        self.watching = OFF
        self.state_dir = "/nowhere"
        self.reason = ""
        self.failure: Failure | None = None
        self.bug: Exception | None = None
        self.plan_report: PlanReport | Diagnosis = PLAN
        self.go = asyncio.Event()
        self.finished = asyncio.Event()

    def _read(self, after: int, limit: int) -> tuple[Event, ...]:
        self.reads.append(after)
        return tuple(self.stored[after : after + limit])

    def happen(self, count: int) -> None:
        """Let so many more events become durable."""
        new = tuple(event(len(self.stored) + number + 1) for number in range(count))
        self.stored += new
        self.feed.publish(new)

    @property
    def runner(self) -> RunnerFacts:
        return RunnerFacts("demo", "/x", 1, "0.1.0", T0, "/srv/plant.yaml", self.state_dir)

    def config(self, address: str) -> ConfigReport | None:
        place = PlaceReport("/srv/plant.yaml", 3, 5, 9)
        return ConfigReport("1.0", address.partition("@")[0], address, (ValueReport("flush", "2s", "config", place),))

    def status(self) -> StatusReport:
        if self.bug:
            raise self.bug
        plant = PlantStatus("demo", "running", "/x", 7, 1, "0.1.0", T0, 1.0, "/srv/plant.yaml", "/srv/.ignrun/demo")
        addresses = ("tags@gateway", "web@gateway", "web@client")
        return StatusReport("1.0", plant, tuple(instance(address) for address in addresses))

    def top(self) -> TopReport:
        return TopReport(
            "1.0", "demo", T0, (ProcessUse("tags@gateway", "host", 7, ("tags@gateway",), "running", "healthy", 1024),)
        )

    def alerts(self) -> AlertsReport:
        firing = AlertStatus("big", "tags@gateway", "critical", "firing", T0, "memory is high")
        return AlertsReport("1.0", "demo", T0, (firing,), ("big",))

    async def report(self) -> bytes:
        return b"PK archive"

    def known(self) -> Known:
        return Known(self.status(), self.top(), self.alerts(), {"tags@gateway": ProcessSample(7, 1.0, 1024, 0.5, 3)})

    def ready(self) -> str:
        return self.reason

    async def plan(self, request: ApplyRequest) -> PlanReport | Diagnosis:
        self.asked.append(request)
        return self.plan_report

    async def rollback(self, request: RollbackRequest) -> OutcomeReport:
        self.asked.append(request)
        return OUTCOME

    def watch(self) -> WatchStatus:
        return self.watching

    def pause_watch(self, by: str) -> str:
        return self._watched("paused", by)

    def resume_watch(self, by: str) -> str:
        return self._watched("watching", by)

    def _watched(self, state: str, by: str) -> str:
        if self.watching == OFF:
            return "nobody watches the files of this plant"
        self.asked.append((state, by))
        self.watching = replace(self.watching, state=state)
        return ""

    def cancel(self, by: str) -> None:
        self.asked.append(by)

    async def apply(self, request: ApplyRequest) -> OutcomeReport:
        self.asked.append(request)
        await self.go.wait()
        self.finished.set()
        if self.failure:
            raise self.failure
        return OUTCOME

    async def ask(self, verb: Verb, address: str, by: str) -> str:
        self.asked.append((verb, address, by))
        return self.refusal

    async def shutdown(self, by: str) -> None:
        self.asked.append(("down", by))
