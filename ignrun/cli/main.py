"""Turns a command line into an exit code: the outermost frame of every command."""

import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from ignrun import __version__

COMPLETE: Final = "_IGNRUN_COMPLETE"
"""The variable by which a shell asks what a word could become."""


def main() -> NoReturn:
    """Run the command that the process was called with, and leave with its exit code."""
    _occupy_closed()
    code = run(sys.argv[1:])
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    finally:
        os._exit(code)  # taking a large heap to pieces takes as long as many a command


def _occupy_closed() -> None:
    """Put the null device where the caller closed stdin, stdout or stderr: no file of ours may come to lie there."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - stderr
        pass
    os.close(number)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; every end but a clean one has been told on stderr when this returns."""
    if list(arguments) == ["--version"]:
        print(f"ignrun {__version__}")
        return 0
    try:
        if instruction := os.environ.get(COMPLETE):
            from ignrun.cli.completing import complete

            return complete(instruction)
        return _flushed(_invoked(arguments))
    except BrokenPipeError:
        from ignrun.cli.speech import leave_stdout

        leave_stdout()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as bug:  # noqa: BLE001 - the outermost frame: anything that comes here is a bug
        from ignrun.cli.bug import show_bug

        return show_bug(bug, arguments)


def _invoked(arguments: Sequence[str]) -> int:
    import click

    from ignrun.cli.exit_codes import ExitCode
    from ignrun.cli.group import ignrun

    try:
        with ignrun.make_context("ignrun", list(arguments)) as context:
            result = ignrun.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as mistake:
        mistake.show()
        return mistake.exit_code
    return result if isinstance(result, int) else ExitCode.DONE


def _flushed(code: int) -> int:
    if sys.stdout is not None:
        sys.stdout.flush()
    return code
