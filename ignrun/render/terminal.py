"""Turns text of unknown origin into text that a terminal only shows and never obeys."""

import re
from typing import Final

_CONTROL: Final = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def neutral(text: str) -> str:
    """Write control characters, escapes, direction marks and halves of characters as hexadecimal escapes; tabs stay, all ends up on one line."""
    if text.isprintable():
        return text
    return _CONTROL.sub(_written, text)


def encodable(text: str) -> str:
    """Write what UTF-8 cannot say (a file name's bytes that are no text) as escapes; all else stays."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def neutral_lines(text: str) -> list[str]:
    """Split into lines at newlines and neutralise each."""
    return [neutral(line) for line in text.removesuffix("\n").split("\n")]


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - the end of Latin-1
