"""Holds the reference pages to the code: states, their table and their diagram, and health."""

import re

import pytest

from ignrun.terms.states import TRANSITIONS, Health, ModuleState
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "reference" / "states.md").read_text(encoding="utf-8")
WANTED = {(old.value, new.value) for old, news in TRANSITIONS.items() for new in news}


def table(page: str) -> set[tuple[str, str]]:
    """Read the rows `| from | to, to |` of a page."""
    words = {state.value for state in ModuleState}
    rows = re.findall(r"^\| (\w+) \| ([\w, ]+) \|$", page, re.MULTILINE)
    return {(old, new) for old, news in rows if old in words for new in news.split(", ")}


def diagram(page: str) -> set[tuple[str, str]]:
    """Read the arrows of a page's diagram."""
    return set(re.findall(r"^ +(\w+) --> (\w+)$", page, re.MULTILINE))


@pytest.mark.parametrize("read", [table, diagram])
def test_the_page_of_states_shows_every_legal_move_and_no_other(read) -> None:
    assert read(PAGE) == WANTED


@pytest.mark.parametrize("read", [table, diagram])
def test_a_move_that_the_page_forgets_is_caught(read) -> None:
    forgetful = PAGE.replace("    running --> maintenance\n", "").replace(
        "stopping, error, maintenance |", "stopping |"
    )
    assert read(forgetful) != WANTED


def test_the_page_of_states_names_every_health() -> None:
    section = PAGE.partition("## Health")[2]
    assert set(re.findall(r"^\| (\w+) \|", section, re.MULTILINE)) - {"health"} == {one.value for one in Health}
