"""Turns what modules log into masked lines for the runner, however much it is and whichever thread it comes from."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from ignrun.host.callbacks import whose
from ignrun.host.faults import traceback_of
from ignrun.host.masking import Masker
from ignrun.protocol.reports import LogLine
from ignrun.sdk.surroundings import LOGGERS

KEPT: Final = 4096
"""How many lines may wait to be sent; more are dropped, and counted."""

TEXT_LIMIT: Final = 16 * 1024
FIELDS_LIMIT: Final = 32

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LinesHandler(logging.Handler):
    """Collects log records of the whole process; `wake` is called, from any thread, when there is something to send."""

    def __init__(self, masker: Masker, wake: Callable[[], None]) -> None:
        super().__init__()
        self._masker = masker
        self._wake = wake
        self._lines: deque[LogLine] = deque()
        self._dropped: dict[str, int] = {}
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record as a line."""
        address = _address_of(record)
        with self._guard:
            if len(self._lines) >= KEPT:
                self._dropped[address] = self._dropped.get(address, 0) + 1
                return
        line = self._line(record, address)
        with self._guard:
            first = not self._lines
            self._lines.append(line)
        if first:
            self._wake()

    def take(self) -> tuple[LogLine, ...]:
        """Give the lines that wait, and one more for each instance whose lines were dropped."""
        with self._guard:
            lines, dropped = tuple(self._lines), self._dropped
            self._lines.clear()
            self._dropped = {}
        now = datetime.now(UTC)
        return lines + tuple(
            LogLine(
                address, now, "warning", f"{count} log lines were dropped: they came faster than they could be sent"
            )
            for address, count in dropped.items()
        )

    def refused(self, lines: tuple[LogLine, ...]) -> None:
        """Count lines that could not be sent as dropped."""
        with self._guard:
            for line in lines:
                self._dropped[line.address] = self._dropped.get(line.address, 0) + 1

    def _line(self, record: logging.LogRecord, address: str) -> LogLine:
        text = self._masker.mask(_text_of(record, self._masker))
        if len(text) > TEXT_LIMIT:
            text = text[:TEXT_LIMIT] + f"… ({len(text) - TEXT_LIMIT} characters more)"
        at = datetime.fromtimestamp(record.created, UTC)
        return LogLine(address, at, record.levelname.lower(), text, self._fields(record))

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, value in vars(record).items():
            if name in _OWN or len(fields) >= FIELDS_LIMIT:
                continue
            plain = value if isinstance(value, int | float | bool | type(None)) else _shown(value)
            fields[name] = self._masker.mask(plain)[:TEXT_LIMIT] if isinstance(plain, str) else plain
        return {name: _in_range(value) for name, value in fields.items()}


def _address_of(record: logging.LogRecord) -> str:
    return record.name[len(LOGGERS) :] if record.name.startswith(LOGGERS) else whose.get()


def _text_of(record: logging.LogRecord, masker: Masker) -> str:
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001 - the arguments are objects of module code
        text = f"{record.msg!s:.200} (its arguments cannot be written: {type(error).__name__})"
    if record.exc_info and record.exc_info[1] is not None:
        text += "\n" + traceback_of(record.exc_info[1], masker).rstrip()
    if record.stack_info:
        text += "\n" + record.stack_info
    return text


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - an object of module code
        return f"({type(error).__name__})"


def _in_range(value: Any) -> Any:
    """Give an int that msgpack cannot hold as text."""
    return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value


def set_level(address: str, level: str) -> None:
    """Let an instance log from this level on (`debug`, `info`, ...).

    Where it is what goes without saying, no logger is made: thousands of them cost memory, and setting the level of one asks all.
    """
    name, number = LOGGERS + address, logging.getLevelName(level.upper())
    known = logging.root.manager.loggerDict.get(name)
    if known is None and number != logging.root.level:
        logging.getLogger(
            name
        ).level = number  # nobody has asked this one yet, so nothing is remembered that would be wrong
    elif isinstance(known, logging.Logger) and known.level != number:
        known.setLevel(number)


def listen(handler: LinesHandler, level: int = logging.INFO) -> None:
    """Make the handler hear everything that the process logs, warnings included."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    logging.raiseExceptions = False
