"""Holds `ignrun watch` to what a runner answers, over a real socket."""

import json

import pytest

from ignrun.runtime.watch.status import WatchOutcome, WatchStatus
from tests.rooms.cli.scripted import AT, serving


@pytest.fixture
def four(plant_running_with_lock, place):
    """A plant `four` whose scripted runner answers."""
    (place / "four.yaml").write_text("modules: {tags: {command: [sleep, '1']}}\n")
    with serving(*plant_running_with_lock("four")) as steering:
        yield steering


WATCHING = WatchStatus(
    "watching", "inotify", folders=("/srv/plant",), files=3, last_event=AT, digest="ab" * 32,
    outcome=WatchOutcome("committed", "generation 2 is in force: 1 reconfigured", AT, "ab" * 32, ("/srv/plant/four.yaml",)),
)  # fmt: skip


def test_watch_says_when_nobody_watches_and_cannot_be_paused_then(four, ignrun) -> None:
    assert ignrun("watch", "status").out.startswith("nobody watches the files of this plant")
    ended = ignrun("watch", "pause")
    assert ended.code == 1
    assert ended.err.splitlines()[0] == "error: nobody watches the files of this plant"


def test_watch_shows_what_is_watched_and_how_the_last_edit_ended(four, ignrun) -> None:
    four.watching = WATCHING
    lines = ignrun("watch", "status").out.splitlines()
    assert [line.split(maxsplit=1)[0] for line in lines] == [
        "state", "files", "backend", "last", "last", "digest", "folder",
    ]  # fmt: skip
    assert lines[1] == "files       3 in 1 folder"
    assert lines[4].endswith("(/srv/plant/four.yaml): generation 2 is in force: 1 reconfigured")
    report = json.loads(ignrun("watch", "status", "-o", "json").out)
    assert (report["format_version"], report["plant"], report["watch"]["state"]) == ("1.0", "four", "watching")


def test_watch_is_paused_and_resumed_by_whoever_asks(four, ignrun) -> None:
    four.watching = WATCHING
    assert ignrun("watch", "pause").code == 0
    assert ignrun("watch", "status").out.splitlines()[0] == "state       paused"
    assert ignrun("watch", "resume").code == 0
    assert [verb for verb, _ in four.asked] == ["paused", "watching"]
