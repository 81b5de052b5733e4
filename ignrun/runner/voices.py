"""Turns what hosts and commands write into log records: masked, stamped with the generation, kept, and handed to who listens."""

from collections.abc import Callable

from ignrun.protocol.reports import LogLine
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.record import LogRecord

OnLog = Callable[[LogRecord], None]


class Voices:
    """Takes lines from everywhere in a plant; lives in the runner's loop and never blocks it."""

    def __init__(
        self, files: LogFiles, mask: Callable[[str], str], generation: Callable[[], int], listener: OnLog | None
    ) -> None:
        """Take where records are kept, what blots secrets out, who knows the generation, and who else listens."""
        self._files = files
        self._mask = mask
        self._generation = generation
        self._listener = listener

    def heard(self, speaker: str, lines: tuple[LogLine, ...]) -> None:
        """Keep lines; those without an address of their own are the speaker's (a host's id or an address)."""
        generation = self._generation()
        for line in lines:
            self._keep(line, line.address or (speaker if "@" in speaker else ""), generation)

    def _keep(self, line: LogLine, address: str, generation: int) -> None:
        stream = line.fields.get("stream", "")
        record = LogRecord(
            at=line.at,
            level=line.level,
            text=self._mask(line.text),
            address=address,
            generation=generation,
            stream=stream if isinstance(stream, str) else "",
            fields=self._masked({name: value for name, value in line.fields.items() if name != "stream"}),
        )
        self._files.write(record)
        if self._listener:
            self._listener(record)

    def _masked(self, fields: dict[str, object]) -> dict[str, object]:
        return {self._mask(name): self._mask(str(value)) for name, value in fields.items()}
