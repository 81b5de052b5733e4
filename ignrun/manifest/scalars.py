"""Turns the text of a plain YAML scalar into a value: the YAML 1.2 core words, decimal numbers, and text for all else."""

import math
import re
from typing import Final

_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*|(?=\.[0-9]))(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?\Z")
_STARTS: Final = frozenset("0123456789+-.")
_LEAST, _MOST, _DIGITS = -(2**63), 2**64 - 1, 20


class OutOfRange(ValueError):  # noqa: N818 - what the number is
    """A number with more than 64 bits, or a float that is not finite: what it was meant to be cannot be kept."""


def typed(text: str) -> str | int | float | bool | None:
    """Give the value of a plain scalar; raises OutOfRange.

    Texts are, unlike in YAML 1.1: `no`, `on`, dates, `1:30`, `0x1F`, `0o17`, `010`, `1_000`, `.inf`, `.nan`.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS:
        return text
    if _INTEGER.match(text):
        return _integer(text)
    return _float(text) if _FLOAT.match(text) else text


def _integer(text: str) -> int:
    if len(text.lstrip("+-")) <= _DIGITS and _LEAST <= (number := int(text)) <= _MOST:
        return number
    raise OutOfRange(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise OutOfRange(text)
    return number
