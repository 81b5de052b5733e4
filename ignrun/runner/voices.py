"""Turns what hosts and commands write into log records: masked, stamped with the generation, kept, and handed to who listens."""

from collections.abc import Callable

from ignrun.protocol.reports import LogLine
from ignrun.render.events import body_text
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.record import LogRecord
from ignrun.terms.events import Event, LifecycleEvent, PlacedAlone, RetryScheduled, SlowStart
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import HostId

OnLog = Callable[[LogRecord], None]


class Voices:
    """Takes lines from everywhere in a plant; lives in the runner's loop and never blocks it."""

    def __init__(
        self, files: LogFiles, mask: Callable[[str], str], state: Callable[[], State], listener: OnLog | None
    ) -> None:
        """Take where records are kept, what blots secrets out, who knows how things are, and who else listens."""
        self._files = files
        self._mask = mask
        self._state = state
        self._listener = listener

    def heard(self, speaker: str, lines: tuple[LogLine, ...]) -> None:
        """Keep lines; those without an address of their own, or with that of a stranger, are the speaker's (a host's id or an address)."""
        state = self._state()
        host = state.roster.hosts.get(HostId(speaker))
        own = speaker if "@" in speaker else ""
        for line in lines:
            known = host is not None and line.address in host.assigned
            address = line.address if known else own
            self._keep(line, address, state.generation, speaker if host is not None and not address else "")

    def happened(self, events: tuple[Event, ...]) -> None:
        """Keep in the logs of modules what an operator who reads only them has to know: what failed, who is slow, parked, or lives alone now."""
        for event in events:
            body = event.body
            if isinstance(body, LifecycleEvent) and body.fault and body.fault.kind is not FaultKind.UPSTREAM:
                line = LogLine(event.subject, event.at, "error", _whole(body.fault))
                self._keep(line, event.subject, event.generation)
            parked = isinstance(body, RetryScheduled) and body.parked
            if "@" in event.subject and (parked or isinstance(body, SlowStart | PlacedAlone)):
                line = LogLine(event.subject, event.at, "warning", f"ignrun: {body_text(body)}")
                self._keep(line, event.subject, event.generation)

    def _keep(self, line: LogLine, address: str, generation: int, host: str = "") -> None:
        stream = line.fields.get("stream", "")
        record = LogRecord(
            at=line.at,
            level=line.level,
            text=self._mask(line.text),
            address=address,
            generation=generation,
            stream=stream if isinstance(stream, str) else "",
            fields=self._masked({name: value for name, value in line.fields.items() if name != "stream"}),
            host=host,
        )
        self._files.write(record)
        if self._listener:
            self._listener(record)

    def _masked(self, fields: dict[str, object]) -> dict[str, object]:
        return {self._mask(name): self._mask(str(value)) for name, value in fields.items()}


def _whole(fault: Fault) -> str:
    """Write all that is known of a fault: the sentence, and below it the traceback or the last output."""
    where = f" in `{fault.callback}`" if fault.callback and f"`{fault.callback}`" not in fault.summary else ""
    return f"ignrun: {fault.summary}{where}" + (f"\n{fault.detail}" if fault.detail else "")
