"""Holds the history of figures to its forms, to its bounds, and to never being in the way."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.runtime.observe.history import FINE_KEPT, MINUTES_KEPT, Bucket, History, Point, read_series, slots

T0 = 1_800_000_000  # a whole hour


def kept(path, points) -> None:
    history = History(path)
    for batch in points:
        history.keep(tuple(batch))
    history.close()


def memory(at: float, value: float, subject: str = "gateway") -> Point:
    return Point(subject, "memory", at, value)


def test_what_is_young_is_kept_as_it_came(tmp_path) -> None:
    path = tmp_path / "samples.sqlite"
    kept(path, [[memory(T0 + second, second)] for second in range(30)])
    found = read_series(path, T0, T0 + 30)
    assert [one.mean for one in found["gateway", "memory"]] == list(range(30))
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_older_is_kept_by_the_minute_and_then_by_the_hour(tmp_path) -> None:
    path = tmp_path / "samples.sqlite"
    batches = [[memory(T0 + at, at % 60) for at in range(start, start + 300, 10)] for start in range(0, 3 * 3600, 300)]
    kept(path, [*batches, [memory(T0 + 4 * 3600, 0)]])
    now = T0 + 4 * 3600
    minutes = read_series(path, now - FINE_KEPT - 3 * 3600, now)["gateway", "memory"]
    assert minutes[0] == Bucket(T0, 6, 25.0, 0.0, 50.0) and minutes[-1] == Bucket(now, 1, 0.0, 0.0, 0.0)
    assert len(minutes) == 181
    hours = read_series(path, now - MINUTES_KEPT - 10, now)["gateway", "memory"]
    assert hours[:3] == tuple(Bucket(T0 + n * 3600, 360, 25.0, 0.0, 50.0) for n in range(3))
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT min(at) FROM fine").fetchone()[0] >= now - FINE_KEPT


def test_what_is_not_thinned_out_yet_is_there_for_who_looks_far_back(tmp_path) -> None:
    path = tmp_path / "samples.sqlite"
    kept(path, [[memory(T0, 1)], [memory(T0 + 61, 2)], [memory(T0 + 62, 3)]])
    for back in (FINE_KEPT + 1, MINUTES_KEPT + 1):
        found = read_series(path, T0 + 62 - back, T0 + 62)
        assert [one.mean for one in found["gateway", "memory"]] == [1, 2, 3]


def test_a_second_life_goes_on_with_the_first(tmp_path) -> None:
    path = tmp_path / "samples.sqlite"
    kept(path, [[memory(T0, 1)]])
    kept(path, [[memory(T0 + 1, 2), memory(T0 + 1, 3, "web@gateway")]])
    found = read_series(path, T0, T0 + 2)
    assert [one.mean for one in found["gateway", "memory"]] == [1, 2]
    assert [one.mean for one in found["web@gateway", "memory"]] == [3]


@pytest.mark.parametrize("harm", ["garbage", "cut", "other version", "bits", "a folder's worth of nothing"])
def test_a_damaged_file_is_thrown_away_and_begun_anew(tmp_path, harm) -> None:
    path = tmp_path / "samples.sqlite"
    kept(path, [[memory(T0 + at, at)] for at in range(500)])
    data = path.read_bytes()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    match harm:
        case "garbage":
            path.write_bytes(b"x" * 8192)
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "other version":
            with closing(sqlite3.connect(path)) as one:
                one.execute("PRAGMA user_version = 99")
        case "bits":
            path.write_bytes(data[:4096] + bytes(255 - byte for byte in data[4096:]))
        case _:
            path.write_bytes(b"\0" * len(data))
    kept(path, [[memory(T0 + 1000, 7)], [memory(T0 + 1060, 8)]])
    found = read_series(path, T0 + 900, T0 + 1100)
    assert [one.mean for one in found["gateway", "memory"]] == [7, 8]


def test_points_are_dropped_and_counted_while_the_disk_refuses_and_kept_again_afterwards(tmp_path) -> None:
    path = tmp_path / "gone" / "samples.sqlite"
    history = History(path)
    history.keep((memory(T0, 1), memory(T0, 2, "web@gateway")))
    while not history.dropped:
        pass
    assert history.dropped == 2
    path.parent.mkdir()
    history.keep((memory(T0 + 1, 3),))
    history.close()
    assert len(read_series(path, T0, T0 + 2)) == 1


def test_nothing_is_read_where_nothing_is(tmp_path) -> None:
    assert read_series(tmp_path / "none.sqlite", 0, 10) == {}
    (tmp_path / "bad.sqlite").write_text("no database")
    assert read_series(tmp_path / "bad.sqlite", 0, 10) == {}


@given(st.lists(st.tuples(st.integers(0, 99), st.floats(-1e6, 1e6)), max_size=50), st.integers(1, 20))
def test_slots_lie_between_the_least_and_the_most(points, count) -> None:
    buckets = tuple(Bucket(at, 1, value, value, value) for at, value in points)
    spread = slots(buckets, 0, 100, count)
    values = [value for _, value in points]
    assert len(spread) == count
    assert all(one is None or min(values) - 1 <= one <= max(values) + 1 for one in spread)
    assert any(one is not None for one in spread) == bool(points)
