"""Turns a plant whose modules take random times to start into its makespan over the critical path of its graph."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.plants import random_graph

LONGEST = 0.2
"""Seconds that a module takes to start at most; drawn evenly from nothing to this."""

_CLASS = """
class {}(AbstractIgnitionModule):
    async def startup(self):
        await asyncio.sleep({})
"""


def critical_path(graph: dict[str, list[str]], seconds: dict[str, float]) -> float:
    """Give the longest sum of start times along the edges, in seconds: no supervisor can be faster. Providers come first in `graph`."""
    until: dict[str, float] = {}
    for name, providers in graph.items():
        until[name] = seconds[name] + max((until[one] for one in providers), default=0.0)
    return max(until.values())


def makespan(journal: Path) -> float:
    """Give the seconds from the first module that began to start to the last that ran."""
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT mono, body FROM events WHERE kind = 'moved' ORDER BY seq").fetchall()
    moves: list[tuple[float, str]] = [(mono, json.loads(body)["to"]) for mono, body in rows]
    return max(mono for mono, new in moves if new == "running") - min(mono for mono, new in moves if new == "starting")


def write(folder: Path, graph: dict[str, list[str]], seconds: dict[str, float]) -> None:
    """Write the manifest and the code of such a plant."""
    requires = {name: f", requires: [{', '.join(providers)}]" if providers else "" for name, providers in graph.items()}
    lines = (f"  {name}: {{entry: slow_modules:{name.title()}{requires[name]}}}\n" for name in graph)
    (folder / "ignrun.yaml").write_text("modules:\n" + "".join(lines))
    classes = (_CLASS.format(name.title(), round(seconds[name], 4)) for name in graph)
    head = "import asyncio\n\nfrom ignrun import AbstractIgnitionModule\n"
    (folder / "slow_modules.py").write_text(head + "".join(classes))


def ratio(count: int, seed: int) -> tuple[float, float]:
    """Run such a plant once; gives its makespan and its critical path in seconds."""
    graph = random_graph(count, seed)
    chance = random.Random(seed)
    seconds = {name: chance.uniform(0, LONGEST) for name in graph}
    with tempfile.TemporaryDirectory(prefix="ign-span-") as name:
        folder = Path(name)
        write(folder, graph, seconds)
        environment = {**os.environ, "TMPDIR": name, "XDG_RUNTIME_DIR": name, "NO_COLOR": "1"}
        line = [sys.executable, "-m", "ignrun"]

        def ignrun(*words: str) -> None:
            done = subprocess.run(
                [*line, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.exit(f"{words} ended with {done.returncode}: {done.stderr[-2000:]}")

        ignrun("apply", "-d", "--soak", "0s")
        ignrun("down")
        return makespan(next(folder.glob(".ignrun/*/journal.sqlite"))), critical_path(graph, seconds)


def table(count: int, seed: int) -> str:
    """Write the figure as a line."""
    took, least = ratio(count, seed)
    return f"{f'makespan, {count} modules, start times to {LONGEST:g} s':<48} {took:.2f} s over {least:.2f} s: x{took / least:.3f} (goal x1.03)"


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, 1))
