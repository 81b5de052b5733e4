"""Turns the written forms of durations and sizes (`1h30m`, `64MiB`) into float seconds and int bytes, and back."""

import re
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+\Z", re.ASCII)
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?\Z", re.ASCII)
_SIZES: Final = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip


def parse_duration(text: str | float) -> float:
    """Turn `500ms`, `2s`, `1h30m` or a plain number of seconds into float seconds; raises ValueError."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _not_negative(float(text))
    if not isinstance(text, str) or not _DURATION.match(text):
        message = f"`{text}` is not a duration"
        raise ValueError(message)
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text))


def _not_negative(seconds: float) -> float:
    if not 0 <= seconds < float("inf"):
        message = f"`{seconds}` is not a duration"
        raise ValueError(message)
    return seconds


def parse_size(text: str | float) -> int:
    """Turn `64MiB`, `10 kB` or a plain number of bytes into int bytes; raises ValueError."""
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return text
    found = _SIZE.match(text) if isinstance(text, str) else None
    if not found:
        message = f"`{text}` is not a size"
        raise ValueError(message)
    return int(float(found[1]) * _SIZES[found[2] or "B"])


def show_duration(seconds: float) -> str:
    """Write seconds the short way people do: `0.5` -> `500ms`, `90` -> `1m30s`, `2.5` -> `2.5s`."""
    if round(seconds, 3) < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3g}s"
    parts, rest = [], round(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


def show_size(size: float) -> str:
    """Write bytes the short way people do: `512` -> `512 B`, `1536` -> `1.5 KiB`, `419430400` -> `400 MiB`."""
    unit = "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024:  # noqa: PLR2004 - a step of these units
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.3g} {unit}"  # noqa: PLR2004 - three digits
