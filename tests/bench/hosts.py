"""Turns real host processes into figures: modules in one host, calls and streams between two, hosts a second."""

import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ignrun.protocol.orders import Assignment, Quit, Route, Routes
from ignrun.protocol.reports import Hello, Moves
from ignrun.runtime.engines.fork import HostEngine
from ignrun.runtime.engines.places import make_run_folder
from ignrun.runtime.supervise.messages import HostSaid
from ignrun.terms.names import HostId
from ignrun.terms.states import ModuleState
from tests.rooms.host.harness import FakeRunner, assignment, needs

ROOT = Path(__file__).resolve().parents[2]
SERVE = """
import os, socket, sys
from ignrun.host.serve import main
os._exit(main(socket.socket(fileno=int(sys.argv[1])), "gateway", sys.argv[2]))
"""
CODE = """
import time
from ignrun import Module, provides

class Part(Module):
    async def initialize(self): ...
    async def startup(self): ...
    async def shutdown(self): ...

class Provider(Module):
    @provides
    async def echo(self, value):
        return value

    @provides
    async def numbers(self, count):
        for number in range(count):
            yield number

class Caller(Module):
    async def startup(self):
        peer = self.dependency("provider")
        await peer.call("echo", 0)
        times = []
        for number in range(2000):
            began = time.perf_counter()
            await peer.call("echo", number)
            times.append(time.perf_counter() - began)
        began = time.perf_counter()
        count = 0
        async for _ in peer.stream("numbers", 100_000):
            count += 1
        self.export(calls=sorted(times)[::20], rate=count / (time.perf_counter() - began))
"""


def random_assignments(count: int, folder: Path, seed: int = 1) -> list[Assignment]:
    """Make modules with two providers each among the 50 before them: some hundred levels deep."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        known = range(max(0, number - 50), number)
        bindings = tuple(needs(f"m{one:05d}@gateway") for one in sorted(chance.sample(known, min(2, len(known)))))
        made.append(assignment(f"m{number:05d}@gateway", "bench_host_code:Part", folder, bindings=bindings))
    return made


@contextmanager
def host(run_dir: Path) -> Iterator[tuple[FakeRunner, int]]:
    mine, its = socket.socketpair()
    command = [sys.executable, "-c", SERVE, str(its.fileno()), str(run_dir)]
    with subprocess.Popen(command, pass_fds=[its.fileno()], cwd=ROOT) as process:
        its.close()
        runner = FakeRunner(mine)
        runner.until(lambda: runner.said(Hello))
        yield runner, process.pid
        with suppress(OSError):
            runner.tell(Quit(2.0))
        mine.close()


def private_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def reached(runner: FakeRunner, state: ModuleState, count: int) -> None:
    """Read until so many have reached a state; what has been read is forgotten, so that reading stays quick."""
    left = count
    while left:
        before = len(runner.reports)
        runner.until(partial(_more_than, runner, before))
        left -= sum(
            move.new is state for batch in runner.reports[before:] if isinstance(batch, Moves) for move in batch.moves
        )


def _more_than(runner: FakeRunner, count: int) -> bool:
    return len(runner.reports) > count


def many_modules(count: int, folder: Path) -> dict[str, float]:
    """Load, start and stop modules in one host: seconds from the order to the last report of the last one."""
    with host(folder) as (runner, pid):
        given = random_assignments(count, folder)
        names = tuple(one.address for one in given)
        before = private_kib(pid)
        began = time.perf_counter()
        runner.load(*given)
        loaded = time.perf_counter()
        runner.start(*names)
        reached(runner, ModuleState.RUNNING, count)
        started = time.perf_counter()
        each = (private_kib(pid) - before) / count
        stopping = time.perf_counter()
        runner.stop(*names)
        reached(runner, ModuleState.STOPPED, count)
        stopped = time.perf_counter()
    return {"load": loaded - began, "start": started - loaded, "stop": stopped - stopping, "KiB": each}


def between_two_hosts(folder: Path) -> dict[str, float]:
    """Call and stream from one host to another: microseconds a call (median), values a second."""
    near_dir, far_dir = folder / "near", folder / "far"
    for one in (near_dir, far_dir):
        one.mkdir(exist_ok=True)
    with host(near_dir) as (near, _), host(far_dir) as (far, _):
        far.load(assignment("provider@gateway", "bench_host_code:Provider", folder))
        far.start("provider@gateway")
        far.until_state("provider@gateway", "running")
        near.tell(Routes((Route("provider@gateway", far.hello.socket, ModuleState.RUNNING),)))
        bindings = (needs("provider@gateway", local=False),)
        near.load(assignment("caller@gateway", "bench_host_code:Caller", folder, bindings=bindings))
        near.start("caller@gateway")
        near.until_state("caller@gateway", "starting")
        exports = near.until_state("caller@gateway", "running").exports or {}
    return {"call us": statistics.median(exports["calls"]) * 1e6, "values/s": exports["rate"]}


async def hosts_a_second(count: int, folder: Path) -> float:
    """Launch hosts with the real engine, 8 at a time; gives how many said hello in a second."""
    heard: list[HostSaid] = []

    def hear(message: object) -> None:
        if isinstance(message, HostSaid) and isinstance(message.report, Hello):
            heard.append(message)
            launch()

    engine = HostEngine(
        python=sys.executable,
        run_dir=make_run_folder(folder, "bench"),
        token="bench",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        hear=hear,
        on_lines=lambda *_: None,
    )
    numbers = iter(range(count + 1))

    def launch() -> None:
        if (number := next(numbers, None)) is not None:
            engine.launch(HostId(f"h{number}"), 1)

    engine.start()
    launch()
    while not heard:  # noqa: ASYNC110 - until the template is up
        await asyncio.sleep(0.001)
    began = time.perf_counter()
    for _ in range(7):
        launch()
    while len(heard) < count + 1:  # noqa: ASYNC110 - the engine's own loop goes on meanwhile
        await asyncio.sleep(0.001)
    took = time.perf_counter() - began
    await engine.close()
    return count / took


def table(runs: int = 5, count: int = 5000, hosts: int = 200) -> str:
    """Measure everything so many times and write medians beside goals."""
    with tempfile.TemporaryDirectory(prefix="ignrun-bench-") as name:
        folder = Path(name)
        (folder / "bench_host_code.py").write_text(CODE)
        found: dict[str, list[float]] = {}
        for number in range(runs):
            run_dir = folder / str(number)
            run_dir.mkdir()
            (run_dir / "bench_host_code.py").write_text(CODE)
            for key, value in {**many_modules(count, run_dir), **between_two_hosts(run_dir)}.items():
                found.setdefault(key, []).append(value)
            found.setdefault("hosts/s", []).append(asyncio.run(hosts_a_second(hosts, run_dir)))
    rows = [
        (f"start of {count} modules in a host, ms", "start", 1000, 140, False),
        (f"stop of {count} modules in a host, ms", "stop", 1000, 120, False),
        (f"load of {count} modules in a host, ms", "load", 1000, None, False),
        ("memory of each, KiB", "KiB", 1, 5, False),
        ("call between two hosts, median us", "call us", 1, 200, False),
        ("stream between two hosts, values/s", "values/s", 1, 50_000, True),
        ("hosts a second", "hosts/s", 1, 250, True),
    ]
    lines = [f"{'work':<44}{'median':>10}{'best':>10}{'runs':>6}{'goal':>8}"]
    for title, key, factor, goal, more in rows:
        values = [value * factor for value in found[key]]
        median, best = statistics.median(values), max(values) if more else min(values)
        met = "" if goal is None else ("met" if (median >= goal if more else median <= goal) else "missed")
        lines.append(f"{title:<44}{median:>10.1f}{best:>10.1f}{len(values):>6}{goal or '':>8}  {met}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
