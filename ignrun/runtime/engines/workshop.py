"""Owns what all commands of a plant share: where they are heard, what they inherit, their places, who is left of them."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec

from ignrun.protocol import kin
from ignrun.protocol.kin import Identity, Table
from ignrun.protocol.template import Guard
from ignrun.runtime.engines.accounts import Account
from ignrun.runtime.engines.children import Children
from ignrun.runtime.engines.environment import child_environment
from ignrun.runtime.engines.groups import Groups
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.engines.output import Mask, OnLines, Teller
from ignrun.runtime.engines.places import make_guest_folder, remove_run_folder
from ignrun.runtime.engines.written import Written
from ignrun.runtime.supervise.messages import Message

_READINGS: Final = 20

A = TypeVar("A")
R = TypeVar("R")


class Guardian(Protocol):
    """Who ends commands when the runner is gone, and knows whose the runner's children are."""

    @property
    def children(self) -> Children:
        """The runner as a parent."""

    @property
    def soft_limit(self) -> int:
        """Open descriptors that a child may have."""

    @property
    def groups(self) -> Groups:
        """The control groups of the plant."""

    def guard(self, ward: Guard) -> None:
        """Take a process under guard."""

    def release(self, identity: Identity) -> None:
        """Forget it."""


class Workshop(msgspec.Struct):
    """The shared things.

    `table` is the process table as read in this turn of the loop, `alone` says that there are no orphans in it, `scribe` the thread that writes their files, `guests` the folder for
    those that run as somebody else.
    """

    python: str
    run_dir: Path
    token: str
    guardian: Guardian
    hear: Callable[[Message], None]
    on_lines: OnLines
    mask: Mask
    table: Table | None = None
    alone: bool = False
    scribe: ThreadPoolExecutor | None = None
    guests: Path | None = None
    teller: Teller = msgspec.field(default_factory=Teller)
    written: Written = msgspec.field(default_factory=Written)

    @property
    def children(self) -> Children:
        """The runner as a parent."""
        return self.guardian.children

    @property
    def soft_limit(self) -> int:
        """Open descriptors that a command may have."""
        return self.guardian.soft_limit

    def guard(self, ward: Guard) -> None:
        """Have a process ended when the runner is gone."""
        self.guardian.guard(ward)

    def release(self, identity: Identity) -> None:
        """It is gone."""
        self.guardian.release(identity)

    def environment(self, launch: CommandLaunch, account: Account | None = None) -> dict[str, str]:
        """Give what a command inherits, or one of somebody else's account."""
        names = launch.inherit_env
        inherited = child_environment(os.environ, launch.python or self.python, names)
        if account is None or account.is_own:
            return inherited
        own = account.environment | {name: inherited[name] for name in names if name in inherited}
        inherited.pop("TMPDIR", None)
        return inherited | own

    def tell(self, source: str, address: str, notes: tuple[str, ...]) -> None:
        """Write notes into the log, each once."""
        self.teller.tell(self.on_lines, source, address, notes)

    def place(self, launch: CommandLaunch, kind: str, account: Account | None = None) -> Path:
        """Give a file of its own in the run-time folder, its path short enough for a socket; raises OSError."""
        name = hashlib.sha256(f"{launch.address}/{launch.epoch}".encode()).hexdigest()[:12]
        if account is None or account.is_own:
            return self.run_dir / f"{name}.{kind}"
        if self.guests is None:
            self.guests = make_guest_folder(self.token)
        return self.guests / f"{name}.{kind}"

    async def off_loop(self, call: Callable[[A], R], argument: A) -> R:
        """Run a call beside the loop, one after another in the order in which they were asked for."""
        if self.scribe is None:
            self.scribe = ThreadPoolExecutor(1, "files")
        return await asyncio.get_running_loop().run_in_executor(self.scribe, call, argument)

    def close(self) -> None:
        """Nothing is written any more."""
        if self.scribe:
            self.scribe.shutdown(wait=False, cancel_futures=True)
        if self.guests:
            remove_run_folder(self.guests)

    @property
    def groups(self) -> Groups:
        """The control groups of the plant."""
        return self.guardian.groups

    def left_of(self, marker: str, leader: int, group: str) -> frozenset[Identity]:
        """Find what a command whose process has ended (and holds its pid) left behind: who is in its group, and all its kin."""
        known = (kin.identity_of(pid) for pid in self.groups.members(group))
        return frozenset(one for one in known if one) | self._kin_of(marker, leader)

    def _kin_of(self, marker: str, leader: int) -> frozenset[Identity]:
        """Find the living kin of a command.

        All of it descends from orphans that this process adopted: where there are none, nothing needs to be looked for. An orphan
        that the table does not show came after it was read; then it is read again.
        """
        for _ in range(_READINGS):
            if not self._are_there_orphans():
                return frozenset()
            table = self._table_of_this_turn()
            found = kin.kin_of(table, (), marker.__eq__, held=[leader])
            if found or all(pid in table for pid in self.children.orphans()):
                return found
            self.table = None
        return frozenset()

    def _are_there_orphans(self) -> bool:
        """Tell whether there is anybody to be asked whose he is; those of a turn of the loop that ended all did so before it."""
        if not self.alone and not self.children.orphans():
            self.alone = True
            asyncio.get_running_loop().call_soon(self._look_again)
        return not self.alone

    def _look_again(self) -> None:
        self.alone = False

    def _table_of_this_turn(self) -> Table:
        if self.table is None:
            self.table = kin.process_table()
            asyncio.get_running_loop().call_soon(self._forget_table)
        return self.table

    def _forget_table(self) -> None:
        self.table = None
