"""What people read of a watcher."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from ignrun.render.watch import watch_line, watch_text
from ignrun.runtime.watch.status import OFF, WatchOutcome, WatchStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OUTCOME = WatchOutcome("invalid", "a.yaml:3:5: IGN204 unknown key", NOW - timedelta(seconds=12), "ab", ("/p/a.yaml",))
WATCH = WatchStatus("watching", "inotify", "", ("/p",), 4, last_event=NOW, digest="ab" * 32, outcome=OUTCOME)


def test_status_has_one_line_for_the_watcher() -> None:
    assert (
        watch_line(WATCH, now=NOW)
        == "files: watching 4 files by inotify, last edit invalid 12s ago (`ignrun watch status` says why)"
    )
    assert watch_line(OFF, now=NOW) == "files: off"


def test_what_is_held_back_is_said_with_its_reason() -> None:
    held = replace(WATCH, state="paused", holds=("paused by anna: 1 changed file",), outcome=None)
    assert watch_line(held, now=NOW) == "files: paused 4 files by inotify, paused by anna: 1 changed file"
    assert "holds back  paused by anna: 1 changed file\n" in watch_text(held, now=NOW)


def test_polling_says_why() -> None:
    polling = replace(WATCH, backend="polling", reason="inotify watch limit reached", outcome=None)
    assert "backend     polling: inotify watch limit reached\n" in watch_text(polling, now=NOW)


def test_an_edit_that_was_refused_is_shown_with_its_place() -> None:
    assert "last edit   invalid 12s ago (/p/a.yaml): a.yaml:3:5: IGN204 unknown key\n" in watch_text(WATCH, now=NOW)


def test_an_escape_sequence_in_a_name_does_not_reach_the_terminal() -> None:
    nasty = replace(WATCH, folders=("/p/\x1b[2J",), holds=("\x1b[2J",))
    assert "\x1b" not in watch_text(nasty, now=NOW) + watch_line(nasty, now=NOW)
