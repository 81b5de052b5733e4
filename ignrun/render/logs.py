"""Turns one JSON line of a module's log into one line of text."""

from typing import Any, Final

import msgspec

from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral, neutral_lines
from ignrun.runtime.observe.record import LogRecord

_STYLES: Final = {"debug": "dim", "warning": "warn", "error": "bad", "critical": "bad"}


def log_text(record: LogRecord, *, name: str = "", width: int = 0, paint: Paint = plain, timed: bool = True) -> str:
    """Write a record, its name in front, padded to `width`; further lines of its text are indented below the first."""
    at = f"{record.at.astimezone():%H:%M:%S}.{record.at.microsecond // 1000:03d} " if timed else ""
    prefix = f"{neutral(name):<{width}} | " if name else ""
    style = _STYLES.get(record.level.lower(), "")
    first, *more = neutral_lines(record.text)
    extra = "".join(f" {neutral(key)}={neutral(_shown(value))}" for key, value in record.fields.items())
    head = f"{prefix}{paint('dim', at)}{neutral(record.level).upper():<7} {paint(style, first)}{extra}"
    return "\n".join([head, *(f"{prefix}{' ' * len(at)}        {paint(style, line)}" for line in more)])


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, TypeError, ValueError):  # halves of characters, which no JSON can hold
        return ascii(value)
