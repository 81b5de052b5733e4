"""Owns where the control group of a plant lies (cgroup v2 of Linux), and how everybody in it is killed at once.

Who is born in a group stays in it, whatever he does about his session, his parents and his environment.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_SYSTEMD: Final = "/run/systemd/system"
_DELEGATED: Final = ("trusted.delegate", "user.delegate")


def plant_group(token: str) -> Path | None:
    """Say where the group of a plant lies, or would: below the one that the runner is in; None where none can be made there.

    Who asks is the runner, or one of the plant's own. Under systemd only groups that it has handed over are touched (`Delegate=yes`).
    """
    mount, own = _mount(), _own()
    if not mount or not own:
        return None
    base = f"{mount}{own.partition(f'/ignrun-{token}')[0]}".rstrip("/")
    if not os.access(base, os.W_OK) or not os.path.exists(f"{base}/cgroup.procs"):  # noqa: PTH110 - no path of anybody's
        return None
    if os.path.isdir(_SYSTEMD) and not _is_delegated(base):  # noqa: PTH112 - no path of anybody's
        return None
    return Path(base, f"ignrun-{token}")


def is_in_group(token: str) -> bool:
    """Tell whether this process is in the group of a plant itself."""
    return f"/ignrun-{token}" in _own()


def _mount() -> str:
    with suppress(OSError), open("/proc/self/mounts") as lines:  # noqa: PTH123 - not a file of anybody's
        for line in lines:
            fields = line.split()
            if fields[2] == "cgroup2":
                return fields[1]
    return ""


def _own() -> str:
    with suppress(OSError), open("/proc/self/cgroup") as lines:  # noqa: PTH123 - not a file of anybody's
        for line in lines:
            if line.startswith("0::"):
                return line[3:].strip()
    return ""


def _is_delegated(base: str) -> bool:
    for name in _DELEGATED:
        with suppress(OSError):
            if os.getxattr(base, name) == b"1":
                return True
    return False


def kill_group(folder: Path) -> None:
    """Kill everybody in a group and in those below it; nothing happens where there is none."""
    with suppress(OSError), (folder / "cgroup.kill").open("w") as switch:
        switch.write("1")


def is_empty(folder: Path) -> bool:
    """Tell whether nobody is in a group or below it."""
    try:
        return "populated 0" in (folder / "cgroup.events").read_text()
    except OSError:
        return True
