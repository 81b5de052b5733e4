"""Turns a state folder, and what a runner knows beside it, into one archive for support; nothing in it holds a secret."""

import io
import os
import platform
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun import __version__
from ignrun.planner.graph.model import Graph
from ignrun.render.config import ConfigReport, config_report
from ignrun.render.history import HistoryReport, history_report
from ignrun.render.past import PastReport, past_of
from ignrun.render.report import FORMAT_VERSION, Facts, Gathered, Live, files_of
from ignrun.render.status_report import StatusReport
from ignrun.runtime.journal.current import read_current
from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.generations import read_history
from ignrun.runtime.journal.schema import open_for_reading
from ignrun.runtime.journal.store import last_event, pointer, read_events
from ignrun.runtime.observe.history import read_series
from ignrun.terms.events import Event
from ignrun.terms.failure import Failure

LINES: Final = 2000
"""How many of the last lines of a log are taken."""

LARGEST: Final = 512 * 1024
"""Bytes of one log that are taken."""

EVENTS: Final = 2000
GENERATIONS: Final = 50
DAY: Final = timedelta(days=1)

_LIBRARIES: Final = (
    "click",
    "jinja2",
    "jsonschema",
    "msgspec",
    "prometheus-client",
    "psutil",
    "pyyaml",
    "rich",
    "starlette",
    "uvicorn",
)

Mask = Callable[[str], str]


def archive(gathered: Gathered, mask: Mask = str) -> bytes:
    """Put a report into one zip file; `mask` blots out of every text what must not leave."""
    packed = io.BytesIO()
    folder = f"ignrun-report-{gathered.facts.plant}-{gathered.facts.at:%Y%m%d-%H%M%S}"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, data in files_of(gathered).items():
            text = mask(data.decode("utf-8", "replace"))
            whole.writestr(f"{folder}/{name}", text.encode("utf-8", "replace"))
    return packed.getvalue()


def gather(
    plant: str,
    folder: StateFolder,
    *,
    live: Live | None = None,
    status: StatusReport | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Gathered:
    """Gather everything from a state folder; what cannot be had is named in `trouble`, and never an error. Takes a while: not in a loop."""
    now, trouble = datetime.now(UTC), list[str]()
    facts = Facts(
        format_version=FORMAT_VERSION,
        plant=plant,
        at=now,
        live=live is not None,
        version=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        libraries=_versions(),
        environment=tuple(sorted(environment)),
        state_dir=str(folder.path),
    )
    found: dict[str, Any] = {}
    graph: Graph | None = None
    with _told(trouble, "what is in force"):
        current = read_current(folder.path)
        graph = current.graph if current else None
    with _told(trouble, "the journal"), closing(open_for_reading(folder.journal)) as store:
        found["events"] = read_events(store, max(0, last_event(store) - EVENTS), EVENTS)
        found["generations"] = _generations(store, plant)
    if graph:
        with _told(trouble, "the config"):
            found["configs"] = _configs(graph)
        with _told(trouble, "the past"):
            found["past"] = _past(folder, graph, found.get("events", ()), now)
    with _told(trouble, "the logs"):
        found["logs"] = {path.name: _last_lines(path) for path in sorted(folder.logs.glob("*.log"))}
    return Gathered(facts, live, status, trouble=tuple(trouble), **found)


@contextmanager
def _told(trouble: list[str], what: str) -> Iterator[None]:
    """Go on without what cannot be had."""
    try:
        yield
    except Failure as failure:
        trouble.append(f"{what}: {failure.summary}")
    except (OSError, sqlite3.Error, msgspec.MsgspecError, ValueError) as error:
        trouble.append(f"{what}: {type(error).__name__}: {error}")


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _generations(store: sqlite3.Connection, plant: str) -> HistoryReport:
    entries = read_history(store, GENERATIONS)
    return history_report(plant, entries, pointer(store, "current"), pointer(store, "good"))


def _configs(graph: Graph) -> tuple[ConfigReport, ...]:
    return tuple(config_report(spec) for spec in graph.instances.values())


def _past(folder: StateFolder, graph: Graph, events: tuple[Event, ...], now: datetime) -> PastReport:
    since = now - DAY
    series = read_series(folder.path / "samples.sqlite", since.timestamp(), now.timestamp())
    return past_of(graph, [one for one in events if one.at >= since], series, since, now)


def _last_lines(path: Path) -> bytes:
    """Give the last whole lines of a log."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LARGEST))
        data = file.read()
    lines = data.splitlines(keepends=True)[-LINES:]
    return b"".join(lines[1:] if size > LARGEST and len(lines) < LINES else lines)
