"""Owns `ignrun info`: shows versions, paths and what this machine can do."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun import __version__
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import output_option
from ignrun.cli.speech import result
from ignrun.cli.verb import verb

FORMAT_VERSION: Final = "1.0"
_LIBRARIES: Final = ("click", "jsonschema", "msgspec", "packaging", "psutil", "pyyaml", "rich", "starlette", "uvicorn")


class InfoReport(msgspec.Struct, frozen=True):
    """Versions, paths, and what ignrun can do on this machine (`can`)."""

    format_version: str
    version: str
    python: dict[str, str]
    platform: dict[str, str]
    paths: dict[str, str]
    can: dict[str, bool]
    libraries: dict[str, str]


@verb("info", "ignrun info -o json")
@output_option("text", "json")
def command(output: str) -> ExitCode:
    """Show versions, paths and what ignrun can do on this machine."""
    facts = _facts()
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(msgspec.convert(facts, InfoReport)), indent=2) + b"\n")
    else:
        result("".join(_lines(facts)))
    return ExitCode.DONE


def _facts() -> dict[str, Any]:
    from ignrun.runtime.journal.registry import run_time_folder

    return {
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "platform": {"system": platform.system(), "release": platform.release(), "machine": platform.machine()},
        "paths": {"package": str(Path(__file__).parents[1]), "run_time": str(run_time_folder(os.environ))},
        "can": _abilities(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }


def _abilities() -> dict[str, bool]:
    """Say what the system offers; without a child subreaper, escaped grandchildren are not found at once."""
    linux = sys.platform == "linux"
    cgroup = Path("/sys/fs/cgroup/cgroup.procs")
    return {
        "run_python_modules": True,
        "run_commands": True,
        "pidfd": hasattr(os, "pidfd_open"),
        "child_subreaper": linux,
        "cgroup_kill": linux and os.access(cgroup, os.W_OK),
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = []
    for title, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{title}:\n", *(f"  {name}: {_said(one)}\n" for name, one in value.items())]
        elif title != "format_version":
            lines.append(f"ignrun {value}\n" if title == "version" else f"{title}: {value}\n")
    return lines


def _said(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
