"""Owns how the command line speaks: results on stdout, talk on stderr, colour only where a terminal wants it."""

import os
import sys

import click

from ignrun.render.paint import Paint, coloured, plain
from ignrun.terms.failure import Failure


def say(text: str) -> None:
    """Tell something beside the result, on stderr."""
    click.echo(text, err=True)


def result(text: str | bytes) -> None:
    """Write a result on stdout; `text` brings its own newline. Raises Failure where nobody can take it."""
    if sys.stdout is None:  # so it is where the caller has closed it
        raise Failure("the result cannot be written: stdout is closed")
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        leave_stdout()
        raise Failure(f"the result cannot be written to stdout: {error.strerror}") from error


def leave_stdout() -> None:
    """Let what still waits to be written go nowhere, so that the interpreter ends without complaining."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stdout.fileno())


def is_terminal(*, err: bool = False) -> bool:
    """Tell whether people look at the stream, and it can move its cursor."""
    stream = sys.stderr if err else sys.stdout
    return stream is not None and stream.isatty() and os.environ.get("TERM", "") != "dumb"


def ask_to_go_on() -> None:
    """Ask on a terminal, where somebody can answer; raises Failure for anything but yes."""
    stdin = sys.stdin
    if stdin is not None and stdin.isatty() and is_terminal(err=True) and not click.confirm("Go on?", err=True):
        raise Failure("not confirmed: nothing was touched", "`--yes` goes on without a question")


def paint_for(*, err: bool = False) -> Paint:
    """Give the paint for a stream: colours on a terminal, none where `NO_COLOR` is set or something else reads."""
    return coloured if is_terminal(err=err) and not os.environ.get("NO_COLOR") else plain


def width() -> int | None:
    """Give the width of the terminal on stdout, None where there is none and lines may be of any length."""
    if not is_terminal():
        return None
    import shutil

    return shutil.get_terminal_size().columns
