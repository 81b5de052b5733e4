"""Turns the run-time overlays in the state folder, which `ignrun config set` writes, into layers of config."""

import os
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ignrun.manifest.document import Document
from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.manifest.read import read_document
from ignrun.planner.config.layers import Layer
from ignrun.planner.config.model import Stamp
from ignrun.planner.config.spots import Spot
from ignrun.terms.diagnostics import Diagnostic, Severity, diagnose
from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted, examined

LAYER: Final = "run-time"
STAMPS: Final = "x-ignrun-set"
"""The free key of an overlay that says of each value who set it and when: `{PATH: {by: .., at: ..}}`."""


class RunTime(msgspec.Struct, frozen=True):
    """The run-time values of one module: their layer, who set what, the file they were read from, and what is wrong with it."""

    layer: Layer | None = None
    stamps: dict[str, Stamp] = {}
    file: InputFile | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


class RunTimes:
    """Reads the overlays of one plant; the folder is listed once, only modules that have a file pay for one."""

    def __init__(self, inputs: Inputs, folder: str) -> None:
        """Look into the state folder; `folder` is the manifest's, which paths in overlays are relative to."""
        self._inputs = inputs
        self._folder = folder
        self._config = f"{inputs.state_dir}/config"
        self._names = _listed(self._config)

    def of(self, module: str) -> RunTime:
        """Give the run-time values of a module: those that are being tried, else those in its file, else none."""
        trial = self._inputs.trial
        if trial is not None and trial.module == module:
            place = Span(trial.said, 1, 1, 1)
            return RunTime(Layer(LAYER, _without_stamps(trial.values), Spot(None, (), place, self._folder)))
        if f"{module}.json" not in self._names:
            return RunTime()
        return self._read(module)

    def _read(self, module: str) -> RunTime:
        path = f"{self._config}/{module}.json"
        document, flaw = _object_in(path)
        if document is not None:
            return self._layer(document, ())
        spare = self._spare(module)
        why = f"the run-time values of `{module}` are damaged: {flaw.summary}" if flaw else ""
        place = flaw.span if flaw else Span.of_file(path)
        hint = f"`ignrun config rollback {module}` goes back to the values before them"
        if spare is None:
            return RunTime(diagnostics=(diagnose(place, "IGN509", why, hint=hint),))
        why += f"; `{os.path.basename(spare.file)}`, the values before them, is used"  # noqa: PTH119 - text in, text out
        return self._layer(spare, (diagnose(place, "IGN509", why, hint=hint, severity=Severity.WARNING),))

    def _layer(self, document: Document, diagnostics: tuple[Diagnostic, ...]) -> RunTime:
        layer = Layer(LAYER, _without_stamps(document.tree), Spot(document, folder=self._folder))
        file = InputFile(document.file, document.digest, LAYER)
        return RunTime(layer, stamps_in(document.tree), file, diagnostics)

    def _spare(self, module: str) -> Document | None:
        """Find the newest backup that can be read."""
        folder = f"{self._config}/backups"
        for name in sorted(_backups_of(module, _listed(folder)), reverse=True):
            document, _ = _object_in(f"{folder}/{name}")
            if document is not None:
                return document
        return None


def _listed(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - names only
    except OSError:
        return frozenset()


def _backups_of(module: str, names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if name.startswith(f"{module}.") and name.removeprefix(f"{module}.").removesuffix(".json").isdigit()
    ]


def _object_in(path: str) -> tuple[Document | None, Diagnostic | None]:
    """Read an overlay, or say why it is none."""
    read = read_document(path)
    document = examined(read)
    if isinstance(read, Accepted) and document is not None and isinstance(document.tree, dict):
        return document, None
    found = read.diagnostics[0] if read.diagnostics else diagnose(Span.of_file(path), "IGN509", "it holds no object")
    return None, found


def _without_stamps(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != STAMPS}


def stamps_in(values: dict[str, Any]) -> dict[str, Stamp]:
    """Read who set what, by dotted path; what is not of that form is left out."""
    said = values.get(STAMPS)
    try:
        return msgspec.convert(said, dict[str, Stamp]) if said else {}
    except msgspec.ValidationError:
        return {}


def stamp_of(path: Path, stamps: dict[str, Stamp]) -> Stamp | None:
    """Give who set the value at `path`, or what it stands in."""
    words = [str(word) for word in path]
    for length in range(len(words), 0, -1):
        found = stamps.get(".".join(words[:length]))
        if found:
            return found
    return None
