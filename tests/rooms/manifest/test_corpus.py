"""Every document under tests/manifests is read as its folder says, and both judges of validity agree on it."""

import os
from pathlib import Path

import pytest

from ignrun.manifest.explain import explain
from ignrun.manifest.free import without_free_keys
from ignrun.manifest.gather import modes_of
from ignrun.manifest.inputs import Inputs
from ignrun.manifest.judge import shaped
from ignrun.manifest.read import read_definition, read_document, read_manifest
from ignrun.manifest.shape import DefinitionText, ManifestText, OverlayText
from ignrun.manifest.shipped import schema
from ignrun.render.diagnostics import diagnosis, diagnostics_text
from ignrun.terms.codes import CODES
from ignrun.terms.diagnostics import Diagnostic, has_errors
from ignrun.terms.verdict import Accepted, examined

CORPUS = Path(__file__).parents[2] / "manifests"
ACCEPTED = sorted([*(CORPUS / "accepted").glob("*.yaml"), *(CORPUS / "accepted").glob("*/plant.yaml")])
OURS = [code for code in CODES if code < "IGN220" or "IGN290" <= code < "IGN300"]
"""The codes of this stage; the others' examples are read by the planner's tests."""
REJECTED = sorted(path for path in (CORPUS / "rejected").iterdir() if path.name[:6] in OURS)
NEED_A_FILE_SYSTEM = {"IGN103", "IGN104", "IGN115"}
OF_SCHEMAS_TO_COME = {"IGN210"}
WARNINGS = {"IGN130", "IGN293"}


def _read(file: Path):
    """Read a document as its name says; a folder with `modes/` is read in all of its modes, one over the other."""
    if file.name.endswith("module.yaml"):
        return read_definition(str(file))
    asked = file.parent / "mode.txt"
    modes = tuple(asked.read_text(encoding="utf-8").split()) if asked.is_file() else modes_of(str(file))
    return read_manifest(Inputs(str(file), "", str(file.parent), "python", modes=modes))


def _document_of(folder: Path) -> Path:
    return next(file for name in ("plant.yaml", "module.yaml") if (file := folder / name).is_file())


def _text(diagnostics: tuple[Diagnostic, ...]) -> str:
    return diagnostics_text(diagnosis(diagnostics).diagnostics, lambda file: Path(file).name)


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_an_accepted_document_is_accepted(file: Path) -> None:
    verdict = _read(file)
    assert isinstance(verdict, Accepted), _text(verdict.diagnostics)


@pytest.mark.parametrize("folder", REJECTED, ids=lambda folder: folder.name)
def test_a_rejected_document_is_explained_as_written(folder: Path) -> None:
    verdict = _read(_document_of(folder))
    written = _text(verdict.diagnostics).replace(str(folder), ".")
    expected = folder / "expected.txt"
    if os.environ.get("REWRITE"):
        expected.write_text(written, encoding="utf-8")
    assert written == expected.read_text(encoding="utf-8")
    assert has_errors(verdict.diagnostics)
    assert folder.name[:6] in {one.code for one in verdict.diagnostics}


@pytest.mark.parametrize("file", sorted(CORPUS.rglob("*.yaml")), ids=lambda file: f"{file.parent.name}-{file.name}")
def test_the_fast_judge_agrees_with_the_json_schema(file: Path) -> None:
    document = examined(read_document(str(file)))
    if document is None:
        pytest.skip("no document to judge")
    name, shape = "manifest", ManifestText  # type: tuple[str, type]
    if file.name.endswith("module.yaml"):
        name, shape = "module", DefinitionText
    elif file.parent.name == "modes":
        name, shape = "overlay", OverlayText
    valid = shaped(without_free_keys(document.tree), shape) is not None
    assert valid == (not explain(document, name))


def test_every_code_of_this_stage_has_an_example() -> None:
    shown = {folder.name[:6] for folder in REJECTED}
    assert {*OURS} - shown == NEED_A_FILE_SYSTEM | OF_SCHEMAS_TO_COME | WARNINGS


def test_a_literal_secret_is_never_shown() -> None:
    for folder in REJECTED:
        assert "hunter2" not in (folder / "expected.txt").read_text(encoding="utf-8")


def test_every_key_has_an_accepted_example() -> None:
    plant: set[str] = set()
    module: set[str] = set()
    for file in (CORPUS / "accepted").rglob("*.yaml"):
        document = examined(read_document(str(file)))
        if document is not None and not file.name.endswith("module.yaml"):
            plant |= {*document.tree}
            modules = document.tree.get("modules", {}).values()
            module |= {key for block in modules if isinstance(block, dict) for key in block}
    assert {*schema("manifest")["properties"]} <= plant
    assert {*schema("manifest")["$defs"]["module"]["properties"]} <= module
