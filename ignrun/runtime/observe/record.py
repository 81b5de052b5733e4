"""Owns LogRecord, one line of a log file."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from ignrun.terms.names import MODULE_NAME

RUNNER: Final = "runner"
"""Name of the runner's own log; its lines have no address, so that a module of that name is not confused with it."""

LONGEST_TEXT: Final = 64 * 1024
"""Characters of one line's text that are kept."""


LEVELS: Final = ("debug", "info", "warning", "error", "critical")
"""Levels from the least to the most."""

_RANKS: Final = {name: at for at, name in enumerate(LEVELS)}


def rank(level: str) -> int:
    """Give how much a level weighs; one that nobody knows weighs most, so that it is always seen."""
    return _RANKS.get(level.lower(), len(LEVELS))


class LogRecord(msgspec.Struct, frozen=True):
    """One line: `at` is aware UTC; `address` that of the instance, empty for the runner's and a host's own lines.

    `host` is the host whose own line it is: what was printed in a process that several instances share. `stream` is `out` or `err` where a command wrote it; `generation` the one in force.
    """

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    level: str
    text: str
    address: str = ""
    generation: int = 0
    stream: str = ""
    fields: dict[str, Any] = {}
    host: str = ""

    @property
    def log(self) -> str:
        """Name of the log that the line belongs to."""
        return log_name(self.address or self.host)


_DECODER: Final = msgspec.json.Decoder(LogRecord)


def encode_record(record: LogRecord) -> bytes:
    """Turn a record into one JSON line; what no JSON can hold is replaced or left out, never refused."""
    if len(record.text) > LONGEST_TEXT:
        left_out = len(record.text) - LONGEST_TEXT
        record = msgspec.structs.replace(record, text=f"{record.text[:LONGEST_TEXT]} ... ({left_out} characters cut)")
    try:
        return msgspec.json.encode(record) + b"\n"
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
        readable = LogRecord(
            record.at, _plain(record.level), _plain(record.text), _plain(record.address), host=_plain(record.host)
        )
        return msgspec.json.encode(readable) + b"\n"


def _plain(text: str) -> str:
    return text.encode(errors="replace").decode()


def decode_record(line: bytes) -> LogRecord | None:
    """Turn a line back into its record, None when it was cut short by a crash or written by somebody else."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def log_name(address: str) -> str:
    """Say whose log a line belongs to: the module of an address, a host by its name, else the runner."""
    module = address.partition("@")[0]
    return module if MODULE_NAME.match(module) else RUNNER
