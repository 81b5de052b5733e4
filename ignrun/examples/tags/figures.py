"""Turns the state of this machine into readings of tags."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import psutil

Reading = dict[str, Any]
"""One value of one tag: `tag`, `value` (a number, None where it cannot be had), `quality` (`good` or `bad`), `at` (ISO 8601, UTC)."""


def _cpu(_disk: str) -> Mapping[str, float]:
    return {"cpu/percent": psutil.cpu_percent(interval=None), "cpu/load": round(psutil.getloadavg()[0], 2)}


def _memory(_disk: str) -> Mapping[str, float]:
    memory = psutil.virtual_memory()
    return {"memory/percent": memory.percent, "memory/available": memory.available}


def _disk(disk: str) -> Mapping[str, float]:
    usage = psutil.disk_usage(disk)
    return {"disk/percent": usage.percent, "disk/free": usage.free}


def _network(_disk: str) -> Mapping[str, float]:
    interfaces = psutil.net_io_counters(pernic=True).values()
    return {
        "network/sent": sum(one.bytes_sent for one in interfaces),
        "network/received": sum(one.bytes_recv for one in interfaces),
    }


_GROUPS: Final[dict[str, tuple[tuple[str, ...], Callable[[str], Mapping[str, float]]]]] = {
    "cpu": (("cpu/percent", "cpu/load"), _cpu),
    "memory": (("memory/percent", "memory/available"), _memory),
    "disk": (("disk/percent", "disk/free"), _disk),
    "network": (("network/sent", "network/received"), _network),
}

GROUPS: Final = tuple(_GROUPS)
"""Names of the groups of tags, as config spells them."""


def read_figures(groups: Iterable[str], disk: str) -> list[Reading]:
    """Read every tag of `groups`; `disk` is a path on the file system whose space counts. A group that cannot be read is of bad quality."""
    return [reading for group in groups for reading in _read_group(group, disk)]


def changed(old: Mapping[str, Reading], new: Iterable[Reading]) -> list[Reading]:
    """Give the readings whose value or quality differs from the one in `old`, which is keyed by tag."""
    return [reading for reading in new if _meaning(old.get(reading["tag"])) != _meaning(reading)]


def _read_group(group: str, disk: str) -> list[Reading]:
    tags, read = _GROUPS[group]
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    try:
        values = read(disk)
    except (OSError, psutil.Error):
        return [{"tag": tag, "value": None, "quality": "bad", "at": at} for tag in tags]
    return [{"tag": tag, "value": value, "quality": "good", "at": at} for tag, value in values.items()]


def _meaning(reading: Reading | None) -> tuple[Any, ...] | None:
    return (reading["value"], reading["quality"]) if reading else None
