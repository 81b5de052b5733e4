"""Turns the passing of time into looks at the plant: samples its processes, looks for alerts, and tells of what changed."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from ignrun.protocol.orders import Measure
from ignrun.protocol.reports import Measured
from ignrun.render.alerts import FORMAT_VERSION, AlertsReport, AlertStatus, by_gravity
from ignrun.render.known import Known
from ignrun.render.status_report import StatusReport, Usage
from ignrun.render.top import TopReport, top_of
from ignrun.runner.alarms import Alarms, Notice
from ignrun.runner.voices import Voices
from ignrun.runtime.apply.state import State
from ignrun.runtime.engines.matching import LIMIT, Matcher, TooSlow
from ignrun.runtime.observe.alerts import Change, Fired, Resolved
from ignrun.runtime.observe.observer import RUNNER, Observer
from ignrun.runtime.observe.record import LogRecord
from ignrun.runtime.observe.rules import LinesSeen, Rule, rules_of
from ignrun.runtime.observe.seen import processes_of, seen_of
from ignrun.runtime.supervise.roster import HostPhase
from ignrun.terms.clock import Clock
from ignrun.terms.duration import show_duration
from ignrun.terms.events import AlertFired, AlertResolved, Body
from ignrun.terms.names import HostId
from ignrun.terms.sample import ProcessSample

SECOND: Final = 1.0
"""Seconds between two looks for alerts, and between two samples while somebody watches."""

CALM: Final = 10.0
"""Seconds between two samples while nobody watches."""

WATCHED: Final = 5.0
"""Seconds for which one question counts as watching."""


class Sampler(Protocol):
    """Looks at processes by pid, each with its `family` of all that it started; called in a thread. Who is gone is left out."""

    def __call__(self, pids: Iterable[int], *, family: bool = True) -> dict[int, ProcessSample]:
        """Look once."""


Give = Callable[[HostId, int, Measure], None]
"""Sends an order to a host in its epoch."""

Tell = Callable[[str, Body], None]
"""Has the journal keep what happened to a subject."""


class Observing:
    """The looks at one plant; lives in the runner's loop, samples in threads, and never holds either up."""

    def __init__(
        self,
        *,
        observer: Observer,
        voices: Voices,
        state: Callable[[], State],
        sample: Sampler,
        tell: Tell,
        alarms: Alarms,
        mask: Callable[[str], str],
        clock: Clock,
        give: Give = lambda _host, _epoch, _order: None,
    ) -> None:
        """Take whom it looks at, by what, and whom it tells."""
        self._give = give
        self._paced: dict[HostId, int] = {}
        self.observer = observer
        self._voices = voices
        self._state = state
        self._sample = sample
        self._tell = tell
        self._alarms = alarms
        self._mask = mask
        self._clock = clock
        self._rules: tuple[Rule, ...] = ()
        self._read_from: object = None
        self._patterns: dict[str, Matcher] = {}
        self._notes: dict[str, str] = {}
        self._sampled = -CALM
        self._asked = -WATCHED
        self._collected = -WATCHED
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self._turn(), name="observing")

    async def close(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _turn(self) -> None:
        while True:
            try:
                await self._look_once()
            except Exception as bug:  # noqa: BLE001 - the outermost frame of looking: the plant goes on without one look
                self._voices.said("error", f"looking at the plant failed: {type(bug).__name__}: {bug}")
            await asyncio.sleep(SECOND)

    async def _look_once(self) -> None:
        self._voices.tick()
        mono = self._clock.monotonic()
        watched = mono - self._asked < WATCHED
        self._pace(watched=watched)
        if mono - self._sampled >= (SECOND if watched else CALM) - SECOND / 2:
            self._sampled = mono
            await self._take_samples()
        self.look()

    def _pace(self, *, watched: bool) -> None:
        """Have hosts tell the metrics of their modules every second while somebody watches, and as usual once nobody does."""
        serving = {one.host: one.epoch for one in self._state().roster.hosts.values() if one.phase is HostPhase.SERVING}
        wanted = serving if watched else {}
        for host, epoch in wanted.items():
            if self._paced.get(host) != epoch:
                self._give(host, epoch, Measure(SECOND))
        for host, epoch in self._paced.items():
            if host not in wanted and serving.get(host) == epoch:
                self._give(host, epoch, Measure(0.0))
        self._paced = wanted

    async def _take_samples(self) -> None:
        subjects = {RUNNER: os.getpid()} | processes_of(self._state())
        found = await asyncio.to_thread(self._samples, tuple(subjects.values()))
        samples = {subject: found[pid] for subject, pid in subjects.items() if pid in found}
        self.observer.sampled(samples, self._clock.utc().timestamp())

    def _samples(self, pids: tuple[int, ...]) -> dict[int, ProcessSample]:
        """Look at all, the runner without those that it started: they are looked at by themselves."""
        own, *others = pids
        return self._sample(others) | self._sample((own,), family=False)

    def measured(self, host: HostId, measured: tuple[Measured, ...]) -> None:
        """Take what the modules of a host say of their own work; it cannot speak for those of others."""
        record = self._state().roster.hosts.get(host)
        own = tuple(one for one in measured if record is not None and one.address in record.assigned)
        self.observer.measured(own, self._clock.utc().timestamp())

    # --- alerts -------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look for alerts once; none is looked for while the plant goes down."""
        state = self._state()
        if state.ending is not None:
            return
        self._learn(state)
        if not self._rules and not self.observer.watch.held:
            return
        seen = seen_of(state, self.observer.figures)
        for change in self.observer.look(self._rules, seen, self._clock.monotonic()):
            self._told(change, state)

    def _learn(self, state: State) -> None:
        """Take over the rules of the graph in force, when they are others than before."""
        alerts = state.graph.rules.alerts
        if alerts is self._read_from:
            return
        self._read_from = alerts
        self._rules = rules_of(alerts)
        self._notes = {}
        self._patterns = {
            rule.name: Matcher(rule.condition.pattern) for rule in self._rules if isinstance(rule.condition, LinesSeen)
        }

    def heard(self, record: LogRecord) -> None:
        """Count a line, and look in it for what alerts are about."""
        self.observer.counts(record)
        if not self._patterns or not record.address:
            return
        for rule in self._rules:
            pattern = self._patterns.get(rule.name)
            if pattern and rule.watches(record.address):
                self._search(rule, pattern, record)

    def _search(self, rule: Rule, pattern: Matcher, record: LogRecord) -> None:
        try:
            if pattern.finds(record.text):
                self.observer.matched(rule.name, record.address)
        except TooSlow:
            del self._patterns[rule.name]
            note = f"the pattern of alert {rule.name} takes more than {show_duration(LIMIT)} for a line: it is left out"
            self._notes[rule.name] = note
            self._voices.said("warning", note)

    def _told(self, change: Change, state: State) -> None:
        match change:
            case Fired(rule, address, reason):
                reason = self._mask(reason)
                self._tell(address, AlertFired(rule.name, rule.severity, reason))
                self._alarms.tell(rule.then, self._notice(state, rule.name, rule.severity, address, reason))
            case Resolved(name, severity, address, seconds, reason, of):
                self._tell(address, AlertResolved(name, severity, round(seconds, 3), reason))
                if of:
                    notice = self._notice(state, name, severity, address, reason)
                    over = msgspec.structs.replace(notice, state="resolved", seconds=round(seconds, 3))
                    self._alarms.tell(of.then, over)

    def _notice(self, state: State, alert: str, severity: str, address: str, reason: str) -> Notice:
        return Notice(state.graph.plant, alert, "firing", severity, address, reason, self._clock.utc().isoformat())

    # --- what is asked ------------------------------------------------------------------------------------------------

    def top(self, plant: str) -> TopReport:
        """Describe the processes of the plant; whoever asks has them sampled every second for a while."""
        self._asked = self._clock.monotonic()
        return top_of(self._state(), plant, os.getpid(), self._clock.utc(), self.observer.looks)

    def alerts(self, plant: str) -> AlertsReport:
        """Describe the alerts that fire, and those that are about to."""
        mono, now = self._clock.monotonic(), self._clock.utc()
        firing = [
            AlertStatus(
                alert=name,
                address=address,
                severity=held.severity,
                state="pending" if held.fired is None else "firing",
                since=_moment(now, mono, held.since),
                reason=self._mask(held.reason),
            )
            for (name, address), held in self.observer.watch.held.items()
        ]
        names = tuple(rule.name for rule in self._rules)
        return AlertsReport(FORMAT_VERSION, plant, now, by_gravity(firing), names, tuple(self._notes.values()))

    def known(self, status: StatusReport) -> Known:
        """Collect what metrics are made of; who asks again within a few seconds watches."""
        mono = self._clock.monotonic()
        if mono - self._collected < WATCHED:
            self._asked = mono
        self._collected = mono
        state = self._state()
        names = {RUNNER: "runner"} | {name: name for name in processes_of(state)}
        samples = {name: one for subject, name in names.items() if (one := self.observer.sample(subject)) is not None}
        return Known(
            status=status,
            top=top_of(state, status.plant.name, os.getpid(), self._clock.utc(), self.observer.looks),
            alerts=self.alerts(status.plant.name),
            samples=samples,
            metrics=self.observer.metrics(state.roster.instances),
            lines=dict(self.observer.counted),
            suppressed=dict(self._voices.floods.suppressed),
            lost=self._voices.lost,
        )

    def usage(self) -> dict[int, Usage]:
        """Say by pid what the hosts and commands take."""
        found = (self.observer.figures(subject) for subject in processes_of(self._state()))
        return {
            one.pid: Usage(one.memory, round(100 * one.cpu, 3))
            for one in found
            if one is not None and one.cpu is not None
        }


def _moment(now: datetime, mono: float, then: float) -> datetime:
    return now - timedelta(seconds=mono - then)
