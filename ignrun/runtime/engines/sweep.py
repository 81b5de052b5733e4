"""Owns the end of what a dead runner left behind: processes with the plant's marker, ended before anything new is started."""

import os
import signal
import time
from typing import Final

from ignrun.protocol import kin
from ignrun.protocol.kin import Identity, Table

GUARDIAN_TIME: Final = 12.0
"""Seconds that a guardian still at work is given: longer than the longest grace that it gives others."""

_PATIENCE: Final = 5.0
_ROUND: Final = 0.25


def sweep(token: str, grace: float = 2.0) -> tuple[str, ...]:
    """End every process of this user with the plant's marker and return their markers (without the token).

    The caller holds the plant's lock, so whoever carries the marker was left by a dead runner; this process and its ancestors are
    spared. A guardian still at work is given its time. Blocks: call it before the loop runs, in a process that is threadless.
    """
    table, left = _left(token)
    if not left:
        return ()
    found = tuple(sorted({table[one.pid].marker.partition("/")[2] for one in left if table[one.pid].marker}))
    if not _leaves_by_itself(token, table, left):
        for identity in left:
            kin.ask(identity, signal.SIGTERM)
        _await_end(token, grace)
    kin.kill_until_gone(lambda: _left(token)[1], _PATIENCE)
    return found


def _left(token: str) -> tuple[Table, frozenset[Identity]]:
    table = kin.process_table()
    spared = {*kin.ancestors(table, os.getpid())}
    strangers = {pid: process for pid, process in table.items() if pid not in spared}
    below = kin.kin_of(table, [table[os.getpid()].identity])
    return table, kin.kin_of(strangers, (), kin.of_plant(token)) - below


def _leaves_by_itself(token: str, table: Table, left: frozenset[Identity]) -> bool:
    """Wait for the guardian, if there is one, to do its work; tells whether there was one."""
    if not any(table[one.pid].name == kin.TEMPLATE_NAME for one in left):
        return False
    _await_end(token, GUARDIAN_TIME)
    return True


def _await_end(token: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (remaining := deadline - time.monotonic()) > 0 and (left := _left(token)[1]):
        kin.await_any([min(left)], min(remaining, _ROUND))
