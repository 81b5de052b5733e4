"""Turns a bug into a short message and a file that holds its traceback."""

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from ignrun import __version__
from ignrun.cli.exit_codes import ExitCode


def show_bug(bug: Exception, arguments: Sequence[str]) -> ExitCode:
    """Tell a bug on stderr, with its traceback when `--debug` asks for it and else with the file where it stands."""
    print(f"bug: {type(bug).__name__}: {_gist(bug)}", file=sys.stderr)
    if "--debug" in arguments or os.environ.get("IGNRUN_DEBUG"):
        traceback.print_exception(bug)
    else:
        print(f"hint: {_where(bug)}; please report it with what you did", file=sys.stderr)
    return ExitCode.BUG


def _gist(bug: Exception) -> str:
    """Give the last line of the message: where it is a traceback from another process, that line says what went wrong."""
    return (str(bug).strip().splitlines() or ["no message"])[-1]


def _where(bug: Exception) -> str:
    try:
        return f"the traceback is in `{_kept(bug)}`"
    except OSError:
        return "`--debug` before the verb shows the traceback"


def _kept(bug: Exception) -> Path:
    head = f"ignrun {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    handle, name = tempfile.mkstemp(prefix="ignrun-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(head + "".join(traceback.format_exception(bug)))
    return Path(name)
