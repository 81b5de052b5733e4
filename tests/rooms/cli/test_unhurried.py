"""Holds the output of a runner in the foreground to never waiting for its reader."""

import sys
import threading

from ignrun.cli import unhurried
from ignrun.cli.unhurried import Unhurried


def test_lines_come_in_their_order(capfd) -> None:
    with Unhurried() as output:
        output.say("beside")
        for number in range(100):
            output.result(f"{number}\n")
    out, err = capfd.readouterr()
    assert out.splitlines() == [str(number) for number in range(100)]
    assert err == "beside\n"


def test_a_reader_who_has_stopped_holds_nobody_up_and_is_told_what_is_missing(capfd, monkeypatch) -> None:
    reading, begun = threading.Event(), threading.Event()

    def slow(text: str) -> None:
        begun.set()
        reading.wait(10)
        sys.stdout.write(text)

    monkeypatch.setattr(unhurried, "result", slow)
    monkeypatch.setattr(unhurried, "WAITING", 5)
    with Unhurried() as output:
        output.result("0\n")
        assert begun.wait(10)
        for number in range(1, 20):
            output.result(f"{number}\n")
        reading.set()
    out, err = capfd.readouterr()
    assert out.splitlines() == ["0", "1", "2", "3", "4", "5"]
    assert err == "14 lines are left out here: they came faster than they were read\n"


def test_a_reader_who_has_gone_is_no_error(monkeypatch) -> None:
    def gone(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(unhurried, "result", gone)
    with Unhurried() as output:
        output.result("1\n")
        output.result("2\n")
