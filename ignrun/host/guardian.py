"""Owns the end of a plant whose runner is gone: gives everybody their grace, then kills them and whatever they started."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from ignrun.protocol import kin
from ignrun.protocol.kin import Identity

LONGEST_GRACE: Final = 10.0
"""Seconds that nobody's grace exceeds."""

PATIENCE: Final = 10.0
"""Seconds for which the killing goes on; who is left then cannot be killed by anyone."""

_ROUND: Final = 0.25


class Ward(msgspec.Struct, frozen=True):
    """One process whose end the guardian sees to: how it is asked, and how many seconds later it is killed.

    `marker` is what its descendants carry. A `stop_signal` of 0 asks nothing: it notices by itself.
    """

    identity: Identity
    marker: str
    stop_signal: int
    grace: float


class _Due(msgspec.Struct):
    """Wards that are to be killed at the same time (monotonic), and everybody ever seen to belong to them."""

    at: float
    markers: frozenset[str]
    known: set[Identity]


def end_plant(wards: Iterable[Ward], is_ours: Callable[[str], bool], *, hurried: bool) -> None:
    """End the wards and everything whose marker is ours; returns when nobody is left, or nobody who can be killed."""
    wards = tuple(wards)
    if not hurried:
        _give_grace(wards)
    kin.kill_until_gone(lambda: _everybody({ward.identity for ward in wards}, is_ours), PATIENCE)


def _give_grace(wards: tuple[Ward, ...]) -> None:
    dues = _dues(wards)
    for ward in wards:
        _ask(ward)
    while dues:
        now = time.monotonic()
        table = kin.process_table()
        alive = {identity for due in dues for identity in _track(due, table)}
        if not alive:
            return
        for due in [due for due in dues if due.at <= now]:
            _kill(due)
            dues.remove(due)
        if dues:
            kin.await_any(sorted(alive)[:1], max(0.0, min(_ROUND, dues[0].at - now)))


def _dues(wards: tuple[Ward, ...]) -> list[_Due]:
    now = time.monotonic()
    by_grace: dict[float, list[Ward]] = {}
    for ward in wards:
        by_grace.setdefault(min(ward.grace, LONGEST_GRACE), []).append(ward)
    return [
        _Due(now + grace, frozenset(one.marker for one in some), {one.identity for one in some})
        for grace, some in sorted(by_grace.items())
    ]


def _ask(ward: Ward) -> None:
    """Send the stop signal to the whole group: safe while its leader is there, which holds the number."""
    if ward.stop_signal and kin.send(ward.identity, 0):
        for number in (ward.stop_signal, signal.SIGCONT):
            _signal_group(ward.identity.pid, number)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except OSError:
        return


def _track(due: _Due, table: kin.Table) -> frozenset[Identity]:
    alive = kin.kin_of(table, due.known, due.markers.__contains__)
    due.known |= alive
    return alive


def _kill(due: _Due) -> None:
    for identity in due.known:
        kin.send(identity, signal.SIGKILL)


def _everybody(known: set[Identity], is_ours: Callable[[str], bool]) -> frozenset[Identity]:
    """Find all that is left of the plant, adopted orphans included, and remember them; never this process or who started it."""
    me = os.getpid()
    table = kin.process_table()
    spared = {*kin.ancestors(table, me)}
    known |= {table[pid].identity for pid in kin.children_of(me) if pid in table}
    strangers = {pid: process for pid, process in table.items() if pid not in spared}
    found = kin.kin_of(strangers, known, is_ours)
    known |= found
    return found
