"""Is the program of a runner in the background: waits for its word, takes its ground, says that it serves, and takes orders."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec

from ignrun.planner.reader.handed import HandedReading
from ignrun.runner.assemble import run
from ignrun.runner.detach import GO, LENGTH, Launch, NotStarted, Started, error_log
from ignrun.runner.foreground import RunOptions
from ignrun.runner.ground import taken_ground
from ignrun.runtime.journal.folder import StateFolder, make_state_folder
from ignrun.terms.failure import Failure

_CHUNK: Final = 1 << 20
_NEEDED: Final = ("ignrun.control.server",)
"""What every runner imports only once it serves; here there is time for it while the manifest is read."""


def main(word: int, answer: int, launch: Launch) -> int:
    """Run the plant of `launch` once `word` says so; whoever waits hears through `answer` that it serves, or why it cannot."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.set_inheritable(answer, False)
    for needed in _NEEDED:
        import_module(needed)
    told = os.read(word, len(GO)) == GO
    handed = _handed(word) if told else None
    os.close(word)
    if not told:
        return 0

    def serving(socket: str) -> None:
        _say(answer, Started(os.getpid(), socket))

    try:
        folder = StateFolder(Path(launch.state_dir))
        make_state_folder(folder)
        _write_into(
            error_log(folder.path)
        )  # before anything is forked: whoever started this waits for its output to end
        with taken_ground(launch) as ground:
            if handed:
                ground.reader.lay_by(handed)
            return asyncio.run(run(ground, RunOptions(), on_serving=serving))
    except Failure as failure:
        _say(answer, NotStarted(type(failure).__name__, failure.summary, failure.hint))
        return 1


def _handed(word: int) -> HandedReading | None:
    """Take in what has been read already; nothing where none comes, or not all of it."""
    header = _received(word, LENGTH.size)
    text = _received(word, *LENGTH.unpack(header)) if len(header) == LENGTH.size else b""
    try:
        return msgspec.msgpack.decode(text, type=HandedReading) if text else None
    except msgspec.DecodeError:
        return None


def _received(pipe: int, length: int) -> bytes:
    """Read `length` bytes, fewer where the other end closes before."""
    data = bytearray()
    while len(data) < length and (chunk := os.read(pipe, min(_CHUNK, length - len(data)))):
        data += chunk
    return bytes(data)


def _write_into(log: Path) -> None:
    """Let what is written to stdout and stderr, when something is broken, go into a file."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _say(pipe: int, message: Started | NotStarted) -> None:
    with suppress(BrokenPipeError):  # whoever started this may have gone away
        os.write(pipe, msgspec.json.encode(message) + b"\n")
    os.close(pipe)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Launch(*sys.argv[3:])))
