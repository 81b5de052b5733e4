"""Holds the reader of logs to every line, once and in order, while files are rotated away under it."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from ignrun.runtime.observe.reader import LogReader
from ignrun.runtime.observe.record import LogRecord, encode_record
from ignrun.runtime.observe.rotation import Rotation

T0 = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def put(folder, module: str, *numbers: int, level: str = "info", limit: int = 400, kept: int = 50) -> None:
    lines = [
        encode_record(LogRecord(T0 + timedelta(seconds=number), level, str(number), f"{module}@gateway"))
        for number in numbers
    ]
    Rotation(folder / f"{module}.log", limit, kept).append(lines)


def texts(records) -> list[str]:
    return [record.text for record in records]


def test_the_tail_reaches_into_rotated_files(tmp_path) -> None:
    put(tmp_path, "tags", *range(30))
    assert len(list(tmp_path.iterdir())) > 5
    assert texts(LogReader(tmp_path).tail(12)) == [str(number) for number in range(18, 30)]
    assert texts(LogReader(tmp_path).tail(100)) == [str(number) for number in range(30)]
    assert LogReader(tmp_path).tail(0) == []


def test_the_tail_of_several_modules_is_one_story(tmp_path) -> None:
    put(tmp_path, "tags", 1, 3, 5)
    put(tmp_path, "web", 2, 4, 6)
    put(tmp_path, "noise", 7)
    assert texts(LogReader(tmp_path, ["tags", "web"]).tail(4)) == ["3", "4", "5", "6"]


def test_only_what_is_accepted_counts(tmp_path) -> None:
    for number in range(20):
        put(tmp_path, "tags", number, level="error" if number % 10 == 0 else "info")
    reader = LogReader(tmp_path, accept=lambda record: record.level == "error")
    assert texts(reader.tail(5)) == ["0", "10"]


def test_errors_files_are_not_read_twice(tmp_path) -> None:
    put(tmp_path, "tags", 1)
    (tmp_path / "tags.errors.log").write_bytes((tmp_path / "tags.log").read_bytes())
    assert texts(LogReader(tmp_path).tail(5)) == ["1"]


def test_a_line_still_being_written_is_given_when_it_is_whole(tmp_path) -> None:
    put(tmp_path, "tags", 1)
    line = encode_record(LogRecord(T0, "info", "2"))
    path = tmp_path / "tags.log"
    path.write_bytes(path.read_bytes() + line[:10])
    reader = LogReader(tmp_path)
    assert texts(reader.tail(5)) == ["1"]
    assert reader.new() == []
    path.write_bytes(path.read_bytes() + line[10:])
    assert texts(reader.new()) == ["2"]


def test_following_goes_on_from_the_tail_and_finds_new_modules(tmp_path) -> None:
    put(tmp_path, "tags", 1, 2)
    reader = LogReader(tmp_path)
    assert texts(reader.tail(9)) == ["1", "2"]
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        put(tmp_path, "tags", 3)
        put(tmp_path, "web", 4)

    assert texts(islice(reader.follow(pause), 2)) == ["3", "4"]
    assert pauses == [0.25]


def test_a_folder_that_is_not_there_is_empty(tmp_path) -> None:
    reader = LogReader(tmp_path / "logs", ["tags"])
    assert (reader.tail(5), reader.new()) == ([], [])


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(0, 12))
def test_every_line_is_seen_once_and_in_order_however_files_rotate(tmp_path_factory, bursts, looks_after) -> None:
    folder = tmp_path_factory.mktemp("logs")
    reader, seen, written = LogReader(folder), [], 0
    for turn, burst in enumerate(bursts):
        put(folder, "tags", *range(written, written + burst))
        written += burst
        if turn >= looks_after:
            seen += texts(reader.new())
    seen += texts(reader.new())
    assert seen == [str(number) for number in range(written)]
    assert texts(LogReader(folder).tail(1000)) == seen
