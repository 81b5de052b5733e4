"""Holds run-time overlays to what the original got wrong: backups that collide, a rollback that toggles, files cut short."""

import os

import pytest

from ignrun.runtime.journal.overlays import KEPT, Overlays
from ignrun.terms.failure import LockHeld, StateFolderFailure


@pytest.fixture
def overlays(tmp_path) -> Overlays:
    return Overlays(tmp_path / "config")


def test_what_is_written_is_read_back_pretty_and_private(overlays) -> None:
    overlays.write("tags", {"interval": 0.5, "names": ["cpu"]})
    assert overlays.read("tags") == {"interval": 0.5, "names": ["cpu"]}
    assert overlays.path("tags").read_text() == '{\n  "interval": 0.5,\n  "names": [\n    "cpu"\n  ]\n}\n'
    assert overlays.path("tags").stat().st_mode & 0o777 == 0o600


def test_there_is_nothing_before_the_first_write(overlays) -> None:
    assert overlays.read("tags") == {}
    assert overlays.backups("tags") == ()
    assert overlays.rollback("tags") is None


def test_rolling_back_twice_goes_back_twice(overlays) -> None:
    for number in (1, 2, 3):
        overlays.write("tags", {"n": number})
    assert overlays.rollback("tags") == {"n": 2}
    assert overlays.rollback("tags") == {"n": 1}
    assert overlays.rollback("tags") == {}
    assert overlays.rollback("tags") is None
    assert overlays.read("tags") == {}


def test_many_changes_in_one_second_never_collide_and_the_newest_are_kept(overlays) -> None:
    for number in range(KEPT + 10):
        overlays.write("tags", {"n": number})
    numbers = [backup.number for backup in overlays.backups("tags")]
    assert numbers == list(range(11, KEPT + 11))
    assert overlays.rollback("tags") == {"n": KEPT + 8}


def test_writing_what_is_there_makes_no_backup(overlays) -> None:
    overlays.write("tags", {"n": 1})
    overlays.write("tags", {"n": 1})
    assert len(overlays.backups("tags")) == 1


def test_modules_whose_names_begin_alike_are_kept_apart(overlays) -> None:
    overlays.write("plc", {"n": 1})
    overlays.write("plc-filler", {"n": 1})
    overlays.write("plc-filler", {"n": 2})
    assert len(overlays.backups("plc")) == 1
    assert overlays.rollback("plc-filler") == {"n": 1}


@pytest.mark.parametrize("calls_before", [0, 1, 2, 3])
def test_a_write_that_fails_leaves_nothing_behind(overlays, monkeypatch, calls_before) -> None:
    overlays.write("tags", {"n": 1})
    sync, calls = os.fsync, iter(range(100))

    def fsync(descriptor: int) -> None:
        if next(calls) == calls_before:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StateFolderFailure, match="No space left on device"):
        overlays.write("tags", {"n": 2})
    monkeypatch.undo()
    there = [path.name for path in overlays.path("tags").parent.rglob("*.tmp")]
    assert there == []
    seen = overlays.read("tags")
    assert seen == (
        {"n": 1} if calls_before < 3 else {"n": 2}
    )  # the last step syncs the folder of a rename already seen
    assert overlays.rollback("tags") == ({} if calls_before < 3 else {"n": 1})


def test_a_damaged_overlay_is_said_with_its_cause_and_can_be_left_by_rollback(overlays) -> None:
    overlays.write("tags", {"n": 1})
    overlays.write("tags", {"n": 2})
    overlays.path("tags").write_text('{"n": ')
    with pytest.raises(StateFolderFailure, match=r"tags\.json` is damaged \(Input data was truncated\)"):
        overlays.read("tags")
    assert overlays.rollback("tags") == {"n": 1}
    assert overlays.read("tags") == {"n": 1}


def test_what_a_rollback_would_bring_can_be_seen_before(overlays) -> None:
    assert overlays.previous("tags") is None
    overlays.write("tags", {"n": 1})
    overlays.write("tags", {"n": 2})
    assert overlays.previous("tags") == {"n": 1}
    assert overlays.read("tags") == {"n": 2}
    assert overlays.rollback("tags") == {"n": 1}


def test_one_change_at_a_time_and_the_folder_holds_no_trace_of_it(overlays, monkeypatch) -> None:
    overlays.write("tags", {"n": 1})
    monkeypatch.setattr("ignrun.runtime.journal.overlays.PATIENCE", 0.0)
    with overlays.changing():
        before = sorted(path.name for path in overlays.path("tags").parent.iterdir())
        held = "the run-time config of this plant is held by another command"
        with pytest.raises(LockHeld, match=held), Overlays(overlays.path("tags").parent).changing():
            pass
    assert before == ["backups", "tags.json"]
    with overlays.changing():
        overlays.write("tags", {"n": 2})
