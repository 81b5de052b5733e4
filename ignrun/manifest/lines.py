"""Turns a text into its lines, where the YAML scanner counts a new one."""

import re
from typing import Final

_BREAKS: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNUSUAL: Final = re.compile("[\r\x85\u2028\u2029]")


def lines_of(text: str) -> tuple[str, ...]:
    """Split a text where the scanner counts a new line."""
    if not _UNUSUAL.search(text):
        return tuple(text.split("\n"))
    return tuple(_BREAKS.split(text))
