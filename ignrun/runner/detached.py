"""Is the program of a runner in the background: takes its ground, says through a pipe that it serves, and waits for orders."""

import asyncio
import os
import signal
import sys

import msgspec

from ignrun.runner.detach import Launch, NotStarted, Started
from ignrun.runner.foreground import RunOptions
from ignrun.runner.ground import taken_ground
from ignrun.terms.failure import Failure


def main(pipe: int, launch: Launch) -> int:
    """Run the plant of `launch`; whoever started this hears through `pipe` that it serves, or why it cannot."""
    from ignrun.runner.assemble import run

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.set_inheritable(pipe, False)

    def serving(socket: str) -> None:
        _say(pipe, Started(os.getpid(), socket))

    try:
        with taken_ground(launch) as ground:
            return asyncio.run(run(ground, RunOptions(), on_serving=serving))
    except Failure as failure:
        _say(pipe, NotStarted(type(failure).__name__, failure.summary, failure.hint))
        return 1


def _say(pipe: int, message: Started | NotStarted) -> None:
    os.write(pipe, msgspec.json.encode(message) + b"\n")
    os.close(pipe)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Launch(*sys.argv[2:])))
