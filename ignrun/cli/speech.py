"""Owns how the command line speaks: results on stdout, talk on stderr, colour only where a terminal wants it."""

import os
import shutil
import sys

import click

from ignrun.render.paint import Paint, coloured, plain


def say(text: str) -> None:
    """Tell something beside the result, on stderr."""
    click.echo(text, err=True)


def result(text: str | bytes) -> None:
    """Write a result on stdout; `text` brings its own newline."""
    click.echo(text, nl=False)


def is_terminal(*, err: bool = False) -> bool:
    """Tell whether people look at the stream, and it can move its cursor."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


def paint_for(*, err: bool = False) -> Paint:
    """Give the paint for a stream: colours on a terminal, none where `NO_COLOR` is set or something else reads."""
    return coloured if is_terminal(err=err) and not os.environ.get("NO_COLOR") else plain


def width() -> int | None:
    """Give the width of the terminal on stdout, None where there is none and lines may be of any length."""
    return shutil.get_terminal_size().columns if is_terminal() else None
