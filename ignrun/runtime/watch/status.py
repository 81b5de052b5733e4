"""Owns WatchStatus, what a watcher says of itself, in its public form."""

from datetime import datetime
from typing import Final

import msgspec


class WatchOutcome(msgspec.Struct, frozen=True):
    """What was made of the last settled edit: `result` as an apply has it, `invalid` where the set was refused as a whole."""

    result: str
    summary: str
    at: datetime
    digest: str
    files: tuple[str, ...] = ()


class WatchStatus(msgspec.Struct, frozen=True):
    """A watcher now.

    `state` is `watching`, `paused`, `suspended` or `off`; `backend` `inotify` or `polling`, with the reason for polling. `digest` is that of
    the input set as it was seen last; `holds` says what is held back, and why, one sentence each.
    """

    state: str
    backend: str
    reason: str = ""
    folders: tuple[str, ...] = ()
    files: int = 0
    code: bool = False
    last_event: datetime | None = None
    digest: str = ""
    outcome: WatchOutcome | None = None
    holds: tuple[str, ...] = ()


OFF: Final = WatchStatus("off", "")
"""The status where nobody watches."""
