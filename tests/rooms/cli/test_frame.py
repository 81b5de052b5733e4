"""Holds the outermost frame: one message and the right code, whatever happens below it."""

import os
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ignrun.cli import explain
from ignrun.cli.progress import shown
from ignrun.planner.plan.model import Edited, Plan, Step
from ignrun.terms.failure import NoRunner
from ignrun.terms.names import Address
from tests.rooms.render.plants import LINE, at_line


@pytest.fixture
def explain_raises(monkeypatch):
    def set_it(error: BaseException) -> None:
        def callback(**_: object) -> None:
            raise error

        monkeypatch.setattr(explain.command, "callback", callback)

    return set_it


def test_a_failure_is_one_statement_and_a_hint(ignrun, explain_raises) -> None:
    explain_raises(NoRunner("no runner is alive", "start one"))
    ended = ignrun("explain")
    assert (ended.code, ended.out, ended.err) == (13, "", "error: no runner is alive\nhint: start one\n")


def test_a_failure_cannot_steer_the_terminal(ignrun, explain_raises) -> None:
    explain_raises(NoRunner("\x1b[2J"))
    assert "\x1b" not in ignrun("explain").err


def test_a_bug_ends_in_70_with_a_line_and_the_file_of_its_traceback(
    ignrun, explain_raises, monkeypatch, tmp_path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    explain_raises(ZeroDivisionError("division by zero"))
    ended = ignrun("explain")
    assert ended.code == 70
    assert ended.err.startswith("bug: ZeroDivisionError: division by zero\nhint: the traceback is in `")
    assert "Traceback" not in ended.err
    kept = next(tmp_path.glob("ignrun-bug-*.txt"))
    assert "ZeroDivisionError" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_bug_shows_its_traceback_when_asked_to(ignrun, explain_raises, monkeypatch, how) -> None:
    explain_raises(ZeroDivisionError("division by zero"))
    if how == "environment":
        monkeypatch.setenv("IGNRUN_DEBUG", "1")
    ended = ignrun("--debug", "explain") if how == "option" else ignrun("explain")
    assert ended.code == 70
    assert "Traceback (most recent call last)" in ended.err


def test_ctrl_c_ends_in_130_without_a_word(ignrun, explain_raises) -> None:
    explain_raises(KeyboardInterrupt())
    ended = ignrun("explain")
    assert ended.code == 130
    assert "Traceback" not in ended.err


def test_a_reader_that_goes_away_early_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "ignrun", "explain"], check=False, stdout=gone, stderr=subprocess.PIPE, timeout=30
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ("exec >&-", "error: the result cannot be written: stdout is closed\n"),
        ("exec >/dev/full", "error: the result cannot be written to stdout: No space left on device\n"),
    ],
)
def test_a_result_that_nobody_can_take_is_a_failure_and_no_bug(shell, said) -> None:
    line = f"{shell}; exec {shlex.quote(sys.executable)} -m ignrun explain"
    done = subprocess.run(["sh", "-c", line], check=False, stderr=subprocess.PIPE, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (1, said)


def test_no_color_takes_every_style_from_the_live_table(monkeypatch, capfd) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    proposal = SimpleNamespace(
        plan=Plan(0, "", (Step(Address("web@gateway"), "create", Edited(at_line(1))),), 0), graph=LINE
    )
    monkeypatch.setattr("ignrun.cli.progress.is_terminal", lambda **_: True)
    with shown(proposal):  # type: ignore[arg-type]
        pass
    drawn = capfd.readouterr().err
    assert "web" in drawn
    assert re.findall(r"\x1b\[[0-9;]*m", drawn) == []
