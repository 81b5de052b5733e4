"""Turns what the operator said and the caller's environment into the Inputs of a reading, and carries the reading out."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ignrun.cli.options import Reading as Wish
from ignrun.cli.options import shown_file
from ignrun.cli.speech import result, say
from ignrun.manifest.inputs import Inputs
from ignrun.terms.diagnostics import Diagnostic

if TYPE_CHECKING:
    from ignrun.planner.proposal import Base, Reading

_ROOT_MARKS = (".git", "pyproject.toml")


def inputs_of(manifest: Path, state_dir: Path, wish: Wish, *, for_apply: bool = False, key: bytes = b"") -> Inputs:
    """Gather everything that the reading of `manifest` depends on."""
    return Inputs(
        manifest=str(manifest),
        state_dir=str(state_dir),
        root=str(root_of(manifest)),
        python=sys.executable,
        modes=wish.modes,
        vars=wish.vars,
        sets=wish.sets,
        scopes=wish.scopes,
        environment=dict(os.environ),
        strict_env=wish.strict_env,
        locked=wish.locked,
        allowed=wish.allowed,
        planning=wish.planning,
        for_apply=for_apply,
        fingerprint_key=key,
    )


def root_of(manifest: Path) -> Path:
    """Find the folder that includes and files must stay below: the nearest with `.git` or `pyproject.toml`, else the manifest's."""
    folder = manifest.parent
    for candidate in (folder, *folder.parents):
        if any(os.path.exists(candidate / mark) for mark in _ROOT_MARKS):  # noqa: PTH110 - one that may not be looked into has none
            return candidate
    return folder


def read(inputs: Inputs, base: "Base") -> "Reading":
    """Read, check and plan in a bounded process."""
    import gc

    from ignrun.planner.reader import propose_bounded

    gc.disable()  # what is read is large, and no garbage
    try:
        return propose_bounded(inputs, base)
    finally:
        gc.enable()


def show_diagnostics(diagnostics: tuple[Diagnostic, ...], *, err: bool = True) -> None:
    """Tell every diagnostic, on stderr unless they are the result that was asked for."""
    from ignrun.render.diagnostics import diagnosis, diagnostics_text

    if diagnostics:
        text = diagnostics_text(diagnosis(diagnostics).diagnostics, shown_file)
        say(text.removesuffix("\n")) if err else result(text)
