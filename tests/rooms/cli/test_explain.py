"""Holds `ignrun explain` to what users see of it."""

import pytest

from ignrun.terms.codes import CODES


def test_without_a_code_it_lists_them_all(ignrun) -> None:
    assert [line.split()[0] for line in ignrun("explain").out.splitlines()] == [*CODES]


@pytest.mark.parametrize("written", ["IGN204", "ign204", "204", "error[IGN204]:"])
def test_a_code_is_explained_with_an_example_however_it_is_copied(ignrun, written) -> None:
    ended = ignrun("explain", written)
    assert ended.code == 0
    assert ended.out.startswith("IGN204: unknown key\n\nEvery block is closed")
    assert "did you mean `command`?" in ended.out


@pytest.mark.parametrize("written", ["IGN240", "ING204", "IGN2004"])
def test_an_unknown_code_ends_in_a_usage_error_that_asks_for_a_near_one(ignrun, written) -> None:
    ended = ignrun("explain", written)
    assert ended.code == 2
    assert f"there is no code `{written}`; did you mean `IGN" in ended.err


def test_a_word_that_is_no_code_is_told_where_they_are(ignrun) -> None:
    assert "`ignrun explain` lists them" in ignrun("explain", "hello").err
