"""Holds the pages of diagnostics to the table of codes and to the examples of the corpus."""

import os

import pytest

from ignrun.planner.proposal import Base
from ignrun.planner.reader import propose
from ignrun.render.diagnostics import diagnosis, diagnostics_text
from ignrun.render.pages import page_text
from ignrun.terms.codes import CODES, CodeInfo
from ignrun.terms.diagnostics import has_errors
from ignrun.terms.verdict import Accepted
from tests.rooms.planner.reading import inputs
from tests.rooms.render.pages import FOLDER, MANIFESTS, WITHOUT_EXAMPLE, examples, page, pages

HOW = "`python -m tests.rooms.render.pages` writes them anew"
WARNED = sorted((MANIFESTS / "warned").iterdir())


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_an_example_or_a_reason_for_having_none(code) -> None:
    assert bool(examples(code)) != (code in WITHOUT_EXAMPLE), (
        f"{code}: a folder in tests/manifests/rejected, or a reason"
    )


def test_every_example_is_of_a_code() -> None:
    folders = [folder.name for kind in ("rejected", "warned") for folder in (MANIFESTS / kind).iterdir()]
    assert [name for name in folders if name.partition("-")[0] not in CODES] == []
    assert {*WITHOUT_EXAMPLE} <= {*CODES}


def test_the_pages_are_those_of_the_codes_and_say_what_is_told() -> None:
    there = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    wanted = pages()
    assert there.keys() == wanted.keys(), HOW
    assert [name for name in wanted if there[name] != wanted[name]] == [], HOW


def test_a_page_shows_the_mistake_its_text_and_what_is_told() -> None:
    text = page(CODES["IGN204"])
    assert text.startswith("# IGN204: unknown key\n")
    assert "error[IGN204]: unknown key `comand` in module `web`" in text
    assert "comand: [sleep" in text.partition("`ignrun validate plant.yaml` tells:")[0]


@pytest.mark.parametrize("folder", WARNED, ids=lambda folder: folder.name)
def test_what_is_only_warned_about_is_accepted_and_told_as_written(folder) -> None:
    verdict = propose(inputs(folder / "plant.yaml"), Base()).verdict
    assert isinstance(verdict, Accepted) and not has_errors(verdict.diagnostics)
    written = diagnostics_text(diagnosis(verdict.diagnostics).diagnostics, lambda file: file.rpartition("/")[2])
    expected = folder / "expected.txt"
    if os.environ.get("REWRITE"):
        expected.write_text(written, encoding="utf-8")
    assert written == expected.read_text(encoding="utf-8")
    assert folder.name[:6] in {one.code for one in verdict.diagnostics}


@pytest.mark.parametrize("code", CODES)
def test_the_text_for_a_terminal_is_the_page_without_its_marks(code) -> None:
    text = page_text(CODES[code])
    assert text.splitlines()[0] == f"{code}: {CODES[code].title}"
    assert "\n\nExample\n\n" in text
    assert "```" not in text and "<!--" not in text and "\x1b" not in text


def test_a_code_without_its_page_is_explained_all_the_same() -> None:
    assert page_text(CodeInfo("IGN999", "a title", "A sentence.")) == "IGN999: a title\n\nA sentence.\n"
