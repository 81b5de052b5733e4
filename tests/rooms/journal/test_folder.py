"""Holds the state folder, its lock and the registry of runners to what the command line relies on."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ignrun.runtime.journal.folder import StateFolder, fingerprint_key, make_state_folder, state_folder_of
from ignrun.runtime.journal.lock import hold_lock, is_held
from ignrun.runtime.journal.registry import (
    LONGEST_SOCKET,
    RunnerRecord,
    last_runner,
    live_runner,
    live_runners,
    register,
    run_time_folder,
    socket_path,
    unregister,
)
from ignrun.terms.failure import LockHeld, StateFolderFailure


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def no_pause(seconds: float) -> None:
    del seconds


# --- where -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        ({}, "", "/srv/line/.ignrun/bottling"),
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "", "/var/lib/a"),
        ({"STATE_DIRECTORY": "/var/lib/a", "IGNRUN_STATE_DIR": "/tmp/i"}, "", "/tmp/i"),
        ({"STATE_DIRECTORY": "/var/lib/a", "IGNRUN_STATE_DIR": "/tmp/i"}, "/tmp/given", "/tmp/given"),
    ],
)
def test_the_folder_is_beside_the_manifest_unless_somebody_says_otherwise(environment, given, expected) -> None:
    folder = state_folder_of(Path("/srv/line/plant.yaml"), "bottling", environment, given)
    assert folder.path == Path(expected)


def test_the_folder_and_all_in_it_are_private_and_ignored_by_git(tmp_path) -> None:
    folder = state_folder_of(tmp_path / "plant.yaml", "demo", {})
    make_state_folder(folder)
    make_state_folder(folder)
    assert [mode(path) for path in (folder.path, folder.logs, folder.config, folder.data, folder.temp)] == [0o700] * 5
    assert (tmp_path / ".ignrun" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_open_to_others_is_closed(tmp_path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.path.mkdir(mode=0o755)
    make_state_folder(folder)
    assert mode(folder.path) == 0o700
    assert (folder.path / ".gitignore").exists()


def test_a_file_in_its_place_is_a_failure_with_a_place_and_a_hint(tmp_path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateFolderFailure, match=r"the state folder `.*state` cannot be used: .*") as caught:
        make_state_folder(StateFolder(tmp_path / "state"))
    assert "--state-dir" in caught.value.hint


def test_the_key_of_fingerprints_is_made_once_and_private(tmp_path) -> None:
    folder = StateFolder(tmp_path)
    first = fingerprint_key(folder)
    assert len(first) == 32 and fingerprint_key(folder) == first
    assert mode(folder.key) == 0o600


def test_a_socket_whose_path_is_too_long_lies_in_the_run_time_folder(tmp_path) -> None:
    short, long = StateFolder(Path("/srv/a")), StateFolder(Path("/srv", "x" * LONGEST_SOCKET))
    run_time = Path("/run/user/1000/ignrun")
    assert socket_path(short, run_time) == Path("/srv/a/control.sock")
    assert socket_path(long, run_time).parent == run_time
    assert len(os.fsencode(socket_path(long, run_time))) <= LONGEST_SOCKET


# --- the run-time folder ---------------------------------------------------------------------------------------------


def test_the_run_time_folder_is_private(tmp_path) -> None:
    assert run_time_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "ignrun"
    assert mode(tmp_path / "ignrun") == 0o700


def test_without_one_of_the_session_it_lies_among_temporary_files(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_time_folder({"XDG_RUNTIME_DIR": "/nowhere"}) == tmp_path / f"ignrun-{os.geteuid()}"


def test_a_link_that_somebody_laid_in_its_place_is_refused(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ignrun").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateFolderFailure, match="not a folder"):
        run_time_folder({"XDG_RUNTIME_DIR": str(tmp_path)})


# --- lock ------------------------------------------------------------------------------------------------------------


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path) -> None:
    with hold_lock(tmp_path / "lock"):
        assert is_held(tmp_path / "lock")
        with pytest.raises(LockHeld, match=f"is held by process {os.getpid()}"):
            hold_lock(tmp_path / "lock", pause=no_pause)
    assert not is_held(tmp_path / "lock")
    hold_lock(tmp_path / "lock").release()


def test_nobody_holds_a_lock_that_is_not_there(tmp_path) -> None:
    assert not is_held(tmp_path / "lock")


def test_death_frees_the_lock(tmp_path) -> None:
    script = (
        "import sys; from pathlib import Path; from ignrun.runtime.journal.lock import hold_lock\n"
        "lock = hold_lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert is_held(tmp_path / "lock")
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert not is_held(tmp_path / "lock")


# --- registry --------------------------------------------------------------------------------------------------------


def record(state_dir: Path, plant: str = "demo") -> RunnerRecord:
    started = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    return RunnerRecord(
        plant, 4711, "/srv/plant.yaml", str(state_dir), str(state_dir / "control.sock"), "0.1.0", started
    )


def test_only_runners_that_hold_their_lock_are_listed_and_the_dead_are_forgotten(tmp_path) -> None:
    alive, dead = StateFolder(tmp_path / "alive"), StateFolder(tmp_path / "dead")
    for folder in (alive, dead):
        make_state_folder(folder)
        register(record(folder.path, folder.path.name), tmp_path)
    with hold_lock(alive.lock):
        assert [one.plant for one in live_runners(tmp_path)] == ["alive"]
        assert len(list((tmp_path / "runners").iterdir())) == 1
        assert live_runner(alive) == record(alive.path, "alive")
    assert live_runner(alive) is None
    assert last_runner(dead) == record(dead.path, "dead")


@pytest.mark.parametrize("damage", [b"", b"{", b"\0" * 200, None])
def test_a_runner_whose_own_word_is_damaged_is_found_by_the_registry(tmp_path, monkeypatch, damage) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = StateFolder(tmp_path / "alive")
    make_state_folder(folder)
    alive = msgspec.structs.replace(record(folder.path), pid=os.getpid())
    register(alive, run_time_folder({"XDG_RUNTIME_DIR": str(tmp_path)}))
    folder.runner.unlink() if damage is None else folder.runner.write_bytes(damage)
    assert live_runner(folder) is None
    with hold_lock(folder.lock):
        assert live_runner(folder) == alive
        register(record(folder.path), run_time_folder({"XDG_RUNTIME_DIR": str(tmp_path)}))
        folder.runner.unlink()
        assert live_runner(folder) is None  # that process is gone: another runner is beginning in its place


def test_a_runner_that_leaves_is_no_longer_listed(tmp_path) -> None:
    folder = StateFolder(tmp_path / "state")
    make_state_folder(folder)
    register(record(folder.path), tmp_path)
    unregister(record(folder.path), tmp_path)
    with hold_lock(folder.lock):
        assert live_runners(tmp_path) == ()


def test_an_entry_that_nobody_can_read_does_no_harm(tmp_path) -> None:
    (tmp_path / "runners").mkdir()
    (tmp_path / "runners" / "x.json").write_bytes(b"\xff{")
    assert live_runners(tmp_path) == ()
