"""Plain scalars are typed as YAML 1.2 does, and no surprise of 1.1 is left."""

import pytest

from ignrun.manifest.scalars import OutOfRange, typed


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "on", "off", "y", "1:30", "2001-12-14", "0o17", "010", "0640", "00", "0x1F", "1_000", ".inf", "-.inf",
     ".nan", "+", "-", ".", "-.", "1.2.3", "e3", "1e", "tRUE", "10.4.1.11", "1,5", "٣"],
)  # fmt: skip
def test_what_only_looks_like_a_value_stays_text(text: str) -> None:
    assert typed(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None), ("0", 0), ("-12", -12), ("+3", 3),
     ("18446744073709551615", 2**64 - 1), ("-9223372036854775808", -(2**63)), ("1.5", 1.5), (".5", 0.5), ("1.", 1.0),
     ("1e3", 1000.0), ("-1.5E-3", -0.0015)],
)  # fmt: skip
def test_words_and_numbers_become_values(text: str, value: object) -> None:
    found = typed(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["18446744073709551616", "-9223372036854775809", "9" * 5000, "1e999", "-1e999"])
def test_a_number_that_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(OutOfRange):
        typed(text)
