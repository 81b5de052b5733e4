"""What a reading saw is on the disk still, or it is not: content decides, of files, of those that are missed, and of folders."""

import hashlib

import pytest

from ignrun.manifest.seen import UNREAD, Listing, Seen, found_in
from ignrun.runtime.watch.look import is_as_seen


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def seen(tmp_path):
    (tmp_path / "plant.yaml").write_bytes(b"modules: {}\n")
    (tmp_path / "jobs.py").write_bytes(b"x = 1\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one.yaml").write_bytes(b"")
    folder = str(tmp_path / "parts")
    return Seen(
        {str(tmp_path / "plant.yaml"): _digest(b"modules: {}\n"), str(tmp_path / "absent.yaml"): ""},
        (Listing(folder, "*.yaml", found_in(folder, "*.yaml")),),
        {str(tmp_path / "jobs.py"): _digest(b"x = 1\n")},
    )


def test_what_nobody_touched_is_as_it_was_seen_and_so_is_what_was_written_again(tmp_path, seen):
    assert is_as_seen(seen)
    (tmp_path / "plant.yaml").write_bytes(b"modules: {}\n")
    assert is_as_seen(seen)


@pytest.mark.parametrize("name", ["plant.yaml", "jobs.py", "absent.yaml", "parts/two.yaml"])
def test_one_byte_in_a_file_or_one_more_file_is_enough(tmp_path, seen, name):
    (tmp_path / name).write_bytes(b"modules: {a}")
    assert not is_as_seen(seen)


@pytest.mark.parametrize("name", ["plant.yaml", "jobs.py", "parts/one.yaml"])
def test_a_file_that_is_gone_is_missed(tmp_path, seen, name):
    (tmp_path / name).unlink()
    assert not is_as_seen(seen)


def test_what_nobody_told_is_never_sure(tmp_path, seen):
    (tmp_path / "key").write_bytes(b"hush")
    assert not is_as_seen(Seen({**seen.files, str(tmp_path / "key"): UNREAD}, seen.listings, seen.code))
    assert not is_as_seen(Seen())
