"""Owns which children of the runner are whose: orphans of commands and hosts are adopted, found and waited for here."""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Final

from ignrun.protocol import kin

_SOON: Final = 0.05


class Children:
    """The runner as the parent of everybody: takes SIGCHLD on the running loop, which must be the main thread's."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._owned: set[int] = set()
        self._spared: set[kin.Identity | None] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._planned: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Adopt orphans from now on, those children spared that there are already; raises OSError where that is not to be had."""
        if self._loop:
            return
        self._spared = {kin.identity_of(pid) for pid in kin.children_of(os.getpid())}
        kin.adopt_orphans()
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGCHLD, self._plan)

    def stop(self) -> None:
        """Leave SIGCHLD and orphans alone again."""
        if self._planned:
            self._planned.cancel()
        if self._loop:
            self._loop.remove_signal_handler(signal.SIGCHLD)
            kin.adopt_orphans(wanted=False)
        self._loop = None

    def own(self, pid: int) -> None:
        """Somebody here waits for this child."""
        self._owned.add(pid)

    def disown(self, pid: int) -> None:
        """It has been waited for."""
        self._owned.discard(pid)

    def orphans(self) -> tuple[int, ...]:
        """Name the adopted children that live; those that have ended are waited for on the way.

        Children of the runner's own session are somebody else's: whatever hosts and commands start is in sessions of theirs.
        """
        mine = os.getsid(0)
        strangers = (pid for pid in kin.adopted_by(os.getpid()) if pid not in self._owned)
        adopted = (pid for pid in strangers if _session(pid) not in (mine, None))
        return tuple(pid for pid in adopted if kin.identity_of(pid) not in self._spared and not _reaped(pid))

    def _plan(self) -> None:
        if self._loop and not self._planned:
            self._planned = self._loop.call_later(_SOON, self._reap)

    def _reap(self) -> None:
        self._planned = None
        self.orphans()


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _reaped(pid: int) -> bool:
    with suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG) is not None
    return True
