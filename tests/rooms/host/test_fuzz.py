"""Holds runner and host to surviving what the other side says, or whoever comes to the door, however wrong it is."""

import random
import socket
import struct
from typing import Any

import pytest

from ignrun.protocol.frames import Unframer
from ignrun.protocol.orders import Load
from ignrun.protocol.reports import Loaded, Moves
from ignrun.runtime.engines import believed as checking
from ignrun.terms.states import may_move
from tests.rooms.host import fuzzing
from tests.rooms.host.harness import HostInThread, assignment, needs
from tests.rooms.host.test_process import HostProcess, host

PLAYS = "tests.rooms.host.plays:"
QUICK, FULL = 10_000, 100_000

__all__ = ["host"]


def failures(count: int, seed: int) -> list[str]:
    """Give what the runner's side stumbled over in so many frames."""
    found = []
    for data in fuzzing.bad_frames(fuzzing.REPORTS, count, random.Random(seed)):
        try:
            fuzzing.survived(data)
        except Exception as error:
            found.append(f"{type(error).__name__}: {error} at {data[:80]!r}")
    return found


def test_no_frame_of_a_host_makes_its_runner_stumble() -> None:
    assert failures(QUICK, seed=4) == []


def test_some_frames_are_taken_in_and_most_are_refused() -> None:
    taken = [fuzzing.survived(data) for data in fuzzing.bad_frames(fuzzing.REPORTS, 1000, random.Random(5))]
    assert 50 < sum(taken) < 500


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(10))
def test_no_frame_of_a_host_makes_its_runner_stumble_in_the_long_run(seed) -> None:
    assert failures(FULL // 10, seed=100 + seed) == []


@pytest.mark.parametrize("sabotage", ["decode errors escape", "exports are not checked", "figures are not checked"])
def test_the_harness_catches_a_runner_that_believes_too_much(monkeypatch, sabotage) -> None:
    match sabotage:
        case "decode errors escape":
            monkeypatch.setattr(Unframer, "_decoded", lambda self, body: self._decoder.decode(body))
        case "exports are not checked":
            monkeypatch.setattr(checking, "_check", lambda exports: None)
        case _:
            monkeypatch.setattr(checking, "_is_figure", lambda metric: True)
    assert failures(QUICK, seed=4)


def test_a_host_in_thread_ends_quietly_after_noise(tmp_path) -> None:
    chance = random.Random(6)
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        one = HostInThread(folder)
        one.runner.sock.sendall(struct.pack("!I", 2) + b"\xc1\xc1" + chance.randbytes(chance.randrange(200)))
        one.end(grace=0.1)
        assert one.code == 0


def test_valid_orders_without_sense_leave_a_host_at_work_and_its_moves_legal(host: HostProcess, tmp_path) -> None:
    addresses = ("a@gateway", "b@gateway", "c@gateway")
    provider = assignment("a@gateway", PLAYS + "Tags", tmp_path)
    others = [assignment(one, PLAYS + "Recorder", tmp_path, bindings=(needs("a@gateway"),)) for one in addresses[1:]]
    host.runner.load(provider, *others)
    for order in fuzzing.odd_orders(addresses, 400, random.Random(7)):
        host.runner.tell(order)
    loads = len(host.runner.said(Loaded))
    host.runner.tell(Load(()), Load(()))
    host.runner.until(lambda: len(host.runner.said(Loaded)) >= loads + 2)
    moves = [move for batch in host.runner.said(Moves) for move in batch.moves]
    assert moves
    assert all(may_move(move.old, move.new) for move in moves)
    assert host.process.poll() is None


def test_whoever_comes_to_the_door_with_noise_is_sent_away_and_nobody_else_notices(host: HostProcess, tmp_path) -> None:
    chance = random.Random(8)
    host.runner.load(assignment("a@gateway", PLAYS + "Tags", tmp_path))
    host.runner.start("a@gateway")
    host.runner.until_state("a@gateway", "running")
    for _ in range(300):
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.connect(host.runner.hello.socket)
            body = chance.randbytes(chance.randrange(1, 80))
            visitor.sendall(struct.pack("!I", chance.choice((len(body), 2**31))) + body)
            if chance.random() < 0.2:
                visitor.settimeout(5)
                _drained(visitor)
    host.runner.stop("a@gateway")
    host.runner.until_state("a@gateway", "stopped")


def _drained(visitor: Any) -> None:
    """Read until the host closes the connection, which it does when what came is no frame."""
    while visitor.recv(4096):
        pass
