"""Holds the looks at a plant to what they find: samples of the right processes, alerts told once, patterns that cannot hold it up."""

import asyncio
import os
import time
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from ignrun.manifest.model import Alert
from ignrun.planner.graph.model import Rules
from ignrun.protocol.reports import Measured
from ignrun.runner.alarms import Alarms, Notice
from ignrun.runner.observing import Observing
from ignrun.runner.voices import Voices
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.history import History, read_series
from ignrun.runtime.observe.observer import Observer
from ignrun.runtime.observe.record import LogRecord
from ignrun.runtime.supervise.roster import Assigned, HostPhase, HostRecord, Instance, Roster
from ignrun.terms.clock import SystemClock
from ignrun.terms.events import AlertFired, AlertResolved, Body
from ignrun.terms.metric import Metric
from ignrun.terms.names import HostId, ModuleScope
from ignrun.terms.sample import ProcessSample
from ignrun.terms.states import Health, ModuleState
from tests.doubles.plants import HERE, command, graph, module


class Plant:
    """A plant that is looked at; `state` is what its runner knows."""

    def __init__(self, folder, *alerts: Alert) -> None:
        tags, web = module("tags"), command("web")
        host = HostRecord(HostId("gateway"), ModuleScope.GATEWAY, own=False, pid=11)
        host = replace(host, epoch=4, phase=HostPhase.SERVING, assigned={tags.address: Assigned(tags.facets, ())})
        up: dict[str, Any] = {"state": ModuleState.RUNNING, "health": Health.HEALTHY}
        instances = {tags.address: Instance(tags, **up), web.address: Instance(web, **up, pid=12)}
        rules = Rules(alerts=alerts)
        self.state = State(graph=replace(graph([tags, web]), rules=rules), roster=Roster(instances, {host.host: host}))
        self.told: list[tuple[str, Body]] = []
        self.notices: list[Notice] = []
        self.said: list[LogRecord] = []
        self.asked: list[tuple[tuple[int, ...], bool]] = []
        self.orders: list[tuple[str, int, float]] = []
        self.files = LogFiles(folder)
        self.voices = Voices(self.files, str, lambda: self.state, self.said.append, witness=self._heard)
        self.history = History(folder / "samples.sqlite")
        alarms = Alarms(str(folder), lambda _: None)
        alarms.tell = lambda _, notice: self.notices.append(notice)  # type: ignore[method-assign, assignment]
        self.looks = Observing(
            observer=Observer(self.history),
            voices=self.voices,
            state=lambda: self.state,
            sample=self.sample,
            tell=lambda subject, body: self.told.append((subject, body)),
            alarms=alarms,
            mask=lambda text: text.replace("hunter2", "***"),
            clock=SystemClock(),
            give=lambda host, epoch, order: self.orders.append((host, epoch, order.interval)),
        )

    def _heard(self, record: LogRecord) -> None:
        self.looks.heard(record)

    def sample(self, pids: Iterable[int], *, family: bool = True) -> dict[int, ProcessSample]:
        self.asked.append((tuple(pids), family))
        return {pid: ProcessSample(pid, time.monotonic(), pid * 1000, 0.5, 1) for pid in self.asked[-1][0] if pid != 12}

    def becomes(self, address: str, **fields) -> None:
        instances = dict(self.state.roster.instances)
        key = next(one for one in instances if one == address)
        instances[key] = replace(instances[key], **fields)
        self.state = replace(self.state, roster=replace(self.state.roster, instances=instances))

    def close(self) -> None:
        self.history.close()
        self.files.close()


async def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def record(text: str, address: str = "tags@gateway") -> LogRecord:
    return LogRecord(SystemClock().utc(), "info", text, address)


async def test_every_process_is_sampled_and_the_runner_without_those_it_started(tmp_path) -> None:
    plant = Plant(tmp_path)
    plant.looks.start()
    await until(lambda: plant.looks.observer.figures("gateway"))
    await plant.looks.close()
    assert plant.asked == [((11, 12), True), ((os.getpid(),), False)]
    assert [(one.name, one.memory) for one in plant.looks.top("p").processes] == [
        ("runner", os.getpid() * 1000),
        ("gateway", 11_000),
        ("web@gateway", None),  # it had ended
    ]
    plant.close()
    now = time.time()
    assert ("gateway", "memory") in read_series(tmp_path / "samples.sqlite", now - 60, now)


def test_what_fires_is_journaled_and_told_and_what_is_over_too(tmp_path) -> None:
    plant = Plant(tmp_path, Alert("bad", {"modules": "web", "state": "error"}, HERE, then=("log", {"exec": ["true"]})))
    plant.looks.look()
    plant.becomes("web@gateway", state=ModuleState.ERROR, cause="password hunter2 was refused")
    plant.looks.look()
    plant.looks.look()
    assert plant.looks.alerts("p").alerts[0].state == "firing"
    plant.becomes("web@gateway", state=ModuleState.RUNNING)
    plant.looks.look()
    (first, fired), (second, over) = plant.told
    assert (first, fired) == ("web@gateway", AlertFired("bad", "warning", "state is error: password *** was refused"))
    assert second == "web@gateway" and isinstance(over, AlertResolved)
    assert [(one.state, one.alert, one.address) for one in plant.notices] == [
        ("firing", "bad", "web@gateway"),
        ("resolved", "bad", "web@gateway"),
    ]
    assert plant.looks.alerts("p").alerts == ()
    plant.close()


def test_an_alert_on_lines_sees_what_modules_write_and_not_what_is_said_of_them(tmp_path) -> None:
    plant = Plant(tmp_path, Alert("slow", {"modules": "*", "log": r"took \d+ s|alert"}, HERE))
    plant.looks.look()
    plant.looks.heard(record("took 12 s"))
    plant.looks.look()
    plant.voices.said("warning", "alert alert alert")
    plant.looks.look()
    assert [body.reason for _, body in plant.told if isinstance(body, AlertFired)] == [
        r"1 line within 1m where `took \d+ s|alert` is found"
    ]
    plant.close()


def test_a_pattern_without_end_is_left_out_and_said_once(tmp_path) -> None:
    plant = Plant(tmp_path, Alert("slow", {"modules": "*", "log": "(a+)+$"}, HERE))
    plant.looks.look()
    began = time.monotonic()
    for _ in range(50):
        plant.looks.heard(record("a" * 40 + "!"))
    assert time.monotonic() - began < 5
    assert [one.text for one in plant.said] == [
        "the pattern of alert slow takes more than 50ms for a line: it is left out"
    ]
    assert plant.looks.alerts("p").notes == (
        "the pattern of alert slow takes more than 50ms for a line: it is left out",
    )
    plant.close()


def test_nothing_fires_while_the_plant_goes_down(tmp_path) -> None:
    plant = Plant(tmp_path, Alert("gone", {"modules": "*", "state": "stopped"}, HERE))
    plant.state = replace(plant.state, ending=0)
    plant.becomes("web@gateway", state=ModuleState.STOPPED)
    plant.looks.look()
    assert plant.told == []
    plant.close()


def test_a_host_measures_only_for_those_who_live_in_it(tmp_path) -> None:
    plant = Plant(tmp_path)
    jobs = (Metric("jobs", "counter", 3.0),)
    plant.looks.measured(HostId("gateway"), (Measured("tags@gateway", 1, jobs), Measured("web@gateway", 1, jobs)))
    plant.looks.measured(HostId("stranger"), (Measured("tags@gateway", 1, ()),))
    assert plant.looks.observer.metrics(["tags@gateway", "web@gateway"]) == {"tags@gateway": jobs}
    plant.close()


def test_a_look_that_fails_is_said_and_the_next_one_is_taken(tmp_path, monkeypatch) -> None:
    plant = Plant(tmp_path)
    monkeypatch.setattr(plant.looks, "_sample", lambda *_, **__: 1 / 0)

    async def play() -> None:
        plant.looks.start()
        await until(lambda: plant.said)
        await plant.looks.close()

    asyncio.run(play())
    assert plant.said[0].text == "looking at the plant failed: ZeroDivisionError: division by zero"
    plant.close()


@pytest.mark.parametrize(("figures", "shown"), [((11, 12), {11: 11_000}), ((), {})])
def test_the_status_is_told_what_processes_take(tmp_path, figures, shown) -> None:
    plant = Plant(tmp_path)
    for at in (1.0, 2.0):
        samples = {"gateway": ProcessSample(11, at, 11_000, at / 4, 1)} if figures else {}
        plant.looks.observer.sampled(samples, at)
    assert {pid: one.memory for pid, one in plant.looks.usage().items()} == shown
    if figures:
        assert plant.looks.usage()[11].cpu == 25.0
    plant.close()


async def test_hosts_tell_metrics_every_second_while_somebody_watches_and_as_usual_when_nobody_does(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("ignrun.runner.observing.SECOND", 0.01)
    monkeypatch.setattr("ignrun.runner.observing.WATCHED", 0.2)
    plant = Plant(tmp_path)
    plant.looks.start()
    await until(lambda: plant.asked)
    assert plant.orders == []
    plant.looks.top("p")
    await until(lambda: len(plant.orders) == 2)
    assert plant.orders == [("gateway", 4, 0.01), ("gateway", 4, 0.0)]
    host = plant.state.roster.hosts[HostId("gateway")]
    plant.looks.top("p")
    await until(lambda: len(plant.orders) == 3)
    plant.state = replace(plant.state, roster=replace(plant.state.roster, hosts={host.host: replace(host, epoch=5)}))
    plant.looks.top("p")
    await until(lambda: len(plant.orders) == 4)
    assert plant.orders[-1] == ("gateway", 5, 0.01)  # its successor knows nothing of it
    await plant.looks.close()
    plant.close()
