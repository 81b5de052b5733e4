"""Owns PlantUnderTest, a whole plant as a test sees it: applied by the real command line, with real processes, in folders of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 60.0
"""Seconds that one command may take."""

_PAUSE: Final = 0.05


class PlantFailed(AssertionError):  # noqa: N818 - says what happened to the plant
    """A command about the plant did not end as it should; the text is what it said."""


class PlantUnderTest:
    """One plant; `manifest` is its manifest, `state_dir` where it keeps what it remembers. Ended by `down`."""

    def __init__(
        self, manifest: Path, state_dir: Path, options: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Take the manifest and what `apply` is told with it; `environment` is added to that of the test."""
        self.manifest = manifest
        self.state_dir = state_dir
        self._options = tuple(options)
        self._short = tempfile.TemporaryDirectory(prefix="ign-", ignore_cleanup_errors=True)
        run = Path(self._short.name, "run")
        run.mkdir(mode=0o700)
        self._environment = {**os.environ, "NO_COLOR": "1", **(environment or {}), "XDG_RUNTIME_DIR": str(run)}

    def ignrun(self, *args: str, code: int | None = 0) -> str:
        """Run `ignrun ARGS` about this plant and give what it says; raises PlantFailed when it ends with another code (None: any)."""
        command = [sys.executable, "-m", "ignrun", *args, "--state-dir", str(self.state_dir)]
        done = subprocess.run(
            command,
            cwd=self.manifest.parent,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if code is not None and done.returncode != code:
            message = f"`ignrun {' '.join(args)}` ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
            raise PlantFailed(message)
        return done.stdout

    def apply(self, *options: str, code: int = 0) -> dict[str, Any]:
        """Converge the plant to its manifest as it is now; gives the outcome as `ignrun apply -o json` prints it."""
        given = ("apply", str(self.manifest), "-d", "-y", "-o", "json", *self._options, *options)
        outcome: dict[str, Any] = json.loads(self.ignrun(*given, code=code) or "{}")
        return outcome

    @property
    def instances(self) -> dict[str, dict[str, Any]]:
        """Every instance by its short name (`tags`, or `tags@designer` outside gateway scope), as `ignrun status -o json` tells."""
        report = json.loads(self.ignrun("status", "-o", "json", code=None) or "{}")
        return {one["address"].removesuffix("@gateway"): one for one in report.get("instances", ())}

    def wait_for(
        self, holds: Callable[[dict[str, dict[str, Any]]], object], seconds: float = 30.0
    ) -> dict[str, dict[str, Any]]:
        """Look at the instances again and again until `holds` is true of them, and give them; raises PlantFailed after so many seconds."""
        deadline = time.monotonic() + seconds
        while not holds(found := self.instances):
            if time.monotonic() > deadline:
                seen = {name: (one["state"], one["health"], one["cause"]) for name, one in found.items()}
                message = f"it did not come to that within {seconds:g} s: {seen}"
                raise PlantFailed(message)
            time.sleep(_PAUSE)
        return found

    def events(self) -> list[dict[str, Any]]:
        """Everything that has happened, oldest first, as `ignrun events -o json` tells."""
        text = self.ignrun("events", "--lines", "1000000", "-o", "json")
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def logs(self, *modules: str) -> str:
        """What the modules logged and the commands wrote, as `ignrun logs` prints it."""
        return self.ignrun("logs", *modules)

    def down(self) -> None:
        """Take the plant down; nothing of it runs afterwards."""
        try:
            with suppress(subprocess.TimeoutExpired):
                self.ignrun("down", code=None)
        finally:
            self._short.cleanup()
