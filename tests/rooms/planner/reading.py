"""Turns manifest text into a reading, in this process or in a bounded one, as a user would see it."""

import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from ignrun.manifest.inputs import Inputs
from ignrun.planner.proposal import Base
from ignrun.planner.reader import propose
from ignrun.terms.verdict import Accepted

PATH = "/usr/bin:/bin"


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file of a plant; the text may be indented like the test around it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def inputs(manifest: Path, **more) -> Inputs:
    """Make the inputs of a plant in its own folder; `environment` has a PATH unless it is given one."""
    environment = {"PATH": PATH} | more.pop("environment", {})
    folder = manifest.parent
    return Inputs(str(manifest), str(folder / ".state"), str(folder), sys.executable, environment=environment, **more)


def read(folder: Path, text: str, base: Base | None = None, **more) -> Any:
    """Propose the plant of a manifest text."""
    return propose(inputs(write(folder, "plant.yaml", text), **more), base or Base())


def accepted(folder: Path, text: str, base: Base | None = None, **more) -> Any:
    """Propose a plant that is meant to be sound."""
    verdict = read(folder, text, base, **more).verdict
    assert isinstance(verdict, Accepted), lines(verdict.diagnostics)
    return verdict.value


def complaints(folder: Path, text: str, **more) -> list[str]:
    """List what a reading complains about, a line each: place, code, summary and hint."""
    return lines(read(folder, text, **more).verdict.diagnostics)


def lines(diagnostics) -> list[str]:
    return [
        f"{one.span.line}:{one.span.column} {one.code} {one.summary}" + (f" ({one.hint})" if one.hint else "")
        for one in diagnostics
    ]
