"""Decides which generation a rollback without a number goes back to: twice goes back twice."""

from collections.abc import Sequence

from ignrun.runtime.journal.generations import HistoryEntry

COMMITTED = "committed"


def before(history: Sequence[HistoryEntry], current: int) -> int:
    """Give the last generation that was committed before what is in force and says something else; 0 where there is none.

    `history` begins with the latest. One that a rollback brought counts as the one whose content it has.
    """
    known = {entry.number: entry for entry in history if entry.is_sound}
    if current not in known:
        return 0
    origin = _origin(history, known[current])
    return next((one.number for one in _earlier(history, origin) if one.target != origin.target), 0)


def _origin(history: Sequence[HistoryEntry], entry: HistoryEntry) -> HistoryEntry:
    while entry.trigger == "rollback":
        same = next((one for one in _earlier(history, entry) if one.target == entry.target), None)
        if same is None:
            break
        entry = same
    return entry


def _earlier(history: Sequence[HistoryEntry], entry: HistoryEntry) -> list[HistoryEntry]:
    return [one for one in history if one.number < entry.number and one.is_sound and one.result == COMMITTED]
