"""Turns a plant of many commands into figures: start, from the end of one to its replacement, idle, stop."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

IDLE: float = 5.0
KILLS: int = 20


class Commands:
    """A plant of `count` commands that sleep, run by the real command line in a folder of its own; `alive_for` is when they count as started."""

    def __init__(self, folder: Path, count: int, alive_for: str) -> None:
        """Write the manifest."""
        self._folder = folder
        rows = (f"  c{number}: {{command: [sleep, '100000'], gate: started}}\n" for number in range(count))
        defaults = f"defaults: {{lifecycle: {{alive_for: {alive_for}}}}}\n"
        (folder / "ignrun.yaml").write_text(defaults + "modules:\n" + "".join(rows))
        self._environment = {**os.environ, "TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder), "NO_COLOR": "1"}

    def ignrun(self, *words: str) -> str:
        """Run one command; a failure ends the bench."""
        line = [sys.executable, "-m", "ignrun", *words]
        done = subprocess.run(
            line, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{words} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def status(self) -> dict[str, Any]:
        """Give the public status."""
        found: dict[str, Any] = json.loads(self.ignrun("status", "-o", "json"))
        return found

    def replacement(self, address: str, pid: int, runner: psutil.Process) -> float:
        """Kill a command and give the seconds until its successor is a child of the runner."""
        listed = Path(f"/proc/{runner.pid}/task/{runner.pid}/children")
        before = {*listed.read_text().split()}
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        while not {*listed.read_text().split()} - before:
            if time.perf_counter() - began > 10:
                raise SystemExit(f"{address} did not come back")
        return time.perf_counter() - began


def rows(count: int, alive_for: str) -> list[tuple[str, str]]:
    """Measure, and give what was done with how long it took."""
    with tempfile.TemporaryDirectory(prefix="ign-bench-") as name:
        plant = Commands(Path(name), count, alive_for)
        began = time.perf_counter()
        plant.ignrun("apply", "-d", "--soak", "0s")
        started = time.perf_counter() - began
        try:
            lived = _while_it_runs(plant, count)
        finally:
            began = time.perf_counter()
            plant.ignrun("down")
            stopped = time.perf_counter() - began
    return [
        (f"apply -d, {count} commands, until committed", f"{started:.2f} s"),
        *lived,
        (f"down, {count} commands", f"{stopped:.2f} s"),
    ]


def _while_it_runs(plant: Commands, count: int) -> list[tuple[str, str]]:
    report = plant.status()
    runner = psutil.Process(report["plant"]["pid"])
    chosen = report["instances"][:: max(1, count // KILLS)][:KILLS]
    times = [plant.replacement(one["address"], one["pid"], runner) for one in chosen]
    before = runner.cpu_times()
    time.sleep(IDLE)
    after = runner.cpu_times()
    busy = (after.user + after.system - before.user - before.system) / IDLE * 100
    memory = runner.memory_info().rss / 2**20
    median, most = statistics.median(times) * 1000, max(times) * 1000
    return [
        ("from kill -9 to the successor, median / most", f"{median:.1f} / {most:.1f} ms"),
        (f"idle runner with {count} commands", f"{busy:.1f} % of a CPU, {memory:.0f} MB"),
    ]


ALIVE = {"1s": "the default: a command has to live for a second", "0s": "at once, as peers with startsecs=0 count"}
"""The two rules that are measured, and what each means."""


def table(count: int) -> str:
    """Write the figures as lines, once for each rule of when a command counts as started."""
    lines = []
    for alive_for, meaning in ALIVE.items():
        lines.append(f"commands with alive_for {alive_for} ({meaning})")
        lines += [f"  {what:<46} {figure}" for what, figure in rows(count, alive_for)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
