"""Turns the demo's page into the few lines that a terminal shows of it."""

import http.client
import time
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from ignrun.render.terminal import neutral

_PAUSE: Final = 0.2
_LINES: Final = 12
_HEADS: Final = 2  # a title and the heads of a table
_TIMEOUT: Final = 5.0


def page_lines(url: str, *, patience: float, change: float = 3.0) -> list[str]:
    """Fetch a page and give its title and the texts of its table; what cannot be had is said.

    Waits `patience` seconds for rows, and `change` seconds for news since the first look.
    """
    began = time.monotonic()
    first = lines = _fetched(url)
    while time.monotonic() < began + (patience if len(lines) <= _HEADS else change) and lines == first:
        time.sleep(_PAUSE)
        lines = _fetched(url)
    more = len(lines) - _LINES
    return [*lines[:_LINES], *([f"... and {more} more"] if more > 0 else [])]


def _fetched(url: str) -> list[str]:
    parts = urlsplit(url)
    door = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        door.request("GET", parts.path or "/")
        answer = door.getresponse()
        text = answer.read(2**20).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return [f"the page cannot be fetched: {error}"]
    finally:
        door.close()
    reader = _Rows()
    reader.feed(text)
    return [neutral(line) for line in reader.lines]


class _Rows(HTMLParser):
    """Keeps the heading and the rows of the table, a line each."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._cells: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as the parser calls it
        if tag in {"h1", "tr"}:
            self._cells = []

    def handle_endtag(self, tag: str) -> None:
        if tag in {"h1", "tr"} and self._cells:
            self.lines.append("  ".join(f"{cell:<18}" for cell in self._cells).rstrip())
            self._cells = None

    def handle_data(self, data: str) -> None:
        if self._cells is not None and data.strip():
            self._cells.append(data.strip())
