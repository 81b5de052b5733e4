"""Holds the historian's file to giving back what was stored."""

import sqlite3

import pytest

from ignrun.examples.historian.store import Store, create


def change(tag: str, value: float | None) -> dict:
    return {"tag": tag, "value": value, "quality": "good", "at": "2026-01-01T00:00:00.000+00:00"}


@pytest.fixture
def store(tmp_path):
    create(tmp_path / "deep" / "history.sqlite")
    store = Store(tmp_path / "deep" / "history.sqlite")
    yield store
    store.close()


def test_the_latest_changes_of_a_tag_come_back_oldest_first(store) -> None:
    store.add([change("a", n) for n in range(5)] + [change("b", 9)])
    assert [row["value"] for row in store.rows("a", 2)] == [3, 4]
    assert store.rows("b", 10) == [change("b", 9)]
    assert store.rows("c", 10) == []


def test_the_latest_change_of_every_tag_comes_by_name(store) -> None:
    store.add([change("b", 1), change("a", 1), change("a", None)])
    assert [(row["tag"], row["value"]) for row in store.latest()] == [("a", None), ("b", 1)]
    assert store.count() == 3


def test_a_batch_is_stored_whole_or_not_at_all(store) -> None:
    with pytest.raises(sqlite3.Error):
        store.add([change("a", 1), {**change("a", 2), "tag": None}])
    assert store.count() == 0


def test_creating_twice_keeps_what_is_there(tmp_path) -> None:
    path = tmp_path / "history.sqlite"
    create(path)
    store = Store(path)
    store.add([change("a", 1)])
    store.close()
    create(path)
    reader = Store(path, read_only=True)
    assert reader.count() == 1
    reader.close()


def test_a_file_that_nobody_created_is_not_made_by_opening_it(tmp_path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        Store(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_writes_nothing(tmp_path) -> None:
    create(tmp_path / "h.sqlite")
    reader = Store(tmp_path / "h.sqlite", read_only=True)
    with pytest.raises(sqlite3.OperationalError):
        reader.add([change("a", 1)])
    reader.close()
