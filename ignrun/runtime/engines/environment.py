"""Turns the runner's environment into the one that its children get: a few names, and those asked for by name."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

INHERITED: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
"""What every child gets where the runner has it."""

_FALLBACK_PATH: Final = "/usr/local/bin:/usr/bin:/bin"


def child_environment(runners: Mapping[str, str], python: str, names: Iterable[str] = ()) -> dict[str, str]:
    """Give what children inherit, with the folder of the hosts' interpreter leading PATH; `names` are asked for besides."""
    inherited = {name: runners[name] for name in (*INHERITED, *names) if name in runners}
    folder = str(Path(interpreter_of(python)).absolute().parent)
    inherited["PATH"] = os.pathsep.join((folder, inherited.get("PATH") or _FALLBACK_PATH))
    return inherited


def interpreter_of(python: str) -> str:
    """Give the interpreter of an environment, which has it as `bin/python`; an interpreter is its own."""
    path = Path(python)
    return str(path / "bin" / "python") if path.is_dir() else python
