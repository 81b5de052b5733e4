"""Turns the journal of a plant into its generations as clients see them; reads the disk, so it is called in a thread."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ignrun.render.history import DetailReport, HistoryReport, detail_report, history_report
from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.generations import kept_generation, read_history
from ignrun.runtime.journal.schema import open_for_reading
from ignrun.runtime.journal.store import pointer

if TYPE_CHECKING:
    import sqlite3


def latest_generations(plant: str, state_dir: str, count: int) -> HistoryReport:
    """Give the latest `count` generations, the newest first; raises StateFolderFailure and sqlite3.Error."""
    with _journal(state_dir) as store:
        return history_report(plant, read_history(store, count), pointer(store, "current"), pointer(store, "good"))


def one_generation(state_dir: str, number: int) -> DetailReport:
    """Give one generation in full; raises Failure where it is not kept, StateFolderFailure and sqlite3.Error."""
    with _journal(state_dir) as store:
        return detail_report(kept_generation(store, number), pointer(store, "current"), pointer(store, "good"))


@contextmanager
def _journal(state_dir: str) -> "Iterator[sqlite3.Connection]":
    with closing(open_for_reading(StateFolder(Path(state_dir)).journal)) as store:
        yield store
