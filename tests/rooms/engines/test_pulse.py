"""Holds the runner to knowing in what a host is stuck, also while nobody else in that host can run: real hosts, really stuck."""

import os
import random
import signal
from contextlib import suppress

import pytest

from ignrun.protocol import template as talk
from ignrun.protocol.orders import Item, Load, Start
from ignrun.protocol.pulse import Pulse, Stuck, mark_of, pulse_path
from ignrun.protocol.reports import Hello, Loaded, Resumed, Stalled
from ignrun.runtime.engines.pulse import Frame, blamed, qualified
from ignrun.runtime.supervise.messages import HostLaunched, HostSaid
from ignrun.terms.names import HostId
from tests.rooms.engines.conftest import Bench, until
from tests.rooms.host.harness import assignment

CODE = """
import asyncio, re, time
from ignrun import Module

class Base(Module):
    async def startup(self):
        await asyncio.sleep(0.3)
        self.block()

class Sleeps(Base):
    def block(self):
        time.sleep(2)

class Matches(Module):
    async def run(self):
        await asyncio.sleep(0.3)
        re.match(r"(a+)+$", "a" * 40 + "b")

class OnThread(Module):
    def startup(self):
        re.match(r"(a+)+$", "a" * 40 + "b")

class Fine(Module):
    async def run(self):
        while True:
            await asyncio.sleep(0.05)
"""
AT = {line.strip(): number for number, line in enumerate(CODE.splitlines(), 1)}


@pytest.fixture
async def bench(tmp_path):
    (tmp_path / "stuck_code.py").write_text(CODE)
    bench = Bench(tmp_path, serve=talk.SERVE)
    yield bench
    await bench.close()


async def run(bench: Bench, *entries: str) -> int:
    """Run modules of these classes in one host; gives its pid."""
    host = HostId("gateway")
    bench.hosts.launch(host, 1)
    await until(lambda: news(bench, Hello))
    given = [assignment(f"{one.lower()}@gateway", f"stuck_code:{one}", bench.folder) for one in entries]
    bench.hosts.give(host, 1, Load(tuple(given)))
    await until(lambda: news(bench, Loaded))
    addresses = tuple(one.address for one in given)
    bench.hosts.give(host, 1, Start(tuple(Item(one, 1) for one in addresses), addresses))
    return next(one.pid for one in bench.heard if isinstance(one, HostLaunched))


def news(bench: Bench, kind: type) -> list:
    return [one.report for one in bench.heard if isinstance(one, HostSaid) and isinstance(one.report, kind)]


async def test_a_loop_that_is_blocked_is_named_by_callback_file_and_line_and_its_end_is_told(bench) -> None:
    await run(bench, "Fine", "Sleeps")
    await until(lambda: news(bench, Stalled), 4)
    (stalled,) = news(bench, Stalled)
    assert stalled.address == "sleeps@gateway"
    assert stalled.where == f"Base.startup at stuck_code.py:{AT['time.sleep(2)']}"
    assert 1.0 <= stalled.seconds < 2.0
    await until(lambda: news(bench, Resumed), 4)
    assert news(bench, Resumed)[0].address == "sleeps@gateway"
    assert any("has been stuck" in line.text and line.address == "sleeps@gateway" for _, line in bench.lines)


@pytest.mark.parametrize("entry", ["Matches", "OnThread"])
async def test_where_the_interpreter_is_held_the_process_is_asked_from_outside(bench, entry) -> None:
    await run(bench, "Fine", entry)
    await until(lambda: news(bench, Stalled), 6)
    (stalled,) = news(bench, Stalled)
    assert stalled.address == f"{entry.lower()}@gateway" or (entry == "OnThread" and not stalled.address)
    line = [number for number, text in enumerate(CODE.splitlines(), 1) if "re.match" in text][entry == "OnThread"]
    callback = "run" if entry == "Matches" else "startup"
    assert stalled.where == f"{entry}.{callback} at stuck_code.py:{line}"
    assert stalled.seconds < 4.0


async def test_a_process_that_does_not_run_at_all_is_told_as_such(bench) -> None:
    pid = await run(bench, "Fine")
    await until(lambda: (pulse := Pulse.read(pulse_path(str(bench.run_dir), pid))) and pulse.alive)
    os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: news(bench, Stalled), 6)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert "nothing of its process runs" in news(bench, Stalled)[0].where
    await until(lambda: news(bench, Resumed), 4)


def test_what_stands_in_a_pulse_is_not_believed() -> None:
    for seed in range(200):
        pulse = Pulse(bytearray(random.Random(seed).randbytes(1024)))
        assert isinstance((pulse.alive, pulse.busy_since, pulse.mark, pulse.stuck), tuple)


def test_a_pulse_reads_as_it_was_written() -> None:
    pulse = Pulse()
    pulse.beat(3.5)
    pulse.turn(2.5)
    pulse.page[16:264] = mark_of("a@gateway")
    pulse.tell(Stuck(2.5, "a@gateway", "A.run at a.py:1"))
    assert (pulse.alive, pulse.busy_since, pulse.mark) == (3.5, 2.5, "a@gateway")
    assert pulse.stuck == Stuck(2.5, "a@gateway", "A.run at a.py:1")
    pulse.turn(0.0)
    assert pulse.mark == ""
    pulse.tell(None)
    assert pulse.stuck is None


def test_a_long_address_and_a_long_place_do_no_harm() -> None:
    pulse = Pulse()
    pulse.page[16:264] = mark_of("ä" * 500)
    assert set(pulse.mark) <= {"ä", "\ufffd"}
    pulse.tell(Stuck(1.0, "a", "x" * 5000))
    assert pulse.stuck is None


def test_the_thread_to_blame_is_the_loops_unless_it_runs_no_code_of_a_module() -> None:
    dump = (
        'Thread 0x0000000000000002 (most recent call first):\n  File "/m.py", line 7 in work\n\n'
        'Current thread 0x0000000000000001 (most recent call first):\n  File "{}", line 468 in select\n'
    )
    assert blamed(dump.format("/usr/lib/python3.11/selectors.py"), 1) == [Frame("/m.py", 7, "work")]
    assert blamed(dump.format("/other.py"), 1)[0].file == "/other.py"
    assert blamed("", 1) == []


def test_the_class_of_a_function_is_read_from_its_source(tmp_path) -> None:
    (tmp_path / "code.py").write_text(CODE)
    path = str(tmp_path / "code.py")
    assert qualified(Frame(path, AT["time.sleep(2)"], "block")) == "Sleeps.block"
    assert qualified(Frame("/nowhere.py", 3, "block")) == "block"
