"""Turns what module code raised into a Fault: one masked line, and a traceback without the host's own frames."""

import asyncio
import os
import traceback
from typing import Final

import ignrun
from ignrun.host.masking import Masker
from ignrun.host.steps import Left
from ignrun.sdk.raised import Fatal, NotReady, Reject
from ignrun.sdk.settings import ConfigRefused
from ignrun.terms.duration import show_duration
from ignrun.terms.fault import Fault, FaultKind

FRAMES: Final = 20
LINE_LIMIT: Final = 400
DETAIL_LIMIT: Final = 16_000

_PACKAGE = os.path.dirname(ignrun.__file__)  # noqa: PTH120 - compared with the names of code objects
_OURS: Final = tuple(os.path.join(_PACKAGE, room) + os.sep for room in ("host", "sdk"))  # noqa: PTH118 - the same
_MACHINERY: Final = (
    os.path.dirname(asyncio.__file__) + os.sep,  # noqa: PTH120 - the same
    f"{os.sep}concurrent{os.sep}futures{os.sep}",
    f"{os.sep}threading.py",
    f"{os.sep}importlib{os.sep}__init__.py",
    "<frozen importlib",
)


class Faulted(Exception):  # noqa: N818 - carries a Fault
    """A callback ended with this fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.summary)
        self.fault = fault


def fault_of(error: BaseException, callback: str, masker: Masker) -> Fault:
    """Describe what a callback raised."""
    summary = f"`{callback}` raised {one_line(error, masker)}"
    kind = FaultKind.RAISED
    match error:
        case NotReady():
            kind, summary = FaultKind.NOT_READY, f"not ready: {_text(error, masker) or 'no reason given'}"
        case Fatal():
            kind, summary = FaultKind.FATAL, f"fatal: {_text(error, masker) or 'no reason given'}"
        case Reject() if callback == "prepare_reconfigure":
            kind, summary = FaultKind.REJECTED, f"rejected: {_text(error, masker) or 'no reason given'}"
        case SystemExit():
            summary = f"`{callback}` called sys.exit({error.code!r})"
        case Left():
            summary = str(error)
        case ConfigRefused():
            summary = f"the config does not fit: {_text(error, masker)}"
    return Fault(kind, masker.mask(summary), callback, traceback_of(error, masker))


def timed_out(callback: str, seconds: float, place: str = "", *, ended: bool = True) -> Fault:
    """Describe a callback that took too long, and at which line it was then; `ended` is False when it goes on all the same."""
    also = "" if ended else ", and goes on all the same"
    where = f" ({place})" if place else ""
    summary = f"`{callback}` did not end within {show_duration(seconds)}{also}{where}"
    return Fault(FaultKind.TIMED_OUT if ended else FaultKind.OVERDUE, summary, callback)


def import_fault(error: BaseException, entry: str, masker: Masker) -> Fault:
    """Describe why a class could not be imported, with the place in the module's own code."""
    place = place_of(error)
    where = f" ({place})" if place else ""
    said = f"called sys.exit({error.code!r})" if isinstance(error, SystemExit) else one_line(error, masker)
    summary = masker.mask(f"`{entry}` cannot be imported: {said}{where}")
    return Fault(FaultKind.IMPORT, summary, "import", traceback_of(error, masker))


def place_of(error: BaseException) -> str:
    """Give `FILE:LINE` of the module's own code that raised, or of the text that is no Python; empty where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno or 1}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def one_line(error: BaseException, masker: Masker) -> str:
    """Give `ValueError: what it said`, on one line and not too long."""
    text = _text(error, masker)
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _text(error: BaseException, masker: Masker) -> str:
    try:
        said = str(error)
    except Exception as worse:  # noqa: BLE001 - a module's own __str__ may be broken
        said = f"(its text cannot be had: {type(worse).__name__})"
    return shortened(" ".join(masker.mask(said).split()))


def shortened(line: str) -> str:
    """Cut a line that is too long to be read, and show that it was."""
    return line if len(line) <= LINE_LIMIT else line[: LINE_LIMIT - 1] + "…"


def traceback_of(error: BaseException, masker: Masker) -> str:
    """Write the traceback, the last frames only, without the frames of the host."""
    try:
        told = traceback.TracebackException.from_exception(error, limit=-4 * FRAMES)
        _trim(told, set())
        text = "".join(told.format())
    except Exception as worse:  # noqa: BLE001 - formatting calls the module's own __str__ and __repr__
        text = f"(the traceback cannot be written: {type(worse).__name__})"
    masked = masker.mask(text)
    return masked if len(masked) <= DETAIL_LIMIT else "…\n" + masked[-DETAIL_LIMIT:]


def _trim(told: traceback.TracebackException, seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    kept = [frame for frame in told.stack if not _is_ours(frame.filename)]
    told.stack = traceback.StackSummary.from_list(kept[-FRAMES:])
    for other in (told.__cause__, told.__context__, *(getattr(told, "exceptions", None) or ())):
        if other is not None:
            _trim(other, seen)


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS) or any(part in filename for part in _MACHINERY)
