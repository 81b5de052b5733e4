"""Holds log lines to one line each, whatever a module writes."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ignrun.render.logs import log_text
from ignrun.render.terminal import neutral
from ignrun.runtime.observe.record import LogRecord

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_line_bears_its_module_its_level_and_its_fields() -> None:
    record = LogRecord(AT, "warning", "slow", "web@gateway", fields={"took": 2.5})
    assert log_text(record, name="web", width=5, timed=False) == "web   | WARNING slow took=2.5"


def test_a_level_is_only_a_word() -> None:
    assert "\x1b" not in log_text(LogRecord(AT, "\x1b[2J", "one", "web@gateway"), timed=False)


def test_further_lines_stand_below_the_first() -> None:
    text = log_text(LogRecord(AT, "error", "one\ntwo", "web@gateway"), name="web", timed=False)
    assert text.splitlines() == ["web | ERROR   one", "web |         two"]


@given(st.text())
def test_no_text_can_steer_a_terminal(text) -> None:
    shown = neutral(text)
    assert not any(ord(one) < 32 and one != "\t" for one in shown)
    assert not {"\x1b", "\x7f", "\x9b", "\u202e", "\u2028"} & set(shown)
    assert neutral(shown) == shown
