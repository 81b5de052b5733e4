"""Owns Wanted, one call or stream as a dependent asks for it."""

from typing import Any, NamedTuple


class Wanted(NamedTuple):
    """Which method of which provider, and with what."""

    provider: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
