"""Runs the peers' own benches beside ours where they are installed, and turns what they print into lines of a table."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

FOLDER: Final = os.environ.get("IGNRUN_PEER_BENCH", "")
"""Folder of the peers' runners; what they need is installed below BENCH_WORK."""

_PATIENCE: Final = 900

_COMMANDS: Final = {"supervisord": "supervisor", "circus": "circus", "pm2": "npm/node_modules/pm2"}
_PARTS: Final = ("asyncio_tasks", "ipopo", "mode", "circuits", "moleculer")


def _work() -> Path:
    return Path(os.environ.get("BENCH_WORK") or Path.home() / ".cache" / "runner-bench")


def _run(script: str, *words: str) -> dict[str, list[dict[str, Any]]]:
    """Run one of the benches and give what it saved, nothing where it saved nothing; a peer that is missing breaks it off."""
    python = _work() / "venv" / "bin" / "python"
    command = [str(python), "-B", str(Path(FOLDER, script)), *words]
    saved = _work() / "results" / f"{script[6]}.json"
    saved.unlink(missing_ok=True)
    subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, cwd=FOLDER, check=False)
    found: dict[str, list[dict[str, Any]]] = json.loads(saved.read_text())["data"] if saved.exists() else {}
    return found


def _median(runs: list[dict[str, Any]], name: str) -> float | None:
    figures = [run[name] for run in runs if isinstance(run.get(name), int | float)]
    return statistics.median(figures) if figures else None


def _shown(figure: float | None, unit: str = "s") -> str:
    return "-" if figure is None else f"{figure:.2f} {unit}"


def commands(count: int, runs: int) -> list[str]:
    """Start, memory, idle and stop of `count` commands under each peer that is installed."""
    present = [name for name, place in _COMMANDS.items() if _is_installed(place)]
    data = _run("bench_a.py", ",".join(present), str(count), str(runs), "5", "a") if present else {}
    lines = []
    for name in present:
        its = data.get(f"{name}/{count}", [])
        memory, idle = _median(its, "sup_rss_mb"), _median(its, "idle_cpu_pct")
        lines.append(
            f"  {name:<16} start {_shown(_median(its, 'last_exec_s'))}, stop {_shown(_median(its, 'children_gone_s'))}, "
            f"memory {_shown(memory, 'MB')}, idle {_shown(idle, '%')}"
        )
    absent = sorted(set(_COMMANDS) - set(present))
    return [
        f"{count} commands under the peers:",
        *lines,
        *([f"  not installed: {', '.join(absent)}"] if absent else []),
    ]


def _is_installed(place: str) -> bool:
    return (_work() / place).exists() or any((_work() / "venv").glob(f"lib/*/site-packages/{place}"))


def parts(runs: int) -> list[str]:
    """Start and stop of components in one process under each peer, as many as their bench takes."""
    data = _run("bench_b.py", str(runs))
    lines = []
    for key, its in data.items():
        name, _, count = key.partition("/")
        if name in _PARTS:
            start, stop, memory = (_median(its, what) for what in ("start_s", "stop_s", "kb"))
            lines.append(
                f"  {name:<16} {count:>5}: start {_shown(start)}, stop {_shown(stop)}, {_shown(memory, 'KiB each')}"
            )
    return ["components in one process under the peers:", *lines]


def table(runs: int) -> str:
    """Write everything that could be run, and name what could not."""
    if not FOLDER:
        return "peers: not run (IGNRUN_PEER_BENCH names the folder of their runners)"
    lines = [*commands(500, runs), *parts(runs)]
    lines.append("Terraform: " + ("see bench_c" if shutil.which("terraform") else "not installed, not run"))
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
