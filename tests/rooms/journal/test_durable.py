"""Holds durable_replace to its word: whole or not at all, private, and nothing left beside it."""

import os
import stat
from pathlib import Path

import pytest

from ignrun.runtime.journal.durable import durable_replace


def test_the_new_content_replaces_the_old_and_is_private(tmp_path) -> None:
    path = tmp_path / "current"
    durable_replace(path, b"old")
    durable_replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["current"]


def test_the_mode_is_kept_whatever_the_umask(tmp_path) -> None:
    old = os.umask(0o077)
    try:
        durable_replace(tmp_path / "shown", b"", 0o644)
    finally:
        os.umask(old)
    assert (tmp_path / "shown").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("failing", ["fsync", "fchmod"])
def test_a_failure_leaves_the_old_content_and_no_temporary_file(tmp_path, monkeypatch, failing) -> None:
    path = tmp_path / "current"
    durable_replace(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, refuse)
    with pytest.raises(OSError, match="No space"):
        durable_replace(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["current"]


def test_file_and_folder_are_synced_in_this_order(tmp_path, monkeypatch) -> None:
    done: list[str] = []
    sync, rename = os.fsync, Path.rename

    def fsync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def renamed(self, target):
        done.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", renamed)
    durable_replace(tmp_path / "current", b"x")
    assert done == ["file", "rename", "folder"]
