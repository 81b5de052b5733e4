"""Owns Plant, the real command line at work on manifests in a folder of its own, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

Status = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """How one command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


def until(condition: Callable[[], Any], seconds: float = 30, what: Callable[[], object] = lambda: "") -> Any:
    """Poll until `condition` gives something true, and give that; fails with `what` at the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what()}")
        time.sleep(0.05)
    return found


@dataclass
class Plant:
    """A folder with manifests, an environment that marks every process of it, and all that was ever said."""

    folder: Path
    manifest: Path
    environment: dict[str, str]
    heard: list[Done] = field(default_factory=list)

    def write(self, text: str, name: str | None = None) -> None:
        (self.folder / name if name else self.manifest).write_text(text)

    def ignrun(self, *args: str, code: int | None = 0, seconds: float = 60, **popen: Any) -> Done:
        """Run one command in the folder; it must end with `code` (None: any), and nothing but data may show a traceback."""
        command = [sys.executable, "-m", "ignrun", *args]
        output: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, cwd=self.folder, env=self.environment, text=True, **output, **popen) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        done = Done(process.returncode, out, err)
        self.heard.append(done)
        spoken = done.err if "json" in args or args[0] == "logs" else done.said
        assert "Traceback" not in spoken, spoken[-4000:]
        assert code is None or done.code == code, f"{args} ended with {done.code}, not {code}:\n{done.said}"
        return done

    # --- looking ------------------------------------------------------------------------------------------------------

    def aim(self) -> tuple[str, str]:
        return "-m", str(self.manifest)

    def status(self) -> Status:
        found: Status = json.loads(self.ignrun("status", *self.aim(), "-o", "json", code=None).out or "{}")
        return found

    def instances(self) -> dict[str, Status]:
        return {one["address"]: one for one in self.status().get("instances", ())}

    def wait_for(self, condition: Callable[[dict[str, Status]], Any], seconds: float = 30) -> dict[str, Status]:
        """Poll the status until `condition` holds of the instances, and give them."""
        seen: dict[str, Status] = {}

        def holds() -> bool:
            seen.clear()
            seen.update(self.instances())
            return bool(condition(seen))

        until(holds, seconds, lambda: {key: (one["state"], one["health"], one["cause"]) for key, one in seen.items()})
        return seen

    def state_folder(self) -> Path:
        return Path(self.status()["plant"]["state_dir"])

    def moves(self) -> list[tuple[str, str]]:
        """Every move of an instance in the journal's order, as (address, state)."""
        lines = self.ignrun("events", *self.aim(), "--lines", "1000000", "-o", "json").out
        events = (
            json.loads(lines) if lines.lstrip().startswith("[") else [json.loads(line) for line in lines.splitlines()]
        )
        return [(one["subject"], one["body"]["to"]) for one in events if one["body"]["type"] == "moved"]

    def processes(self) -> dict[int, str]:
        """Every living process of the plant: those that carry its mark, and their descendants."""
        mark = f"TMPDIR={self.environment['TMPDIR']}".encode()
        found: dict[int, str] = {}
        for process in psutil.process_iter():
            try:
                marked = mark in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
                if marked and process.status() != psutil.STATUS_ZOMBIE:
                    family = [process, *process.children(recursive=True)]
                    found |= {one.pid: " ".join(one.cmdline()) for one in family}
            except (OSError, psutil.Error):
                continue
        return found

    # --- ending -------------------------------------------------------------------------------------------------------

    def nothing_left(self, seconds: float = 20) -> None:
        """Wait until no process of the plant is alive."""
        until(lambda: not self.processes(), seconds, self.processes)

    def clean_up(self) -> None:
        """Take the plant down, by force where it does not go at once, also when the test's own time is over."""
        try:
            self.ignrun("down", *self.aim(), code=None, seconds=10)
        except (subprocess.TimeoutExpired, AssertionError):
            pass
        finally:
            for pid in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue


def identity(instance: Status) -> tuple[object, ...]:
    """What stays as it is when nobody touches an instance."""
    return instance["pid"], instance["host"], instance["since"], instance["statistics"]["restart_count"]


def settled(instances: dict[str, Status]) -> bool:
    """Say whether everything arrived: running or completed, and healthy."""
    return bool(instances) and all(
        one["health"] == "healthy" and (one["state"] == "running" or one["completed"]) for one in instances.values()
    )


@contextmanager
def new_plant(folder: Path, **environment: str) -> Iterator[Plant]:
    """Give a plant in `folder`; whatever happens, nothing of it is left running."""
    with tempfile.TemporaryDirectory(prefix="ign-", ignore_cleanup_errors=True) as short:
        run = Path(short, "run")
        run.mkdir(mode=0o700)
        own = {
            "TMPDIR": short,
            "XDG_RUNTIME_DIR": str(run),
            "HOME": short,
            "NO_COLOR": "1",
            "PYTHONWARNINGS": "default",
        }
        inherited = {
            name: os.environ[name] for name in ("PATH", "LANG", "TZ", "COVERAGE_PROCESS_START") if name in os.environ
        }
        plant = Plant(folder, folder / "ignrun.yaml", {**inherited, **own, **environment})
        try:
            yield plant
        finally:
            plant.clean_up()
