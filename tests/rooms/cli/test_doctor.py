"""Holds the doctor to honest findings: what is bad is told with what to do about it, and by the exit code."""

import json
import os
import resource

import pytest

from ignrun.cli import checkup
from tests.rooms.cli.scripted import serving


def findings(done) -> dict[str, dict]:
    return {one["check"]: one for one in json.loads(done.out)["findings"]}


def test_a_sound_machine_is_told_to_be_one(ignrun, place) -> None:
    done = ignrun("doctor")
    assert (done.code, done.err) == (0, "")
    assert "0 bad" in done.out
    assert f"`{place}`" in done.out


def test_every_check_is_told_in_json(ignrun, plant_lying) -> None:
    plant_lying("demo")
    found = findings(ignrun("doctor", "-o", "json"))
    assert list(found) == [
        "interpreter", "system", "open files", "inotify", "file system", "free space", "clock", "run-time folder", "state folder",
        "runner", "stale processes",
    ]  # fmt: skip
    assert found["runner"]["text"] == "none is alive; the last was pid 4242"


def test_a_folder_that_others_may_look_into_is_bad(ignrun, plant_lying, place) -> None:
    folder = place / ".ignrun" / "demo"
    plant_lying("demo")
    folder.chmod(0o755)
    done = ignrun("doctor", "-o", "json")
    assert done.code == 1
    assert findings(done)["state folder"] | {} == {
        "check": "state folder",
        "standing": "bad",
        "text": f"others may look into `{folder}`",
        "hint": f"`chmod -R go= {folder}`",
    }
    text = ignrun("doctor").out
    assert f"hint: `chmod -R go= {folder}`" in text
    assert "1 bad" in text


def test_a_live_runner_is_asked(ignrun, plant_running_with_lock) -> None:
    with serving(*plant_running_with_lock("four")) as steering:
        steering.ready = lambda: "in error: web@gateway"  # type: ignore[method-assign]
        found = findings(ignrun("doctor", "-o", "json"))["runner"]
    assert found["standing"] == "warning"
    assert found["text"].endswith("in error: web@gateway")


def test_few_open_files_are_something_to_look_at(ignrun, monkeypatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    done = ignrun("doctor", "-o", "json")
    assert (done.code, findings(done)["open files"]["hint"]) == (0, "a large plant needs more: `ulimit -n 4096`")


def test_a_folder_that_cannot_be_written_is_bad(place) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    place.chmod(0o500)
    found = {one.check: one for one in checkup.findings(None, place, os.environ)}
    place.chmod(0o700)
    assert found["file system"].standing == "bad"


def test_a_folder_that_is_gone_is_bad_and_no_bug(place) -> None:
    found = {one.check: one.standing for one in checkup.findings(None, place / "gone", os.environ)}
    assert (found["file system"], found["free space"], found["clock"]) == ("bad", "bad", "bad")


def test_a_run_time_folder_that_is_too_long_for_sockets_is_bad(ignrun, place, monkeypatch) -> None:
    long = place / ("x" * 120)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    done = ignrun("doctor", "-o", "json")
    assert (done.code, findings(done)["run-time folder"]["hint"]) == (1, "set XDG_RUNTIME_DIR to a shorter path")
