"""Turns generated plants into a table of whole-process times beside the goals, and into proofs of order and of thrift."""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import commands, hosts, makespan, peers
from tests.bench.order import order_violations, read_moves
from tests.bench.plants import edges_of, random_graph, write_plant

GOALS = {
    "--version": 45,
    "validate, 2 modules": 120,
    "plan, {n} modules (cold)": 300,
    "plan, {n} modules (cache warm)": 120,
    "apply -d, {n} modules": 600,
    "status, {n} modules": 80,
}
"""Milliseconds of the whole process, on the 2-core machine that the goals were set for."""

NEVER_IN_VALIDATE = (
    "starlette",
    "uvicorn",
    "jsonschema",
    "asyncio",
    "sqlite3",
    "psutil",
    "ignrun.runtime",
    "ignrun.sdk",
    "bench_modules",
)
"""What checking a small, sound manifest has no business importing."""

MUST_NOT = frozenset({"starlette", "uvicorn", "ignrun.sdk", "bench_modules"})
"""Those of them whose presence fails the bench."""


@dataclass
class Bench:
    """One run of the bench: where it works and what it measured, in milliseconds by work."""

    folder: Path
    count: int
    seed: int
    times: dict[str, list[float]] = field(default_factory=dict)

    def ignrun(self, work: str, *args: str) -> None:
        """Run the command line once and keep how long its whole process took; a failure ends the bench."""
        command = [_program(), *args]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=self.folder, check=False)
        took = (time.perf_counter() - began) * 1000
        if done.returncode:
            sys.exit(f"`{' '.join(args)}` ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        if work:
            self.times.setdefault(work, []).append(took)


def _program() -> str:
    beside = Path(sys.executable).with_name("ignrun")
    return str(beside) if beside.exists() else shutil.which("ignrun") or sys.exit("ignrun is not installed: make setup")


# --- what is measured -------------------------------------------------------------------------------------------------


def measure(bench: Bench, runs: int) -> None:
    """Interleave the runs of all works, so that a machine that slows down slows all of them."""
    n = bench.count
    small = str(write_plant(bench.folder / "small", {"m00000": [], "m00001": ["m00000"]}))
    large = str(write_plant(bench.folder / "large", random_graph(n, bench.seed)))
    for number in range(runs):
        state = str(bench.folder / f"state-{number}")
        bench.ignrun("--version", "--version")
        bench.ignrun("validate, 2 modules", "validate", small)
        bench.ignrun(f"validate, {n} modules", "validate", large)
        bench.ignrun(f"plan, {n} modules (cold)", "plan", large, "--state-dir", state)
        with _down_at_last(bench, state):
            bench.ignrun(f"apply -d, {n} modules", "apply", large, "-d", "--soak", "0s", "--state-dir", state)
            bench.ignrun(f"status, {n} modules", "status", "--state-dir", state)
            bench.ignrun(f"plan, {n} modules (cache warm)", "plan", large, "--state-dir", state)
            bench.ignrun(f"validate, {n} modules (cache warm)", "validate", large, "--state-dir", state)
            bench.ignrun(f"apply, {n} modules (nothing to do)", "apply", large, "--state-dir", state)
            bench.ignrun(f"down, {n} modules", "down", "--state-dir", state)


@contextmanager
def _down_at_last(bench: Bench, state: str) -> Iterator[None]:
    try:
        yield
    finally:
        subprocess.run(
            [_program(), "down", "--state-dir", state], capture_output=True, timeout=120, check=False, cwd=bench.folder
        )


def table(bench: Bench) -> str:
    """Write what was measured: median, fastest, how often, and the goal with whether it was met."""
    goals = {work.format(n=bench.count): goal for work, goal in GOALS.items()}
    lines = [f"{'work':<36}{'median ms':>10}{'min ms':>10}{'runs':>6}{'goal ms':>10}"]
    for work, times in bench.times.items():
        median, goal = statistics.median(times), goals.get(work)
        met = "" if goal is None else f"{goal:>10}  {'met' if median <= goal else f'missed, x{median / goal:.2f}'}"
        lines.append(f"{work:<36}{median:>10.0f}{min(times):>10.0f}{len(times):>6}{met}")
    return "\n".join(lines)


# --- what is proven ---------------------------------------------------------------------------------------------------


def prove_order(bench: Bench) -> str:
    """Read start and stop order of the last run from its journal."""
    edges = edges_of(random_graph(bench.count, bench.seed))
    journal = max(bench.folder.glob("state-*/**/journal.sqlite"))
    moves = read_moves(journal)
    breaches = order_violations(moves, edges)
    if breaches:
        sys.exit("\n".join(["order was breached:", *breaches[:20]]))
    return f"order: {len(edges)} edges, {len(moves)} moves: every provider ran before its dependent started and stopped after it"


def prove_thrift(bench: Bench) -> str:
    """List what `validate` of a small manifest imports, the reading process included."""
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "ignrun",
        "validate",
        str(bench.folder / "small" / "ignrun.yaml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    names = re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)", done.stderr, re.MULTILINE)
    present = [name for name in NEVER_IN_VALIDATE if name in names or any(one.startswith(f"{name}.") for one in names)]
    if MUST_NOT & {*present}:
        sys.exit(f"`validate` imports {', '.join(sorted(MUST_NOT & {*present}))}")
    own = sorted({".".join(name.split(".")[:2]) for name in names if name.startswith("ignrun.")})
    others = sorted({name.split(".")[0] for name in names} - {*sys.stdlib_module_names, "ignrun"})
    absent = [name for name in NEVER_IN_VALIDATE if name not in present]
    return "\n".join(
        [
            f"`validate` imports {len(names)} modules; of ignrun: {', '.join(own)}",
            f"  of others: {', '.join(one for one in others if not one.startswith('_'))}",
            f"  and not: {', '.join(absent)}" + (f"; but also: {', '.join(present)}" if present else ""),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=int, default=1000, help="modules of the large plant")
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of every work")
    parser.add_argument("--seed", type=int, default=1, help="seed of the dependency graph")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ignrun-bench-") as folder:
        bench = Bench(Path(folder), chosen.modules, chosen.seed)
        measure(bench, chosen.runs)
        print(
            f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, seed {bench.seed}"
        )
        proofs: tuple[Callable[[Bench], str], ...] = (table, prove_order, prove_thrift)
        for proof in proofs:
            print(proof(bench), flush=True)
        print(hosts.table(chosen.runs), flush=True)
        print(commands.table(500), flush=True)
        print(makespan.table(chosen.modules, chosen.seed), flush=True)
        print(peers.table(max(1, chosen.runs // 2)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
