"""Turns a wish for a plant in the background into a runner of its own, detached from the terminal and waiting for orders."""

import os
import select
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec

from ignrun.terms import failure
from ignrun.terms.failure import Failure, WaitTimedOut

if TYPE_CHECKING:
    from ignrun.planner.reader.handed import HandedReading

PATIENCE: Final = 20.0
"""Seconds that a new runner may take until its socket answers."""

GO: Final = b"go\n"
"""The word that a process standing by waits for; a HandedReading comes after it, its length first, 0 for none."""

LENGTH: Final = struct.Struct("!Q")


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The runner serves: its process and its control socket."""

    pid: int
    socket: str


class NotStarted(msgspec.Struct, frozen=True, tag="not-started"):
    """The runner could not begin: the kind of Failure, with its sentence and its advice."""

    kind: str
    summary: str
    hint: str = ""


class Launch(msgspec.Struct, frozen=True):
    """What a detached runner is told on its command line; paths are absolute, `python` is the interpreter of its hosts.

    `listen` is the address on loopback that it serves too, as `HOST:PORT`, empty for none.
    """

    plant: str
    manifest: str
    state_dir: str
    root: str
    python: str
    listen: str = ""


_ANSWER: Final[msgspec.json.Decoder[Started | NotStarted]] = msgspec.json.Decoder(Started | NotStarted)


class Standby:
    """A runner's process that has imported what it needs and touches nothing before it is told to go; a context manager.

    Whoever leaves the block without `go` leaves nothing behind: the process sees the end of its pipe and exits.
    """

    def __init__(self, launch: Launch) -> None:
        """Start the process in a session of its own."""
        self._state_dir = Path(launch.state_dir)
        self._answer, its_answer = os.pipe()
        its_word, self._word = os.pipe()
        self._open: tuple[int, ...] = (self._word, self._answer)
        words = [str(its_word), str(its_answer), *msgspec.structs.astuple(launch)]
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "ignrun.runner.detached", *words],
                stdin=subprocess.DEVNULL,
                pass_fds=(its_word, its_answer),
                start_new_session=True,
                cwd=Path(launch.manifest).parent,
            )
        finally:
            os.close(its_word)
            os.close(its_answer)
        process.returncode = 0  # nobody waits for it: it outlives this command

    def __enter__(self) -> Self:
        """Keep it standing by for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it; a second time does nothing."""
        for pipe in self._open:
            os.close(pipe)
        self._open = ()

    def go(self, handed: "HandedReading | None" = None) -> Started:
        """Let it begin, with what has been read for it, and return when it serves; raises Failure with the runner's own reason."""
        told = msgspec.msgpack.encode(handed) if handed else b""
        with suppress(BrokenPipeError):
            _write_all(self._word, GO + LENGTH.pack(len(told)) + told)
        text = _read_line(self._answer)
        if not text:
            raise Failure("the new runner ended without a word", f"see `{error_log(self._state_dir)}`")
        answer = _ANSWER.decode(text)
        if isinstance(answer, Started):
            return answer
        raise _as_failure(answer)


def error_log(state_dir: Path) -> Path:
    """Say where a detached runner writes what it has to say only when it is broken."""
    return state_dir / "logs" / "runner.err"


def _write_all(pipe: int, data: bytes) -> None:
    """Write all of it; a reader that is there and does not read is not waited for without end."""
    os.set_blocking(pipe, False)
    view = memoryview(data)
    while view:
        if not select.select([], [pipe], [], PATIENCE)[1]:
            raise _silence()
        view = view[os.write(pipe, view) :]


def _read_line(pipe: int) -> bytes:
    pieces: list[bytes] = []
    while not pieces or not pieces[-1].endswith(b"\n"):
        if not select.select([pipe], [], [], PATIENCE)[0]:
            raise _silence()
        pieces.append(os.read(pipe, 65536))
        if not pieces[-1]:
            break
    return b"".join(pieces)


def _as_failure(answer: NotStarted) -> Failure:
    """Rebuild the runner's failure, of its own kind, so that the exit code is the same as in the foreground."""
    kind = getattr(failure, answer.kind, Failure)
    rebuilt: Failure = Failure.__new__(kind if isinstance(kind, type) and issubclass(kind, Failure) else Failure)
    Failure.__init__(rebuilt, answer.summary, answer.hint)
    return rebuilt


def _silence() -> WaitTimedOut:
    return WaitTimedOut(f"the new runner did not answer within {PATIENCE:g} s", "`ignrun ps` shows it")
