"""Holds the page of captures to what the verbs write."""

from tests.rooms.render.screens import PAGE, page


def test_the_page_shows_what_the_code_draws() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make reference` writes it anew"
