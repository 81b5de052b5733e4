"""Owns the few styles of the output, and how a text gets one."""

from collections.abc import Callable
from typing import Final

Paint = Callable[[str, str], str]
"""Takes a style's name and a text, gives the text in that style."""

_CODES: Final = {
    "good": "32",
    "warn": "33",
    "bad": "31",
    "dim": "2",
    "strong": "1",
    "new": "32",
    "change": "36",
    "gone": "31",
}


def plain(style: str, text: str) -> str:  # noqa: ARG001 - the other kind of paint needs it
    """Leave the text as it is."""
    return text


def coloured(style: str, text: str) -> str:
    """Put a terminal's colour codes round the text."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and text else text


def style_of_health(health: str) -> str:
    """Say in which style a health is shown."""
    return {"healthy": "good", "degraded": "warn", "unhealthy": "bad"}.get(health, "dim")


def style_of_state(state: str) -> str:
    """Say in which style a state is shown."""
    return {"running": "good", "error": "bad", "stopped": "dim", "uninitialized": "dim"}.get(state, "warn")
