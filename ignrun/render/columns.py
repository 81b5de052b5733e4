"""Turns rows of short texts into aligned columns."""

import textwrap
from collections.abc import Sequence
from typing import Final

import msgspec

from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """A text and its style."""

    text: str
    style: str = ""


def columns(
    head: Sequence[str], rows: Sequence[Sequence[Cell | str]], *, paint: Paint = plain, width: int | None = None
) -> str:
    """Write rows below their heads; where a row is wider than `width` (of a terminal), its last column goes on in further lines."""
    cells = [[_cell(one) for one in row] for row in rows]
    lengths = [max(len(row[at].text) for row in [[Cell(one) for one in head], *cells]) for at in range(len(head))]
    title = _line([Cell(one, "strong") for one in head], lengths, paint, width)
    return "\n".join([title, *(_line(row, lengths, paint, width) for row in cells)]) + "\n"


def _cell(one: Cell | str) -> Cell:
    return Cell(neutral(one)) if isinstance(one, str) else Cell(neutral(one.text), one.style)


def _line(row: Sequence[Cell], lengths: Sequence[int], paint: Paint, width: int | None) -> str:
    *front, last = row
    before = sum(lengths[:-1]) + 2 * len(front)
    parts = [
        paint(cell.style, cell.text) + " " * (length - len(cell.text))
        for cell, length in zip(front, lengths, strict=False)
    ]
    first, *more = _folded(last.text, before, width)
    below = " " * (before if width and width - before >= _NARROWEST else _INDENT)
    lines = [
        "  ".join([*parts, paint(last.style, first)]).rstrip(),
        *(below + paint(last.style, line) for line in more),
    ]
    return "\n".join(lines)


_NARROWEST: Final = 30
"""Characters that the last column needs to go on below itself; in less room it goes on below the row."""

_INDENT: Final = 4


def _folded(text: str, before: int, width: int | None) -> list[str]:
    """Break the text of a last column into lines; the first is empty where the row has no room for it."""
    if not width or before + len(text) <= width:
        return [text]
    room = width - before
    if room >= _NARROWEST:
        return textwrap.wrap(text, room) or [""]
    return ["", *textwrap.wrap(text, max(_NARROWEST, width - _INDENT))]
