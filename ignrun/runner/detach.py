"""Turns a wish for a plant in the background into a runner of its own, detached from the terminal and waiting for orders."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from ignrun.terms import failure
from ignrun.terms.failure import Failure, WaitTimedOut

PATIENCE: Final = 20.0
"""Seconds that a new runner may take until its socket answers."""


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
    """What a detached runner is told on its command line; paths are absolute, `python` is the interpreter of its hosts."""

    plant: str
    manifest: str
    state_dir: str
    root: str
    python: str


_ANSWER: Final[msgspec.json.Decoder[Started | NotStarted]] = msgspec.json.Decoder(Started | NotStarted)


def start_detached(launch: Launch) -> Started:
    """Start a runner in a session of its own and return when it serves; raises Failure with the runner's own reason."""
    mine, its = os.pipe()
    arguments = [sys.executable, "-m", "ignrun.runner.detached", str(its), *msgspec.structs.astuple(launch)]
    log = _error_log(Path(launch.state_dir))
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(its,),
            start_new_session=True,
            cwd=Path(launch.manifest).parent,
        )
    finally:
        os.close(its)
        os.close(log)
    process.returncode = 0  # nobody waits for it: it outlives this command
    return _heard(mine, Path(launch.state_dir))


def _error_log(state_dir: Path) -> int:
    folder = state_dir / "logs"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(folder / "runner.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise failure.StateFolderFailure(state_dir, error.strerror or str(error)) from error


def _heard(pipe: int, state_dir: Path) -> Started:
    text = _read_line(pipe)
    if not text:
        raise Failure("the new runner ended without a word", f"see `{state_dir / 'logs' / 'runner.err'}`")
    answer = _ANSWER.decode(text)
    if isinstance(answer, Started):
        return answer
    raise _as_failure(answer)


def _read_line(pipe: int) -> bytes:
    import select

    pieces: list[bytes] = []
    with open(pipe, "rb", buffering=0) as stream:
        while True:
            if not select.select([stream], [], [], PATIENCE)[0]:
                raise WaitTimedOut(f"the new runner did not answer within {PATIENCE:g} s", "`ignrun ps` shows it")
            piece = stream.read(65536)
            if not piece or piece.endswith(b"\n"):
                pieces.append(piece)
                return b"".join(pieces)
            pieces.append(piece)


def _as_failure(answer: NotStarted) -> Failure:
    """Rebuild the runner's failure, of its own kind, so that the exit code is the same as in the foreground."""
    kind = getattr(failure, answer.kind, Failure)
    rebuilt: Failure = Failure.__new__(kind if isinstance(kind, type) and issubclass(kind, Failure) else Failure)
    Failure.__init__(rebuilt, answer.summary, answer.hint)
    return rebuilt
