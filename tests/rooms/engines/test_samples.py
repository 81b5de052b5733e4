"""Holds samples of processes to what other tools say of the same processes."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from ignrun.runtime.engines import samples
from ignrun.runtime.engines.samples import sample

BUSY = """
import os, sys, threading
held = bytearray(50_000_000)
files = [open("/dev/null") for _ in range(20)]
threads = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(3)]
for thread in threads: thread.start()
with open(sys.argv[1], "wb") as file:
    file.write(b"x" * 4_000_000); file.flush(); os.fsync(file.fileno())
n = 0
for _ in range(3_000_000): n += 1
print("up", flush=True)
threading.Event().wait()
"""


@pytest.fixture
def busy(tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-c", BUSY, str(tmp_path / "file")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize("look", ["proc", "psutil"])
def test_a_sample_says_what_a_process_takes(busy, look, monkeypatch) -> None:
    if look == "psutil":
        monkeypatch.setattr(sys, "platform", "elsewhere")
    (seen,) = sample([busy.pid]).values()
    known = psutil.Process(busy.pid)
    assert seen.pid == busy.pid
    assert seen.memory == pytest.approx(known.memory_info().rss, rel=0.05)
    assert seen.memory > 50_000_000
    assert seen.cpu_seconds == pytest.approx(sum(known.cpu_times()[:2]), abs=0.05)
    assert (seen.threads, seen.descriptors) == (4, known.num_fds())
    assert (seen.descriptors or 0) >= 20
    if look == "proc":
        assert seen.written is not None
        assert seen.written >= 4_000_000 or known.io_counters().write_bytes == seen.written  # memory is no storage


def test_where_a_kernel_does_not_count_descriptors_they_are_counted(busy, monkeypatch) -> None:
    counted = sample([busy.pid])[busy.pid].descriptors
    monkeypatch.setattr(samples, "_RELEASE", (5, 15))
    assert sample([busy.pid])[busy.pid].descriptors == counted


def test_a_process_that_has_ended_is_left_out(busy) -> None:
    busy.kill()
    busy.wait()
    assert sample([busy.pid, os.getpid()]).keys() == {os.getpid()}


def test_what_a_process_started_counts_with_it_unless_it_is_looked_at_alone(busy) -> None:
    together, alone = sample([os.getpid()]), sample([os.getpid()], family=False)
    grown = together[os.getpid()].memory - alone[os.getpid()].memory
    assert grown >= sample([busy.pid])[busy.pid].memory * 0.9
    assert together[os.getpid()].threads >= alone[os.getpid()].threads + 4


def test_one_that_is_dead_but_not_waited_for_takes_nothing() -> None:
    process = subprocess.Popen(["true"])
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert sample([process.pid]) == {}
    finally:
        process.wait()
