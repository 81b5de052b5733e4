"""Holds log files to their sizes, to their form, and to never bothering the one who writes."""

import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.record import LONGEST_TEXT, LogRecord, decode_record, encode_record, rank

T0 = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def line(number: int, level: str = "info", address: str = "tags@gateway", text: str = "") -> LogRecord:
    return LogRecord(T0 + timedelta(seconds=number), level, text or f"line {number}", address, 3, fields={"n": number})


def records(path) -> list[LogRecord]:
    return [record for one in path.read_bytes().splitlines() if (record := decode_record(one))]


def test_a_line_is_json_with_place_level_and_generation(tmp_path) -> None:
    files = LogFiles(tmp_path)
    files.write(line(1))
    files.close()
    assert msgspec.json.decode((tmp_path / "tags.log").read_bytes()) == {
        "at": "2026-05-04T03:02:02Z",
        "level": "info",
        "text": "line 1",
        "address": "tags@gateway",
        "generation": 3,
        "stream": "",
        "fields": {"n": 1},
        "host": "",
    }
    assert (tmp_path / "tags.log").stat().st_mode & 0o777 == 0o600


def test_errors_stand_in_a_file_of_their_own_too(tmp_path) -> None:
    files = LogFiles(tmp_path)
    for number, level in enumerate(("info", "ERROR", "critical", "warning")):
        files.write(line(number, level))
    files.close()
    assert [one.level for one in records(tmp_path / "tags.errors.log")] == ["ERROR", "critical"]
    assert len(records(tmp_path / "tags.log")) == 4


@pytest.mark.parametrize("address", ["", "../../etc/passwd@gateway", "a/b", "Tags@gateway", "..@gateway"])
def test_what_is_no_module_of_ours_goes_into_the_runners_log(tmp_path, address) -> None:
    files = LogFiles(tmp_path)
    files.write(line(1, address=address))
    files.close()
    assert [path.name for path in tmp_path.iterdir()] == ["runner.log"]


def test_files_are_rotated_at_their_size_and_the_oldest_go(tmp_path) -> None:
    files = LogFiles(tmp_path, limit=1000, kept=3)
    for number in range(100):
        files.write(line(number))
    files.close()
    parts = sorted(path.name for path in tmp_path.iterdir())
    assert parts == ["tags.log", "tags.log.1", "tags.log.2"]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in parts)
    kept = [record.fields["n"] for name in reversed(parts) for record in records(tmp_path / name)]
    assert kept == list(range(kept[0], 100))


def test_a_disk_that_refuses_is_counted_and_said_once_by_the_file_itself(tmp_path) -> None:
    folder = tmp_path / "gone" / "logs"
    files = LogFiles(folder)  # neither the folder nor the one around it is there: every write fails
    for number in range(5):
        files.write(line(number))
    files.close()
    assert files.lost == 5
    assert files.refusal == "No such file or directory"

    folder.mkdir(parents=True)
    again = LogFiles(folder)
    again._missing.update(files._missing)
    again.write(line(7))
    again.write(line(8))
    again.close()
    assert [one.text for one in records(folder / "tags.log")] == [
        "5 lines before this one are missing: the disk refused them",
        "line 7",
        "line 8",
    ]


def test_lines_beyond_the_bound_are_dropped_and_counted(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ignrun.runtime.observe.files.WAITING", 0)
    files = LogFiles(tmp_path)
    files.write(line(1))
    assert (files.lost, files.refusal) == (1, "lines came faster than the disk took them")
    files.close()


@pytest.mark.parametrize(
    "record",
    [
        LogRecord(T0, "info", "broken \udcff name", "tags@gateway"),
        LogRecord(T0, "info", "odd", "tags@gateway", fields={"x": object()}),
        LogRecord(T0, "info", "odd", "tags@gateway", fields={"\udcff": 1}),
    ],
)
def test_what_json_cannot_hold_is_replaced_and_not_refused(record) -> None:
    decoded = decode_record(encode_record(record))
    assert decoded is not None
    assert decoded.text in ("broken ? name", "odd")


def test_a_text_without_end_is_cut_and_says_so() -> None:
    decoded = decode_record(encode_record(LogRecord(T0, "info", "x" * (LONGEST_TEXT + 7))))
    assert decoded is not None
    assert decoded.text.endswith("x ... (7 characters cut)")


def test_a_line_cut_short_is_no_record() -> None:
    assert decode_record(encode_record(line(1))[:-9]) is None


def test_what_waits_for_the_disk_is_bounded_in_size_too(tmp_path, monkeypatch) -> None:
    waiting = threading.Event()
    monkeypatch.setattr("ignrun.runtime.observe.files.MOST", 1000)
    monkeypatch.setattr(LogFiles, "_write_all", lambda self, records: waiting.wait(10))
    files = LogFiles(tmp_path)
    for number in range(30):
        files.write(line(number, text="x" * 100))
    assert 15 <= files.lost <= 20
    waiting.set()
    files.close()


def test_a_folder_that_is_gone_is_made_anew(tmp_path) -> None:
    files = LogFiles(tmp_path / "logs")
    files.write(line(1))
    files.close()
    assert len(records(tmp_path / "logs" / "tags.log")) == 1


def test_trouble_is_told_once_and_its_end_once_and_what_is_missing_is_said(tmp_path) -> None:
    told: list[str] = []
    (tmp_path / "logs").write_text("in the way")
    files = LogFiles(tmp_path / "logs", on_trouble=told.append)
    for number in range(50):
        files.write(line(number))
        until(lambda number=number: files.lost == number + 1)
    assert told == ["Not a directory"]
    (tmp_path / "logs").unlink()
    files.write(line(50))
    files.close()
    assert told == ["Not a directory", ""]
    first, last = records(tmp_path / "logs" / "tags.log")
    assert first.text.startswith("50 lines before this one are missing") and last.text == "line 50"


def test_a_level_that_nobody_knows_weighs_most() -> None:
    assert sorted(["strange", "critical", "DEBUG", "info"], key=rank) == ["DEBUG", "info", "critical", "strange"]
