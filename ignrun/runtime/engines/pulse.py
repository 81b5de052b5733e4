"""Reads the pulses of hosts and tells when a loop is stuck, or nothing of a host can run at all, and when it goes on."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from ignrun.protocol.pulse import BEAT, LATE, Pulse, dump_path, pulse_path
from ignrun.protocol.reports import Resumed, Stalled
from ignrun.runtime.engines.process import Child, signal_child

Tell = Callable[[Stalled | Resumed], None]

_DUMP_LIMIT: Final = 64 * 1024
_SOURCE_LIMIT: Final = 512 * 1024
_THREAD: Final = re.compile(r"^(?:Current thread|Thread) 0x([0-9a-f]+)")
_FRAME: Final = re.compile(r'^  File "(.*)", line (\d+) in (.*)$')
_NOT_OWN: Final = re.compile(r"/(?:lib/python3[^/]*|site-packages|ignrun/(?!examples/)[a-z]+)/|^<frozen")
_WAITING: Final = frozenset({"select", "poll", "wait", "_wait_for_tstate_lock", "_watch", "_worker", "get", "acquire"})
_OPENS: Final = re.compile(r"^(\s*)(?:async\s+)?(class|def)\s+(\w+)")


class Frame(NamedTuple):
    """One frame of a dump."""

    file: str
    line: int
    function: str


class Heart:
    """What the runner knows of the pulse of one host process; looked at every BEAT seconds."""

    def __init__(self, child: Child, run_dir: Path, cwd: Path, tell: Tell) -> None:
        """Take the process, whose pulse lies in `run_dir` and which works in `cwd`, and who is to be told."""
        self._cwd = cwd
        self._child = child
        self._tell = tell
        path = pulse_path(str(run_dir), child.pid)
        self._pulse = Pulse.read(path)
        self._stacks = Path(dump_path(str(run_dir), child.pid))
        self._files = (Path(path), self._stacks)
        self._stalled: tuple[str, float] | None = None
        self._asked_at = 0.0

    def look(self, now: float, paused: float) -> None:
        """Look at the pulse; for `paused` seconds the runner itself did not get round to it, which is not the host's fault."""
        pulse = self._pulse
        if pulse is None or not pulse.alive:
            return
        stuck = pulse.stuck
        late = now - pulse.alive - paused > LATE
        if self._stalled is not None:
            if not late and (stuck is None or stuck.since != self._stalled[1]) and not self._still_busy():
                self._resume(now)
        elif stuck is not None and stuck.since <= now:
            self._stall(stuck.address, stuck.where, stuck.since, now)
        elif late:
            self._ask(pulse, now)

    def _still_busy(self) -> bool:
        return bool(self._pulse and self._stalled and self._pulse.busy_since == self._stalled[1])

    def _ask(self, pulse: Pulse, now: float) -> None:
        """Ask the process itself where it is, once, and read its answer at the next look."""
        if not self._asked_at:
            self._asked_at = now
            signal_child(self._child, signal.SIGUSR2)
            return
        self._asked_at = 0.0
        frames = blamed(self._answer(), pulse.loop_thread)
        since = pulse.busy_since or pulse.alive
        where = place_of(frames, self._cwd) if frames else "a place that cannot be told: nothing of its process runs"
        self._stall(pulse.mark if frames and pulse.busy_since else "", where, since, now)

    def _answer(self) -> str:
        with suppress(OSError):
            with self._stacks.open("rb") as file:
                text = file.read(_DUMP_LIMIT).decode(errors="replace")
            with self._stacks.open("r+b") as file:
                file.truncate(0)
            return text
        return ""

    def _stall(self, address: str, where: str, since: float, now: float) -> None:
        self._stalled = (address, since)
        self._tell(Stalled(address, where, round(now - since, 3)))

    def _resume(self, now: float) -> None:
        assert self._stalled is not None
        address, since = self._stalled
        self._stalled, self._asked_at = None, 0.0
        self._tell(Resumed(address, round(now - since, 3)))

    @property
    def last_step(self) -> str:
        """The address of the instance whose step the loop runs, or ran when the process ended; empty where it was nobody's."""
        pulse = self._pulse
        return pulse.mark if pulse is not None and pulse.busy_since else ""

    def close(self) -> None:
        """Look no more, and take the files away."""
        if self._pulse is not None:
            self._pulse.close()
        for path in self._files:
            path.unlink(missing_ok=True)


def blamed(dump: str, loop_thread: int) -> list[Frame]:
    """Pick, from what faulthandler wrote, the frames of the thread to blame, innermost first.

    That is the loop's thread, unless it runs no code of a module: then another one may hold the interpreter.
    """
    threads = dict(_threads(dump))
    mine = threads.pop(loop_thread, [])
    if any(_is_own(frame) for frame in mine):
        return mine
    busy = [frames for frames in threads.values() if frames and frames[0].function not in _WAITING]
    return next((one for one in busy if any(_is_own(frame) for frame in one)), mine)


def _threads(dump: str) -> Iterator[tuple[int, list[Frame]]]:
    ident, frames = 0, list[Frame]()
    for line in dump.splitlines():
        if header := _THREAD.match(line):
            if frames:
                yield ident, frames
            ident, frames = int(header[1], 16), []
        elif frame := _FRAME.match(line):
            frames.append(Frame(frame[1], int(frame[2]), frame[3]))
    if frames:
        yield ident, frames


def place_of(frames: list[Frame], cwd: Path) -> str:
    """Write `CLASS.CALLBACK at FILE:LINE`: the callback by the outermost frame of a module's own code, the line by the innermost."""
    own = [frame for frame in frames if _is_own(frame)] or frames
    first, last = own[-1], own[0]
    try:
        file = str(Path(last.file).relative_to(cwd))
    except ValueError:
        file = last.file
    return f"{qualified(first)} at {file}:{last.line}"


def qualified(frame: Frame) -> str:
    """Name the function of a frame with the class that its source shows around it."""
    if frame.function == "<module>":
        return "import"
    try:
        with Path(frame.file).open("rb") as file:
            lines = file.read(_SOURCE_LIMIT).decode(errors="replace").splitlines()[: frame.line]
    except OSError:
        return frame.function
    names: list[str] = []
    indent = 10_000
    for line in reversed(lines):
        opens = _OPENS.match(line)
        if opens and len(opens[1]) < indent and (names or opens[3] == frame.function):
            indent = len(opens[1])
            names.append(opens[3])
    return ".".join(reversed(names)) or frame.function


def _is_own(frame: Frame) -> bool:
    return not _NOT_OWN.search(frame.file)


class Rounds:
    """Looks at every heart, and knows for how long it could not."""

    def __init__(self) -> None:
        """Begin."""
        self._last = time.monotonic()

    def pause(self, now: float) -> float:
        """Give the seconds by which this round is later than it should be."""
        late = max(0.0, now - self._last - BEAT)
        self._last = now
        return late
