"""What a command writes to the runner that it starts: all of it, or after a while no more."""

import os
import threading

import pytest

from ignrun.runner import detach
from ignrun.terms.failure import WaitTimedOut

MUCH = os.urandom(1 << 20)


def test_more_than_a_pipe_holds_arrives_whole():
    reading, writing = os.pipe()
    heard = bytearray()

    def listen() -> None:
        while piece := os.read(reading, 65536):
            heard.extend(piece)

    listener = threading.Thread(target=listen)
    listener.start()
    detach._write_all(writing, MUCH)
    os.close(writing)
    listener.join()
    os.close(reading)
    assert bytes(heard) == MUCH


def test_who_is_there_and_does_not_read_is_given_up(monkeypatch):
    monkeypatch.setattr(detach, "PATIENCE", 0.01)
    reading, writing = os.pipe()
    with pytest.raises(WaitTimedOut, match="did not answer"):
        detach._write_all(writing, MUCH)
    os.close(writing)
    os.close(reading)
