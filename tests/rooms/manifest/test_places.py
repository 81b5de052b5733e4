"""Diagnostics stand at keys and values, and never show a secret."""

from array import array

from ignrun.manifest.document import Document
from ignrun.manifest.places import at_key, at_value

LINES = ("plc:", "  password: hunter2", "  ports: [1, 20]")


def _place(line: int, column: int, length: int) -> int:
    return line << 40 | column << 20 | length


PLACES = array(
    "Q",
    [
        _place(1, 1, 1), _place(1, 1, 3), _place(2, 3, 1), _place(2, 3, 8), _place(2, 13, 7),
        _place(3, 3, 5), _place(3, 10, 1), _place(3, 11, 1), _place(3, 14, 2),
    ],
).tobytes()  # fmt: skip
DOCUMENT = Document("p.yaml", "d", {"plc": {"password": "hunter2", "ports": [1, 20]}}, PLACES, LINES)


def test_a_path_leads_to_its_key_and_to_its_value() -> None:
    assert str(DOCUMENT.key_span(("plc", "password"))) == "p.yaml:2:3"
    assert str(DOCUMENT.value_span(("plc", "password"))) == "p.yaml:2:13"
    assert str(DOCUMENT.value_span(("plc", "ports", 1))) == "p.yaml:3:14"
    assert str(DOCUMENT.key_span(("plc", "ports", 1))) == "p.yaml:3:14"


def test_a_path_that_is_not_there_leads_to_its_nearest_ancestor() -> None:
    assert str(DOCUMENT.key_span(("plc", "ports", 7, "x"))) == "p.yaml:3:3"


def test_a_literal_behind_a_key_that_sounds_like_a_secret_is_masked() -> None:
    assert at_key(DOCUMENT, ("plc", "password"), "IGN000", "x").excerpt == "  password: ***"


def test_a_masked_diagnostic_shows_the_key_and_nothing_behind_it() -> None:
    assert at_value(DOCUMENT, ("plc", "ports"), "IGN000", "x", masked=True).excerpt == "  ports: ***"
    assert at_value(DOCUMENT, ("plc", "ports", 1), "IGN000", "x", masked=True).excerpt == "             ***"
