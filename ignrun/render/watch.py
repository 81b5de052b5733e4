"""Turns the status of a watcher into what people read, and into public JSON."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral
from ignrun.runtime.watch.status import WatchOutcome, WatchStatus
from ignrun.terms.duration import show_duration

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

_STYLES: Final = {"watching": "good", "paused": "warn", "suspended": "bad", "off": "dim"}
_WELL: Final = frozenset({"committed", "unchanged", "superseded"})
_NAMED: Final = 3


class WatchReport(msgspec.Struct, frozen=True):
    """The watcher of one plant."""

    format_version: str
    plant: str
    watch: WatchStatus


def encode_watch(report: WatchReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def watch_line(watch: WatchStatus, *, now: datetime, paint: Paint = plain) -> str:
    """Say in one line what a watcher does, what it did last and what it holds back; `now` is aware UTC."""
    head = f"files: {paint(_STYLES.get(watch.state, 'warn'), watch.state)}"
    if watch.state == "off":
        return head
    parts = [f"{head} {_counted(watch.files, 'file')} by {watch.backend}"]
    if watch.reason:
        parts.append(watch.reason)
    if watch.outcome:
        why = "" if watch.outcome.result in _WELL else " (`ignrun watch status` says why)"
        parts.append(f"last edit {watch.outcome.result} {_ago(watch.outcome.at, now)}{why}")
    parts += watch.holds
    return neutral(", ".join(parts)) if paint is plain else ", ".join([parts[0], *map(neutral, parts[1:])])


def watch_text(
    watch: WatchStatus, *, now: datetime, shown_file: Callable[[str], str] = str, paint: Paint = plain
) -> str:
    """Write all that a watcher says of itself, a fact a line."""
    if watch.state == "off":
        return "nobody watches the files of this plant: `--watch`, or `watch:` in the manifest, asks for it\n"
    code = ", code among them" if watch.code else ""
    facts = [
        ("state", paint(_STYLES.get(watch.state, "warn"), watch.state)),
        ("files", f"{watch.files} in {_counted(len(watch.folders), 'folder')}{code}"),
        ("backend", watch.backend + (f": {neutral(watch.reason)}" if watch.reason else "")),
        ("last event", _ago(watch.last_event, now) if watch.last_event else "none yet"),
        ("last edit", _edit(watch.outcome, now, shown_file) if watch.outcome else "none yet"),
        ("digest", watch.digest[:12]),
        *(("holds back", neutral(held)) for held in watch.holds),
        *(("folder", neutral(shown_file(folder))) for folder in watch.folders),
    ]
    return "".join(f"{name:<11} {said}\n" for name, said in facts)


def _edit(outcome: WatchOutcome, now: datetime, shown_file: Callable[[str], str]) -> str:
    named = ", ".join(shown_file(file) for file in outcome.files[:_NAMED])
    more = f" and {len(outcome.files) - _NAMED} more" if len(outcome.files) > _NAMED else ""
    said = f": {outcome.summary}" if outcome.summary else ""
    return neutral(f"{outcome.result} {_ago(outcome.at, now)} ({named}{more}){said}")


def _ago(then: datetime, now: datetime) -> str:
    return f"{show_duration(max(0, round((now - then).total_seconds())))} ago"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
