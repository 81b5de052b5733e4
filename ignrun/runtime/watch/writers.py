"""Turns processes into how much each of them has written, where the system counts it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_FIELD: Final = "wchar:"


def written(pids: Iterable[int]) -> dict[int, int]:
    """Give the bytes that each process has written since its start; a process that cannot be asked is left out."""
    return {pid: count for pid in pids if (count := _written_by(pid)) is not None}


def _written_by(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/io").read_text(encoding="ascii")
    except OSError:
        return None
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(_FIELD)), None)
