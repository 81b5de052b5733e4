"""Holds a host process to its end, its log and its masks: forked as the template does, through `main`."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignrun.protocol.orders import Quit
from ignrun.protocol.reports import Logged, LogLine
from tests.house.tree import ROOT
from tests.rooms.host.harness import FakeRunner, assignment, needs

PLAYS = "tests.rooms.host.plays:"
SERVE = """
import os, socket, sys
from ignrun.host.serve import main
os._exit(main(socket.socket(fileno=int(sys.argv[1])), "gateway", sys.argv[2]))
"""


class HostProcess:
    def __init__(self, run_dir: Path) -> None:
        mine, its = socket.socketpair()
        command = [sys.executable, "-c", SERVE, str(its.fileno()), str(run_dir)]
        self.process = subprocess.Popen(command, pass_fds=[its.fileno()], cwd=ROOT)
        its.close()
        self.runner = FakeRunner(mine)

    def ended(self, seconds: float) -> int:
        """Wait for the end of the process, which has to come in time."""
        handle = os.pidfd_open(self.process.pid)
        try:
            assert select.select([handle], [], [], seconds)[0], "the host still lives"
        finally:
            os.close(handle)
        return self.process.wait()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HostProcess]:
    (tmp_path / "run").mkdir()
    host = HostProcess(tmp_path / "run")
    yield host
    host.process.kill()
    host.process.wait()
    host.runner.sock.close()


def lines(host: HostProcess) -> list[LogLine]:
    return [line for batch in host.runner.said(Logged) for line in batch.lines]


def test_quit_stops_everything_in_order_and_ends_the_process(host, tmp_path) -> None:
    runner = host.runner
    runner.load(
        assignment("a@gateway", PLAYS + "Plain", tmp_path),
        assignment("b@gateway", PLAYS + "Plain", tmp_path, bindings=(needs("a@gateway"),)),
    )
    runner.start("a@gateway", "b@gateway")
    runner.until_state("b@gateway", "running")
    runner.tell(Quit(5.0))
    runner.until_state("a@gateway", "stopped")
    stopped = [move.address for move in runner.moves if move.new.value == "stopped"]
    assert stopped == ["b@gateway", "a@gateway"]
    assert host.ended(5) == 0
    assert list((tmp_path / "run").iterdir()) == []


def test_a_host_whose_runner_is_gone_stops_and_ends(host, tmp_path) -> None:
    runner = host.runner
    trace = tmp_path / "trace"
    (tmp_path / "leaving.py").write_text(
        f"from ignrun import Module\nclass Leaving(Module):\n  async def shutdown(self): open({str(trace)!r}, 'w').close()\n"
    )
    runner.load(assignment("a@gateway", "leaving:Leaving", tmp_path))
    runner.start("a@gateway")
    runner.until_state("a@gateway", "running")
    runner.sock.close()
    host.ended(4)
    assert trace.exists()


@pytest.mark.parametrize("play", ["Blocks", "BlocksInShutdown"])
@pytest.mark.parametrize("way", ["gone", "quit"])
def test_a_module_that_blocks_the_loop_cannot_keep_the_process(host, tmp_path, play, way) -> None:
    runner = host.runner
    runner.load(assignment("a@gateway", PLAYS + play, tmp_path))
    runner.start("a@gateway")
    runner.until_state("a@gateway", "running")
    began = time.monotonic()
    if way == "quit" and play == "BlocksInShutdown":
        runner.tell(Quit(0.3))
        host.ended(3)
    else:
        runner.sock.close()
        host.ended(6)
    assert time.monotonic() - began < 6


def test_what_modules_log_arrives_with_their_address_fields_and_level(host, tmp_path) -> None:
    runner = host.runner
    runner.load(
        assignment("a@gateway", PLAYS + "Talkative", tmp_path), assignment("p@gateway", PLAYS + "poll", tmp_path)
    )
    runner.start("a@gateway", "p@gateway")
    runner.until(lambda: len(lines(host)) >= 5)
    found = {(line.address, line.level, line.text.split("\n")[0].split("/")[-1]) for line in lines(host)}
    assert ("a@gateway", "info", "hello") in found
    assert ("a@gateway", "warning", "by the root") in found
    assert ("a@gateway", "error", "from a thread") in found
    assert ("p@gateway", "info", "polled") in found
    assert any("UserWarning: old ways" in line.text and line.address == "a@gateway" for line in lines(host))
    hello = next(line for line in lines(host) if line.text == "hello")
    assert hello.fields == {"tag": "t1", "big": str(2**70)}


def test_secrets_are_masked_in_logs_and_faults(host, tmp_path) -> None:
    runner = host.runner
    config = {"password": "hunter2 of the plant", "n": 1}
    runner.load(assignment("a@gateway", PLAYS + "Configured", tmp_path, config=config, secrets=(("password",),)))
    runner.start("a@gateway")
    runner.until(lambda: len(lines(host)) >= 2)
    assert [line.text for line in lines(host)] == ["the password is ********", "wrapped: ********"]
    assert "hunter2" not in str(runner.reports)


def test_a_flood_of_lines_costs_neither_memory_nor_the_moves(host, tmp_path) -> None:
    runner = host.runner
    runner.load(assignment("a@gateway", PLAYS + "Floods", tmp_path))
    runner.start("a@gateway")
    runner.until_state("a@gateway", "running")
    runner.until(lambda: any("log lines were dropped" in line.text for line in lines(host)))
    assert len(lines(host)) < 40_000


def test_what_a_module_schedules_may_end_its_host_and_only_that(host, tmp_path) -> None:
    (tmp_path / "exits.py").write_text(
        "import asyncio, sys\nfrom ignrun import Module\n"
        "class Exits(Module):\n  async def startup(self): asyncio.get_running_loop().call_soon(sys.exit, 5)\n"
    )
    host.runner.load(assignment("a@gateway", "exits:Exits", tmp_path))
    host.runner.start("a@gateway")
    assert host.ended(5) == 5


def test_what_is_no_frame_ends_the_host(host) -> None:
    assert host.runner.hello
    host.runner.sock.sendall(b"\xff" * 64)
    assert host.ended(5) == 0


def test_threads_that_outlive_their_module_are_named(host, tmp_path) -> None:
    (tmp_path / "leaky.py").write_text(
        "import asyncio, threading, time\nfrom ignrun import Module\n"
        "class Leaky(Module):\n"
        "  async def startup(self):\n"
        "    threading.Thread(target=time.sleep, args=(60,), name='pump', daemon=True).start()\n"
        "    threading.Thread(target=time.sleep, args=(0.01,), name='short').start()\n"
        "    await asyncio.to_thread(int)\n"
        "  def check_health(self): threading.Thread(target=time.sleep, args=(60,), name='checker', daemon=True).start()\n"
    )
    runner = host.runner
    runner.load(assignment("a@gateway", "leaky:Leaky", tmp_path), assignment("b@gateway", PLAYS + "Plain", tmp_path))
    runner.start("a@gateway", "b@gateway")
    runner.until(lambda: runner.health_of("a@gateway"))
    runner.stop("a@gateway", "b@gateway")
    runner.until_state("a@gateway", "stopped")
    runner.until_state("b@gateway", "stopped")
    assert sorted(runner.unfinished("a@gateway")[0].names) == ["thread checker", "thread pump"]
    assert runner.unfinished("b@gateway") == []
    runner.tell(Quit(2.0))
    assert host.ended(5) == 0
