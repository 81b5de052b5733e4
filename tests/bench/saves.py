"""Turns a watched plant of many modules into figures: from a save of one of them to its new config in the host."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SAVES: int = 40
GOALS = {"one file": 55, "own files": 40}
"""Milliseconds at the median, the settle time of 25 ms included."""

CODE = """
import time
from ignrun import Module

class Part(Module):
    async def startup(self):
        pass

    async def reconfigure(self, change):
        with open(change.new["out"], "a") as out:
            out.write(f"{change.new['value']} {time.time()}\\n")
"""
HEAD = "sources: [{path: .}]\napply: {soak: 0s}\nwatch: {}\n"


class Saves:
    """A plant of `count` modules whose files are watched, in a folder of its own."""

    def __init__(self, folder: Path, count: int) -> None:
        """Write the code that the modules run."""
        self._folder = folder
        self._count = count
        self._environment = {**os.environ, "TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder), "NO_COLOR": "1"}
        (folder / "plain.py").write_text(CODE)
        (folder / "parts").mkdir()

    def one_file(self, value: int) -> None:
        """Save the whole plant as one file."""
        rows = (self._row(number, value if number == 7 else 0) for number in range(self._count))
        self._save(self._folder / "ignrun.yaml", f"{HEAD}modules:\n{''.join(rows)}")

    def own_files(self, value: int) -> None:
        """Save one module's own file; the first time all of them."""
        if not value:
            for number in range(self._count):
                self._save(self._folder / "parts" / f"{number}.yaml", f"modules:\n{self._row(number, 0)}")
            self._save(self._folder / "ignrun.yaml", f"{HEAD}include: ['parts/*.yaml']\n")
        else:
            self._save(self._folder / "parts" / "7.yaml", f"modules:\n{self._row(7, value)}")

    def took(self, save: Callable[[int], None], value: int) -> float:
        """Save and give the seconds until the module has taken the value."""
        began = time.time()
        save(value)
        out = self._folder / "out-7"
        while time.time() - began < 20:
            last = out.read_text().split("\n")[-2:-1] if out.exists() else []
            if last and last[0].startswith(f"{value} "):
                return float(last[0].split()[1]) - began
            time.sleep(0.002)
        raise SystemExit(f"the save of {value} had no effect:\n{self.ignrun('events')[-2000:]}")

    def ignrun(self, *words: str) -> str:
        """Run one command; a failure ends the bench."""
        line = [sys.executable, "-m", "ignrun", *words]
        done = subprocess.run(
            line, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{words} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def _row(self, number: int, value: int) -> str:
        out = self._folder / f"out-{number}"
        return (
            f"  m{number}:\n    entry: plain:Part\n    config:\n      value: {value}\n      out: {out}\n"
            f"      servers: [{{host: 10.0.0.{number}, port: 4840}}]\n      interval: 5s\n"
        )

    def _save(self, file: Path, text: str) -> None:
        beside = file.with_name(f".{file.name}.tmp")
        beside.write_text(text)
        beside.replace(file)


def rows(count: int) -> list[tuple[str, str]]:
    """Measure, and give what was saved with how long it took."""
    found: list[tuple[str, str]] = []
    for name, goal in GOALS.items():
        with tempfile.TemporaryDirectory(prefix="ign-bench-") as folder:
            plant = Saves(Path(folder), count)
            save = plant.one_file if name == "one file" else plant.own_files
            save(0)
            plant.ignrun("apply", "-d")
            try:
                times = sorted(plant.took(save, value) * 1000 for value in range(1, SAVES + 1))
            finally:
                plant.ignrun("down")
        median = statistics.median(times)
        met = "met" if median <= goal else f"missed, x{median / goal:.2f}"
        said = f"{median:.0f} ms at the median, {times[0]:.0f} to {times[-1]:.0f} (goal {goal} ms: {met})"
        found.append((f"save to effect, 1 of {count}, {name}", said))
    return found


if __name__ == "__main__":
    for work, said in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 200):
        print(f"{work:<44}{said}")
