"""Installs the YAML language server, and the SARIF schema, that the editor tests use: `python -m tests.editor.install`."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT

HERE = Path(__file__).parent
FOLDER = ROOT / ".cache" / "editor"
MODULES = FOLDER / "node_modules"
MISSING = "npm is missing: editors and SARIF are NOT tested; install Node.js 20 or newer"


def must_be_there() -> bool:
    """In CI a missing npm is a failure: what is skipped there is tested nowhere."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def install() -> Path:
    """Install what the lock file names, once for each state of it; raises FileNotFoundError without npm, CalledProcessError."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come at once
        done, wanted = FOLDER / "installed.json", (HERE / "package-lock.json").read_text(encoding="utf-8")
        if done.exists() and done.read_text(encoding="utf-8") == wanted:
            return MODULES
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError(MISSING)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, FOLDER / name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=FOLDER, check=True, stdin=subprocess.DEVNULL, timeout=600)
        done.write_text(wanted, encoding="utf-8")
    return MODULES


def main() -> int:
    try:
        install()
    except FileNotFoundError:
        sys.stderr.write(f"\n    {MISSING}\n\n")
        return int(must_be_there())
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"npm ended with {error.returncode}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
