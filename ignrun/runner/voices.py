"""Turns what hosts and commands write into log records: measured, masked, stamped with the generation, kept, and handed to who listens."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from ignrun.manifest.model import LogPolicy
from ignrun.protocol.reports import LogLine
from ignrun.render.events import body_text
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.floods import MOST_OF_ONE, Floods
from ignrun.runtime.observe.record import LogRecord, rank
from ignrun.terms.events import AlertFired, AlertResolved, Event, LifecycleEvent, PlacedAlone, RetryScheduled, SlowStart
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address, HostId
from ignrun.terms.states import ModuleState

OnLog = Callable[[LogRecord], None]

DEFAULT_LEVEL: Final = "info"
"""The least severity that is kept where the manifest says nothing."""


class Voices:
    """Takes lines from everywhere in a plant; lives in the runner's loop and never blocks it.

    `listener` is the runner's standard output, if there is one: it is given what `log.to` does not keep from it. `witness` is
    given every record of what hosts and commands wrote that is let through, wherever it goes, and none of the runner's own.
    """

    def __init__(
        self,
        files: LogFiles,
        mask: Callable[[str], str],
        state: Callable[[], State],
        listener: OnLog | None,
        *,
        witness: OnLog | None = None,
        mono: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take where records are kept, what blots secrets out, who knows how things are, and who else listens."""
        self._files = files
        self._mask = mask
        self._state = state
        self._listener = listener
        self._witness = witness
        self._mono = mono
        self.floods = Floods()
        self._not_ready: set[str] = set()

    def heard(self, speaker: str, lines: tuple[LogLine, ...]) -> None:
        """Keep lines; those without an address of their own, or with that of a stranger, are the speaker's (a host's id or an address)."""
        state = self._state()
        host = state.roster.hosts.get(HostId(speaker))
        own = speaker if "@" in speaker else ""
        mono = self._mono()
        for line in lines:
            known = host is not None and line.address in host.assigned
            address = line.address if known else own
            if self.floods.admits(address or speaker, speaker, len(line.text), mono):
                record = self._keep(line, address, state, speaker if host is not None and not address else "")
                if record and self._witness:
                    self._witness(record)

    def happened(self, events: tuple[Event, ...]) -> None:
        """Keep what an operator who reads only logs has to know: in those of modules what failed, who is slow, parked or alone; the plant's own in the runner's."""
        state = self._state()
        for event in events:
            body = event.body
            if isinstance(body, LifecycleEvent):
                self._moved(event, body, state)
            if level := _told_of_module(event):
                self._keep(LogLine(event.subject, event.at, level, f"ignrun: {body_text(body)}"), event.subject, state)
            if "@" not in event.subject:
                text = f"{event.subject}: {body_text(body)}" if event.subject else body_text(body)
                self._keep(LogLine("", event.at, "info", text), "", state)

    def _moved(self, event: Event, moved: LifecycleEvent, state: State) -> None:
        """Keep why a module failed; that it is not ready is news once."""
        fault = moved.fault
        if moved.new is ModuleState.RUNNING:
            self._not_ready.discard(event.subject)
        if fault is None or fault.kind is FaultKind.UPSTREAM:
            return
        level = "error"
        if fault.kind is FaultKind.NOT_READY:
            level = "debug" if event.subject in self._not_ready else "warning"
            self._not_ready.add(event.subject)
        self._keep(LogLine(event.subject, event.at, level, _whole(fault)), event.subject, state)

    def said(self, level: str, text: str) -> None:
        """Keep a line of the runner's own."""
        self._keep(LogLine("", datetime.now(UTC), level, text), "", self._state())

    @property
    def lost(self) -> int:
        """How many lines no file has taken so far."""
        return self._files.lost

    def tick(self) -> None:
        """Say of whom lines were left out since the last time; called every second."""
        for name, count in self.floods.told().items():
            text = f"{name} wrote more than {MOST_OF_ONE:,.0f} lines a second: {count:,} lines are left out here"
            host = "" if "@" in name else name
            self._keep(LogLine(name, datetime.now(UTC), "warning", text), name if not host else "", self._state(), host)

    def _keep(self, line: LogLine, address: str, state: State, host: str = "") -> LogRecord | None:
        policy = log_policy(state, address)
        if rank(line.level) < rank(policy.level or DEFAULT_LEVEL):
            return None
        stream = line.fields.get("stream", "")
        record = LogRecord(
            at=line.at,
            level=line.level,
            text=self._mask(line.text),
            address=address,
            generation=state.generation,
            stream=stream if isinstance(stream, str) else "",
            fields=self._masked({name: value for name, value in line.fields.items() if name != "stream"}),
            host=host,
        )
        if policy.to != "stdout" or self._listener is None:  # a line is never lost because nobody reads stdout
            self._files.write(record)
        if self._listener and policy.to != "file":
            self._listener(record)
        return record

    def _masked(self, fields: dict[str, object]) -> dict[str, object]:
        return {self._mask(name): self._plain(value) for name, value in fields.items()}

    def _plain(self, value: object) -> object:
        """Leave figures as they are, so that whoever reads the file can count with them; all else is text."""
        masked = self._mask(str(value))
        return value if isinstance(value, int | float | None) and masked == str(value) else masked


def log_policy(state: State, address: str) -> LogPolicy:
    """Say where the lines of an instance go: its module's own `log:` before the plant's, which holds for hosts and the runner."""
    plant = state.graph.rules.log
    spec = state.graph.instances.get(Address(address))
    own = spec.log if spec and spec.log else LogPolicy()
    return LogPolicy(own.to or plant.to, own.level or plant.level)


def _told_of_module(event: Event) -> str:
    """Say at which level an event stands in the log of its module, empty where it does not."""
    body = event.body
    if "@" not in event.subject:
        return ""
    if isinstance(body, AlertFired):
        return {"info": "info", "critical": "error"}.get(body.severity, "warning")
    if isinstance(body, AlertResolved):
        return "info"
    parked = isinstance(body, RetryScheduled) and body.parked
    return "warning" if parked or isinstance(body, SlowStart | PlacedAlone) else ""


def _whole(fault: Fault) -> str:
    """Write all that is known of a fault: the sentence, and below it the traceback or the last output; who is not ready has said it all."""
    if fault.kind is FaultKind.NOT_READY:
        return f"ignrun: {fault.summary}"
    where = f" in `{fault.callback}`" if fault.callback and f"`{fault.callback}`" not in fault.summary else ""
    return f"ignrun: {fault.summary}{where}" + (f"\n{fault.detail}" if fault.detail else "")
