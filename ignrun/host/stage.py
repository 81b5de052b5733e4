"""Owns Stage, what incarnations play on: a host, or the test kit."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from ignrun.host.deadlines import Deadlines
from ignrun.host.masking import Masker
from ignrun.protocol.orders import Assignment
from ignrun.protocol.reports import Move, Prepared, Revised
from ignrun.sdk.health import HealthResult
from ignrun.sdk.peer import Peer
from ignrun.sdk.timing import ModuleClock
from ignrun.terms.fault import Fault

if TYPE_CHECKING:
    from ignrun.host.incarnation import Incarnation


class Stage(Protocol):
    """What incarnations play on: a host, or the test kit."""

    masker: Masker
    pool: ThreadPoolExecutor
    deadlines: Deadlines

    @property
    def clock(self) -> ModuleClock:
        """Time."""

    def moved(self, incarnation: "Incarnation", move: Move) -> None:
        """Hear of a move that has just happened."""

    def checked(self, incarnation: "Incarnation", result: HealthResult) -> None:
        """Hear of a check that has ended."""

    def exported(self, incarnation: "Incarnation") -> None:
        """Hear that a running incarnation published something new."""

    def unfinished(self, incarnation: "Incarnation", names: tuple[str, ...]) -> None:
        """Hear what an incarnation left behind."""

    def measures(self, incarnation: "Incarnation") -> None:
        """Hear that an incarnation keeps metrics; may be told from a thread."""

    def run_ended(self, incarnation: "Incarnation", fault: Fault | None) -> None:
        """Hear that the main loop came to its end, well (None) or not."""

    def exports_of(self, address: str) -> Mapping[str, Any]:
        """Give what a provider exports."""

    def reassigned(self, incarnation: "Incarnation", assignment: Assignment) -> None:
        """Take up what a running incarnation is bound to from now on, and its config."""

    def answered(self, incarnation: "Incarnation", answer: Prepared | Revised) -> None:
        """Hear what became of a change in place; one that was broken off fails the incarnation."""

    async def request(self, incarnation: "Incarnation", path: str, value: Any) -> None:
        """Ask for another value of its config, and wait until it is in effect; raises Refused."""

    def gave_up(self, incarnation: "Incarnation", fault: Fault) -> None:
        """Hear that a callback goes on although it was cancelled, and is not waited for any more."""

    def peers(self, incarnation: "Incarnation", slot: str) -> Peer | tuple[Peer, ...]:
        """Give what is bound to a slot."""

    def tasks_of(self, address: str) -> list["asyncio.Task[Any]"]:
        """Give the tasks that the code of an instance has made and that are not done."""

    def threads_of(self, address: str) -> list[threading.Thread]:
        """Give the threads that the code of an instance has started and that still run."""
