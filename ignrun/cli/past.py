"""Turns the journal and the samples of a plant into what became of its modules, whether or not a runner lives."""

from contextlib import closing
from datetime import UTC, datetime

from ignrun.cli.plant import Plant, no_runner
from ignrun.render.past import PastReport, past_of
from ignrun.runtime.journal.current import read_current
from ignrun.runtime.journal.schema import open_for_reading
from ignrun.runtime.journal.store import last_event, read_events
from ignrun.runtime.observe.history import read_series
from ignrun.terms.events import Event

_PAGE = 1000


def past_report(plant: Plant, since: datetime) -> PastReport:
    """Say what became of the modules in force since then; raises NoRunner where the plant has never run, StateFolderFailure."""
    current = read_current(plant.folder.path)
    if current is None or not plant.folder.journal.exists():
        raise no_runner(plant)
    now = datetime.now(UTC)
    series = read_series(plant.folder.path / "samples.sqlite", since.timestamp(), now.timestamp())
    return past_of(current.graph, events_since(plant, since), series, since, now)


def events_since(plant: Plant, since: datetime) -> list[Event]:
    """Give the events from then on, read from the end of the journal backwards; raises StateFolderFailure."""
    found: list[Event] = []
    with closing(open_for_reading(plant.folder.journal)) as store:
        end = last_event(store)
        while end > 0:
            start = max(0, end - _PAGE)
            page = read_events(store, start, end - start)
            found[:0] = [event for event in page if event.at >= since]
            if not page or page[0].at < since:
                break
            end = start
    return found
