"""Turns rows of short texts into aligned columns."""

from collections.abc import Sequence

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
    """Write rows below their heads; `width` (of a terminal) cuts the last column short, without it nothing is cut."""
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
    return "  ".join([*parts, paint(last.style, cut(last.text, width - before) if width else last.text)]).rstrip()


def cut(text: str, width: int) -> str:
    """Shorten a text to `width` characters, at least 12, with an ellipsis where something is missing."""
    width = max(12, width)
    return text if len(text) <= width else text[: width - 1] + "\u2026"
