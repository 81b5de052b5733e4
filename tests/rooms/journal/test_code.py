"""Holds the store of committed code to exactly the bytes that were promised, and to forgetting nothing that is needed."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from ignrun.protocol.code import BLOBS, CodeIndex, blob_path
from ignrun.runtime.journal import code
from ignrun.runtime.journal.code import CodeStore
from ignrun.terms.failure import ChangedWhileRead, StateFolderFailure


@pytest.fixture
def store(tmp_path) -> CodeStore:
    (tmp_path / "state").mkdir()
    return CodeStore(tmp_path / "state" / "code")


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(tmp_path, "state", "code")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def written(folder: Path, **files: bytes) -> CodeIndex:
    """Write files of code and index them as they are."""
    for name, data in files.items():
        (folder / f"{name}.py").write_bytes(data)
    return CodeIndex({str(folder / f"{name}.py"): sha(data) for name, data in files.items()})


def test_the_bytes_of_every_file_are_kept_under_their_digest_and_private(store, folder, tmp_path) -> None:
    index = written(tmp_path, tags=b"x = 1\n", odd=b"\xff\x00", empty=b"")
    store.keep({"c0de": index})
    assert {path.name: path.read_bytes() for path in (folder / BLOBS).iterdir()} == {
        sha(data): data for data in (b"x = 1\n", b"\xff\x00", b"")
    }
    assert store.index("c0de") == folder / "c0de.json"
    assert msgspec.json.decode(store.index("c0de").read_bytes(), type=CodeIndex) == index == store.read("c0de")
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / BLOBS)] == [0o700, 0o700]


@pytest.mark.parametrize("now", [b"x = 2\n", None])
def test_a_file_that_changed_since_it_was_read_refuses_and_leaves_no_trace(store, folder, tmp_path, now) -> None:
    index = written(tmp_path, sound=b"1", tags=b"x = 1\n")
    path = tmp_path / "tags.py"
    path.write_bytes(now) if now else path.unlink()
    with pytest.raises(ChangedWhileRead, match=r"`.*tags\.py` changed while it was read") as caught:
        store.keep({"c0de": index})
    assert caught.value.hint == "apply again"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_pipe_in_place_of_a_file_does_not_hold_anybody_up(store, tmp_path) -> None:
    index = written(tmp_path, tags=b"x")
    (tmp_path / "tags.py").unlink()
    os.mkfifo(tmp_path / "tags.py")
    with pytest.raises(ChangedWhileRead):
        store.keep({"c0de": index})


def test_what_is_kept_already_needs_its_files_no_more(store, tmp_path) -> None:
    index = written(tmp_path, tags=b"x = 1\n")
    store.keep({"c0de": index})
    (tmp_path / "tags.py").write_bytes(b"being edited")
    store.keep({"c0de": index})
    CodeStore(store.index("c0de").parent).keep({"c0de": index})  # another runner
    assert store.read("c0de") == index


def test_keeping_the_same_again_writes_nothing(store, folder, tmp_path, monkeypatch) -> None:
    index = written(tmp_path, tags=b"x = 1\n")
    store.keep({"c0de": index})
    monkeypatch.setattr(code, "write_synced", lambda *_: pytest.fail("something was written"))
    store.keep({"c0de": index})
    CodeStore(folder).keep({"c0de": index})


@pytest.mark.parametrize("damage", [b"", b"x = 2\n"])
def test_damaged_bytes_are_told_and_written_anew_while_the_file_is_still_the_same(
    store, folder, tmp_path, damage
) -> None:
    index = written(tmp_path, tags=b"x = 1\n")
    store.keep({"c0de": index})
    blob_path(folder, sha(b"x = 1\n")).write_bytes(damage)
    later = CodeStore(folder)
    assert later.read("c0de") is None
    later.keep({"c0de": index})
    assert later.read("c0de") == index


@pytest.mark.parametrize(("failing", "at"), [(failing, at) for failing in ("fsync", "open") for at in range(8)])
def test_a_disk_that_refuses_at_any_moment_leaves_no_index_without_its_bytes(
    store, tmp_path, monkeypatch, failing, at
) -> None:
    index = written(tmp_path, tags=b"x = 1\n", web=b"y = 2\n")
    real, calls = getattr(os, failing), iter(range(1000))

    def refuse(*arguments, **named):
        if next(calls) == at:
            raise OSError(28, "No space left on device")
        return real(*arguments, **named)

    monkeypatch.setattr(os, failing, refuse)
    refused = ""
    try:
        store.keep({"c0de": index})
    except (StateFolderFailure, ChangedWhileRead) as failure:
        refused = str(failure)
    monkeypatch.undo()
    assert list(tmp_path.rglob("*.tmp")) == []
    assert not store.index("c0de").exists() or store.read("c0de") == index
    assert refused or store.read("c0de") == index
    store.keep({"c0de": index})
    assert store.read("c0de") == index


def test_code_that_nobody_needs_is_forgotten_and_shared_bytes_stay(folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(code, "SPARED", 0)
    store = CodeStore(folder)
    folder.parent.mkdir()
    store.keep({"old": written(tmp_path, shared=b"s", tags=b"1")})
    store.keep({"new": written(tmp_path, shared=b"s", tags=b"2")})
    assert store.forget({"new"}) == 2
    assert store.read("old") is None and store.read("new") is not None
    assert {path.name for path in (folder / BLOBS).iterdir()} == {sha(b"s"), sha(b"2")}
    assert store.forget({"new"}) == 0
    store.keep({"old": written(tmp_path, shared=b"s", tags=b"1")})
    assert store.read("old") is not None


def test_code_that_was_just_kept_is_spared_until_a_generation_names_it(store, tmp_path) -> None:
    store.keep({"c0de": written(tmp_path, tags=b"1")})
    assert store.forget(()) == 0
    assert store.read("c0de") is not None


def test_where_nothing_was_kept_there_is_nothing_to_forget(store) -> None:
    assert store.forget(()) == 0
    assert store.read("c0de") is None


def test_what_is_kept_is_known_without_a_look_at_the_disk(store, folder, tmp_path, monkeypatch) -> None:
    store.keep({"c0de": written(tmp_path, tags=b"x = 1\n")})
    later = CodeStore(folder)
    assert not later.has("c0de")
    later.keep({})
    monkeypatch.setattr(Path, "exists", lambda _: pytest.fail("the disk was asked"))
    monkeypatch.setattr(Path, "glob", lambda *_: pytest.fail("the disk was asked"))
    assert [(one.has("c0de"), one.has("beef")) for one in (store, later)] == [(True, False)] * 2
