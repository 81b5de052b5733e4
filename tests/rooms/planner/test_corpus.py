"""Every rejected manifest whose mistakes the planner names is explained as the file beside it says."""

import os
from pathlib import Path

import pytest

from ignrun.planner.proposal import Base
from ignrun.planner.reader import propose
from ignrun.render.diagnostics import diagnosis, diagnostics_text
from ignrun.terms.codes import CODES
from ignrun.terms.diagnostics import has_errors
from tests.rooms.planner.reading import inputs

CORPUS = Path(__file__).parents[2] / "manifests"
OURS = [code for code in CODES if "IGN220" <= code < "IGN290" or code >= "IGN300"]
"""The codes that later stages give; those of text and shape have their examples read by the manifest's tests."""
REMARKS = {
    "IGN225",
    "IGN506",
    "IGN508",
    "IGN510",
    "IGN601",
    "IGN602",
    "IGN603",
    "IGN604",
    "IGN605",
}  # and what takes a missing package, or a generation to compare with
REJECTED = sorted(path for path in (CORPUS / "rejected").iterdir() if path.name[:6] in OURS)


@pytest.mark.parametrize("folder", REJECTED, ids=lambda folder: folder.name)
def test_a_rejected_plant_is_explained_as_written(folder):
    strict = folder.name[:6] in {"IGN501", "IGN502"}
    asked = folder / "mode.txt"
    modes = tuple(asked.read_text(encoding="utf-8").split()) if asked.is_file() else ()
    reading = propose(inputs(folder / "plant.yaml", strict_env=strict, modes=modes), Base())
    found = reading.verdict.diagnostics
    written = diagnostics_text(diagnosis(found).diagnostics, lambda file: Path(file).name)
    written = written.replace(str(folder), ".")
    expected = folder / "expected.txt"
    if os.environ.get("REWRITE"):
        expected.write_text(written, encoding="utf-8")
    assert written == expected.read_text(encoding="utf-8")
    assert has_errors(found)
    assert folder.name[:6] in {one.code for one in found}


def test_every_code_of_these_stages_has_an_example():
    assert {folder.name[:6] for folder in REJECTED} >= set(OURS) - REMARKS
