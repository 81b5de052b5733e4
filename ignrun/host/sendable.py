"""Turns reports into frames, whatever module code has put into them."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ignrun.protocol.frames import FrameError, frame
from ignrun.protocol.reports import HostReport, Loaded, Logged, Moves

LONGEST: Final = 4096
"""Characters that are left of each text of a report that does not fit into a frame even by itself."""


def framed(report: HostReport) -> bytes:
    """Give the frames of a report: what no frame can hold is made readable, what is too long is parted, then cut."""
    try:
        return frame(report)
    except FrameError:
        return b"".join(framed(part) for part in _parts(report))
    except (ValueError, OverflowError, TypeError):  # half a character, an int that is too large
        return framed(_rewritten(report, None))


def _parts(report: HostReport) -> Iterator[HostReport]:
    """Give two halves of a report, or the report with short texts where there are no halves."""
    match report:
        case Logged(lines) if len(lines) > 1:
            yield from (Logged(some) for some in _halves(lines))
        case Moves(moves) if len(moves) > 1:
            yield from (Moves(some) for some in _halves(moves))
        case Loaded(faults, traits) if faults and traits:
            yield from (replace(report, traits=()), replace(report, faults=()))
        case Loaded(faults, traits) if len(faults) > 1 or len(traits) > 1:
            yield from (Loaded(*some) for some in zip(_halves(faults), _halves(traits), strict=True))
        case _ if (short := _rewritten(report, LONGEST)) != report:
            yield short
        case _:
            pass  # it consists of names without end: nobody could read it


def _halves(some: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    middle = len(some) // 2
    return some[:middle], some[middle:]


def _rewritten(report: HostReport, longest: int | None) -> HostReport:
    return msgspec.convert(_readable(msgspec.to_builtins(report), longest), type(report))


def _readable(value: Any, longest: int | None) -> Any:
    match value:
        case str():
            return value[:longest].encode(errors="replace").decode()
        case bool():
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else str(value)[:longest]
        case dict():
            return {_readable(name, longest): _readable(one, longest) for name, one in value.items()}
        case list() | tuple():
            return [_readable(one, longest) for one in value]
        case _:
            return value
