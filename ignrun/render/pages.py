"""Turns the shipped page of a diagnostic's code into text for a terminal."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ignrun.terms.codes import CodeInfo

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_FENCE: Final = "```"
_WIDTH: Final = 100


def page_text(info: CodeInfo) -> str:
    """Write the page of a code: the mistake, why it is one, an example and what is told of it; without a page, the first two."""
    page = _page(info.code)
    if page is None:
        page = f"# {info.code}: {info.title}\n\n{info.explanation}\n"
    return "\n".join(_lines(page)) + "\n"


def _page(code: str) -> str | None:
    """Read a page: from inside an installed package, or beside it in a checkout."""
    for folder in (_PACKAGE / "pages", _PACKAGE.parent / "docs" / "reference" / "diagnostics"):
        try:
            return (folder / f"{code}.md").read_text(encoding="utf-8")
        except OSError:
            continue
    return None


def _lines(page: str) -> Iterator[str]:
    fenced = False
    for line in re.sub(r"<!--.*?-->\n\n", "", page).splitlines():
        if line.startswith(_FENCE):
            fenced = not fenced
        elif fenced:
            yield f"    {line}".rstrip()
        else:
            yield from textwrap.wrap(line.lstrip("# "), _WIDTH) or [""]
