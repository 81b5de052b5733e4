"""Holds the pages to what they point at, and the docs check to pages that are wrong."""

import pytest

from tests.house import docs, laws
from tests.house.tree import ROOT


def test_the_pages_have_no_flaw() -> None:
    assert docs.complaints() == []


def test_every_exit_code_is_on_its_page() -> None:
    if not docs.exit_codes_exist():
        pytest.skip("`ignrun.cli.exit_codes` is not built yet")
    assert docs.EXIT_CODES_PAGE.exists()


def test_every_change_fragment_has_a_kind_and_a_text() -> None:
    fragments = [path for path in (ROOT / "docs" / "changes").iterdir() if path.name != "README.md"]
    assert [flaw for path in fragments for flaw in laws.flaws_of_fragment(path.name, path.read_text())] == []


@pytest.mark.parametrize(
    ("name", "text"), [("new.md", "x"), ("New.added.md", "x"), ("a.better.md", "x"), ("a.fixed.md", " ")]
)
def test_a_fragment_without_a_kind_or_a_text_is_caught(name, text) -> None:
    assert len(laws.flaws_of_fragment(name, text)) == 1


def test_every_decision_record_is_numbered_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    names = [path.name for path in folder.iterdir()]
    assert laws.flaws_of_records(names, (folder / "README.md").read_text()) == []


@pytest.mark.parametrize(
    "names",
    [["0001-a.md", "notes.md"], ["0001-a.md", "0001-b.md"], ["0001-a.md", "0003-c.md"], ["0001-a.md", "0002-d.md"]],
)
def test_a_record_without_its_number_or_its_row_is_caught(names) -> None:
    assert len(laws.flaws_of_records(names, "(0001-a.md) (0001-b.md) (0003-c.md)")) == 1


@pytest.fixture
def page(tmp_path):
    (tmp_path / "there.md").write_text("# A heading\n\n## With `code`\n\n## A heading\n")

    def write(text):
        path = tmp_path / "page.md"
        path.write_text(text)
        return list(docs.broken_links(path, tmp_path))

    return write


@pytest.mark.parametrize(
    "text",
    [
        "[a](gone.md)",
        "![a](gone.png)",
        "[a](there.md#no-heading)",
        "[a](#nowhere)",
        "see [a]\n\n[a]: gone.md",
        "[a](../../../../etc)",
    ],
)
def test_a_link_that_leads_nowhere_is_caught(page, text) -> None:
    assert len(page(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[a](there.md) [b](there.md#a-heading) [c](there.md#with-code) [d](there.md#a-heading-1)",
        "[a](https://example.org/gone.md)",
        "# Here\n[a](#here)",
        "`[a](gone.md)`",
        "```md\n[a](gone.md)\n```",
    ],
)
def test_a_link_that_leads_somewhere_is_not(page, text) -> None:
    assert page(text) == []


def test_a_complaint_names_the_line_of_the_link(page) -> None:
    assert page("one\n\n[a](gone.md)\n") == ["page.md:3: `gone.md` leads nowhere"]


def test_an_exit_code_on_one_side_only_is_caught() -> None:
    page = "| code | means |\n| --- | --- |\n| 0 | done |\n| `4` | unresolvable |\n"
    assert docs.unlisted_exit_codes([("DONE", 0), ("FAILURE", 1)], page) == [
        "exit code 1 (FAILURE) is not on the page",
        "exit code 4 is on the page and nowhere else",
    ]
