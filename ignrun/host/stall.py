"""Sees, from a thread of its own, where the event loop of this host is stuck, and writes it into the pulse."""

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

import ignrun
from ignrun.protocol.pulse import LIMIT, Pulse, Stuck
from ignrun.sdk.module import AbstractIgnitionModule

_OURS: Final = str(Path(ignrun.__file__).parent) + os.sep
_SHOWN: Final = f"{_OURS}examples{os.sep}"
_LIBRARY: Final = tuple(
    {f"{path}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
)
_WHERE_LIMIT: Final = 300


class Place(NamedTuple):
    """Whose code runs (empty where it is not known), which callback, and at which line."""

    address: str
    where: str


class StallWatch:
    """Beats, and tells where the loop is when a turn of it takes too long; used by one thread."""

    def __init__(self, pulse: Pulse, loop_thread: int) -> None:
        """Take the pulse, and the ident of the thread to look at."""
        self._pulse = pulse
        self._thread = loop_thread
        self._told = False
        pulse.thread(loop_thread)

    def look(self) -> None:
        """Beat, and look whether the loop is stuck."""
        now = time.monotonic()
        self._pulse.beat(now)
        since = self._pulse.busy_since
        if since and now - since >= LIMIT:
            frame = sys._current_frames().get(self._thread)  # noqa: SLF001 - the documented way to see another thread
            place = place_of(frame, self._pulse.mark)
            if self._pulse.busy_since == since:
                self._pulse.tell(Stuck(since, place.address, place.where[:_WHERE_LIMIT]))
                self._told = True
        elif self._told:
            self._pulse.tell(None)
            self._told = False


def place_of(frame: FrameType | None, mark: str = "") -> Place:
    """Say where a thread is: the callback by the outermost frame of a module's own code, the line by the innermost.

    The instance is that of the innermost frame that runs a method of a module, else the one whose step is marked.
    """
    frames = list(_outwards(frame))
    own = [one for one in frames if _is_own(one.f_code.co_filename)] or frames
    if not own:
        return Place(mark, "")
    address = next((found for one in frames if (found := _address_in(one))), mark)
    return Place(address, f"{_name_of(own[-1])} at {shown_file(own[0].f_code.co_filename)}:{own[0].f_lineno}")


def line_of(frame: FrameType | None) -> str:
    """Give `FILE:LINE` of the innermost frame of a module's own code; empty where there is none."""
    own = next((one for one in _outwards(frame) if _is_own(one.f_code.co_filename)), None)
    return f"{shown_file(own.f_code.co_filename)}:{own.f_lineno}" if own is not None else ""


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_own(filename: str) -> bool:
    if filename.startswith(_OURS):
        return filename.startswith(_SHOWN)
    return not filename.startswith(("<frozen", *_LIBRARY))


def _name_of(frame: FrameType) -> str:
    """Name the function: `Bad.startup`."""
    name = frame.f_code.co_qualname
    return "import" if name == "<module>" else name


def _address_in(frame: FrameType) -> str:
    self = frame.f_locals.get("self")
    if not isinstance(self, AbstractIgnitionModule):
        return ""
    surroundings = self._surroundings
    return surroundings.address if surroundings is not None else ""


def shown_file(filename: str) -> str:
    """Show a file by its path below the working folder, where it lies there."""
    here = os.getcwd() + os.sep  # noqa: PTH109 - compared with the names of code objects
    return filename.removeprefix(here)
