"""Owns how an apply under way is shown: one plain line a fact, or on a terminal a live table."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ignrun.cli.speech import is_terminal, say
from ignrun.render.names import ShortName, short_names
from ignrun.render.progress import (
    Picture,
    Tally,
    counted_line,
    is_counted,
    picture_of,
    progress_line,
    progress_table,
    told,
)
from ignrun.terms.events import ApplyEnded

if TYPE_CHECKING:
    from ignrun.planner.proposal import Proposal
    from ignrun.terms.events import Event

Told = Callable[["Event"], None]
"""Is given each event of an apply as it comes."""

_ROWS = 24
_MANY = 60  # changes; beyond that those that go well are counted
_PAUSE = 1.0  # seconds of the runner between two counts


@contextmanager
def shown(proposal: "Proposal", speak: Callable[[str], None] = say) -> Iterator[Told]:
    """Show an apply of this proposal while the block runs; the value is told each event; plain lines are for `speak`."""
    if is_terminal(err=True):
        with _live(proposal) as tell:
            yield tell
    else:
        short = short_names(proposal.graph.instances)
        picture = picture_of(proposal.plan, proposal.graph)
        tell = _Counted(picture, short, speak).tell if len(picture.lanes) > _MANY else plain_lines(short, speak)
        yield lambda event: None if isinstance(event.body, ApplyEnded) else tell(event)  # the outcome is shown as such


def plain_lines(short: ShortName, speak: Callable[[str], None] = say) -> Told:
    """Give a listener that says what matters, one fact a line."""

    def tell(event: "Event") -> None:
        line = progress_line(event, short)
        if line is not None:
            speak(line)

    return tell


class _Counted:
    """A large apply in few lines: what goes wrong at once, what goes well as a count from time to time."""

    def __init__(self, picture: Picture, short: ShortName, speak: Callable[[str], None]) -> None:
        self._tally = Tally(picture)
        self._short = short
        self._speak = speak
        self._counted = float("-inf")

    def tell(self, event: "Event") -> None:
        """Say what an event is worth."""
        self._tally.tell(event)
        if is_counted(event):
            if event.mono < self._counted + _PAUSE and not self._tally.is_complete:
                return
            self._counted = event.mono
        line = counted_line(self._tally, event, self._short)
        if line is not None:
            self._speak(line)


@contextmanager
def _live(proposal: "Proposal") -> Iterator[Told]:
    from rich.console import Console
    from rich.live import Live

    table = _Table(picture_of(proposal.plan, proposal.graph), short_names(proposal.graph.instances))
    console = Console(file=sys.stderr, color_system=None if os.environ.get("NO_COLOR") else "auto")
    with Live(get_renderable=table.drawn, console=console, refresh_per_second=8, transient=True):
        yield table.tell


def _rows() -> int:
    """Say how many lanes a terminal has room for: a table that is higher than it could not be drawn over."""
    import shutil

    return max(3, min(_ROWS, shutil.get_terminal_size().lines - 4))


class _Table:
    """The picture of an apply, and how far its clock has run since the last event."""

    def __init__(self, picture: Picture, short: ShortName) -> None:
        self._picture = picture
        self._short = short
        self._heard = time.monotonic()

    def drawn(self) -> Any:
        """Draw this moment: the runner's clock goes on between two events."""
        since = time.monotonic() - self._heard
        return progress_table(self._picture, mono=self._picture.mono + since, rows=_rows(), short=self._short)

    def tell(self, event: "Event") -> None:
        """Draw an event in; it is seen with the next refresh."""
        self._picture = told(self._picture, event)
        self._heard = time.monotonic()
