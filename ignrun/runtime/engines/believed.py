"""Turns what a host says into what can be taken in: texts masked and cut, exports small and plain, a socket of this plant."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from ignrun.protocol.frames import FrameError
from ignrun.protocol.reports import (
    EXPORT_LIMIT,
    ConfigAsked,
    Exported,
    HealthReport,
    Hello,
    HostReport,
    Loaded,
    Logged,
    LogLine,
    Measured,
    Metrics,
    Move,
    Moves,
    Prepared,
    Resumed,
    Revised,
    Stalled,
    Unfinished,
)
from ignrun.runtime.engines.output import Mask
from ignrun.terms.fault import Fault
from ignrun.terms.metric import LONGEST_LABEL, METRIC_NAME, MOST_LABELS, MOST_METRICS, Metric

LONGEST_LINE: Final = 1000
"""Characters of a summary, a cause or a reason; hosts cut them earlier."""

LONGEST_TEXT: Final = 64 * 1024
"""Characters of a traceback or of a log line's text."""

MOST_FIELDS: Final = 32
DEEPEST: Final = 64
"""How deep exports may be nested."""

_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "critical"})
_AMISS: Final = timedelta(days=1)


def believed(report: HostReport, run_dir: Path, mask: Mask) -> HostReport:  # noqa: C901, PLR0912 - one case for each report
    """Give the report as it may be taken in; raises FrameError for what no host of ours says."""
    match report:
        case Hello():
            if Path(report.socket).parent != run_dir:
                message = "its socket is not in the run-time folder of the plant"
                raise FrameError(message)
            return report
        case Loaded():
            return replace(report, faults=tuple(replace(one, fault=_fault(one.fault, mask)) for one in report.faults))
        case Moves():
            return Moves(tuple(_move(one, mask) for one in report.moves))
        case Exported():
            _check(report.exports)
            return report
        case HealthReport():
            return replace(report, reason=_line(report.reason, mask)) if report.reason else report
        case Logged():
            now = datetime.now(UTC)
            return Logged(tuple(_logged(line, now, mask) for line in report.lines))
        case Stalled() | Resumed():
            message = "it speaks of its own pulse, which is read and not told"
            raise FrameError(message)
        case Unfinished():
            return replace(report, names=tuple(_line(name, mask) for name in report.names[:MOST_FIELDS]))
        case Metrics():
            return Metrics(tuple(_measured(one, mask) for one in report.measured))
        case ConfigAsked():
            if len(report.path) > LONGEST_LINE or len(report.text) > LONGEST_TEXT:
                message = "it asks for a config value that is longer than any can be"
                raise FrameError(message)
            return report
        case Prepared():
            return replace(report, fault=_fault(report.fault, mask)) if report.fault is not None else report
        case Revised():
            return _revised(report, mask)
        case _:
            assert_never(report)


def _line(text: str, mask: Mask) -> str:
    return mask(text)[:LONGEST_LINE]


def _fault(fault: Fault, mask: Mask) -> Fault:
    return Fault(
        fault.kind,
        _line(fault.summary, mask),
        _line(fault.callback, mask),
        mask(fault.detail)[-LONGEST_TEXT:],
        _line(fault.upstream, mask),
    )


def _measured(measured: Measured, mask: Mask) -> Measured:
    """Leave out what is no figure, and what a label may not be."""
    believable = [_metric(one, mask) for one in measured.metrics[:MOST_METRICS] if _is_figure(one)]
    return replace(measured, metrics=tuple(believable))


def _is_figure(metric: Metric) -> bool:
    names = (metric.name, *(name for name, _ in metric.labels))
    return all(math.isfinite(one) for one in (metric.value, metric.longest)) and all(map(METRIC_NAME.match, names))


def _metric(metric: Metric, mask: Mask) -> Metric:
    labels = tuple((name, mask(value)[:LONGEST_LABEL]) for name, value in metric.labels[:MOST_LABELS])
    return replace(metric, labels=labels, about=mask(metric.about)[:LONGEST_LABEL])


def _revised(report: Revised, mask: Mask) -> Revised:
    if report.exports is not None:
        _check(report.exports)
    return replace(report, fault=_fault(report.fault, mask)) if report.fault is not None else report


def _move(move: Move, mask: Mask) -> Move:
    if move.exports is not None:
        _check(move.exports)
    fault = _fault(move.fault, mask) if move.fault is not None else None
    return replace(move, cause=_line(move.cause, mask), fault=fault)


def _check(exports: dict[str, Any]) -> None:
    try:
        size = len(msgspec.json.encode(exports)) if _is_shallow(exports, DEEPEST) else None
    except (TypeError, ValueError) as error:
        message = f"its exports are no JSON values: {error}"
        raise FrameError(message) from error
    if size is None or size > EXPORT_LIMIT:
        how = f"{size} bytes of JSON, {EXPORT_LIMIT} are allowed" if size else f"nested deeper than {DEEPEST} levels"
        message = f"its exports are {how}"
        raise FrameError(message)


def _is_shallow(value: Any, left: int) -> bool:
    if not isinstance(value, dict | list | tuple):
        return True
    return left > 0 and all(
        _is_shallow(one, left - 1) for one in (value.values() if isinstance(value, dict) else value)
    )


def _logged(line: LogLine, now: datetime, mask: Mask) -> LogLine:
    """Give a line a time and a level that can be, and no more than can be kept; its text is masked where it is kept, and before it is cut."""
    return LogLine(
        line.address,
        line.at if line.at.tzinfo and abs(line.at - now) < _AMISS else now,
        line.level if line.level in _LEVELS else "info",
        line.text if len(line.text) <= LONGEST_TEXT else mask(line.text)[:LONGEST_TEXT],
        {name[:LONGEST_LINE]: _short(line.fields[name], mask) for name in list(line.fields)[:MOST_FIELDS]},
    )


def _short(value: Any, mask: Mask) -> Any:
    return value if isinstance(value, int | float | None) else mask(str(value))[:LONGEST_LINE]
