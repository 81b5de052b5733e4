"""Owns a runner that does nothing but answer by a script, behind a real control socket, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from ignrun.control.feed import EventFeed
from ignrun.control.server import ControlServer
from ignrun.control.wire import ApplyRequest, RollbackRequest, Verb
from ignrun.planner.plan.model import Plan
from ignrun.render.alerts import AlertsReport, AlertStatus
from ignrun.render.config import ConfigReport
from ignrun.render.diagnostics import Diagnosis
from ignrun.render.known import Known
from ignrun.render.outcome import OutcomeReport
from ignrun.render.plan import PlanReport, plan_report
from ignrun.render.status import status_of
from ignrun.render.status_report import RunnerFacts, StatusReport
from ignrun.render.top import ProcessUse, TopReport
from ignrun.runtime.apply.state import State
from ignrun.runtime.journal.lock import PlantLock
from ignrun.runtime.journal.registry import RunnerRecord
from ignrun.runtime.supervise.roster import Goal, Instance, Roster
from ignrun.runtime.watch.status import OFF, WatchStatus
from ignrun.terms.events import Body, Event
from ignrun.terms.failure import Failure
from ignrun.terms.names import Address
from ignrun.terms.states import Health, ModuleState
from tests.rooms.render.plants import graph_of, hosted

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class ScriptedSteering:
    """A runner of two running instances; an apply tells `happens` and ends with `outcome`."""

    def __init__(self, record: RunnerRecord, lock: PlantLock) -> None:
        self.feed = EventFeed(lambda after, limit: tuple(self.events[after : after + limit]))
        self.events: list[Event] = []
        self.happens: list[tuple[str, Body]] = []
        self.outcome = OutcomeReport("1.0", 1, "committed", 1, "")
        self.failure: Failure | None = None
        self.refusal = ""
        self.watching = OFF
        self.firing: tuple[AlertStatus, ...] = ()
        self.asked: list[object] = []
        self._record = record
        self._lock = lock
        self._specs = [hosted("tags@gateway"), hosted("web@gateway")]

    @property
    def runner(self) -> RunnerFacts:
        one = self._record
        return RunnerFacts(one.plant, one.socket, one.pid, one.version, one.started, one.manifest, one.state_dir)

    def config(self, address: str) -> ConfigReport | None:
        return None

    def status(self) -> StatusReport:
        up = {"state": ModuleState.RUNNING, "health": Health.HEALTHY, "goal": Goal.UP, "since": 1.0, "cause": "started"}
        roster = Roster({Address(spec.address): Instance(spec, **up) for spec in self._specs})  # type: ignore[arg-type]
        state = State(graph=graph_of(*self._specs), roster=roster, generation=1)
        return status_of(state, mono=61.0, at=datetime.now(UTC), runner=self.runner)

    def top(self) -> TopReport:
        use = ProcessUse("gateway", "host", 7, ("tags@gateway", "web@gateway"), "running", "healthy", 2**20, 12.5, 3, 9)
        return TopReport("1.0", "plant", AT, (use,))

    def alerts(self) -> AlertsReport:
        return AlertsReport("1.0", "plant", AT, self.firing, ("big",))

    async def report(self) -> bytes:
        return b"PK archive"

    def known(self) -> Known:
        return Known(self.status(), self.top(), self.alerts(), {})

    def ready(self) -> str:
        return ""

    async def plan(self, request: ApplyRequest) -> PlanReport | Diagnosis:
        self.asked.append(request)
        return plan_report(Plan(0, "", (), 2))

    async def rollback(self, request: RollbackRequest) -> OutcomeReport:
        self.asked.append(request)
        return self.outcome

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
        for subject, body in self.happens:
            self.tell(subject, body)
            await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        return self.outcome

    async def ask(self, verb: Verb, address: str, by: str) -> str:
        self.asked.append((verb, address))
        return self.refusal

    async def shutdown(self, by: str) -> None:
        self.asked.append("down")
        self._lock.release()

    def tell(self, subject: str, body: Body) -> None:
        self.events.append(Event(len(self.events) + 1, AT, 1.0, subject, 1, body))
        self.feed.publish((self.events[-1],))


@contextmanager
def serving(record: RunnerRecord, lock: PlantLock) -> Iterator[ScriptedSteering]:
    """Answer on the socket of `record` for as long as the block runs."""
    ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    made: list[ScriptedSteering] = []

    async def serve() -> None:
        made.append(ScriptedSteering(record, lock))
        server = await ControlServer.open(Path(record.socket), made[0])
        ready.set()
        await ended.wait()
        await server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield made[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
