"""Asks a running incarnation for its health: at once, then at intervals, never two checks at a time."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from ignrun.host.faults import one_line, shortened
from ignrun.host.importing import implements
from ignrun.host.steps import Marked
from ignrun.sdk.health import HealthResult, read_answer, unhealthy, worst_of
from ignrun.sdk.marks import health_checks
from ignrun.sdk.module import AbstractIgnitionModule
from ignrun.sdk.surroundings import logger_of
from ignrun.terms.duration import show_duration
from ignrun.terms.states import Health

if TYPE_CHECKING:
    from ignrun.host.incarnation import Incarnation


def has_checks(kind: type[AbstractIgnitionModule]) -> bool:
    """Tell whether a class has any check; whoever has none is healthy once and for all."""
    known = _HAS_CHECKS.get(kind)
    if known is None:
        known = _HAS_CHECKS[kind] = implements(kind, "check_health") or bool(health_checks(kind))
    return known


_HAS_CHECKS: Final[dict[type, bool]] = {}


def _usual(incarnation: "Incarnation") -> dict[str, float]:
    """Give how many seconds lie between two answers of each check of an incarnation (0: it is asked once)."""
    usual = incarnation.assignment.timeouts.health_interval
    found = {name: interval or usual for name, interval in health_checks(incarnation.kind)}
    return {"check_health": usual, **found} if implements(incarnation.kind, "check_health") else found


class Checks:
    """The checks of one incarnation; the worst of their last answers is its health."""

    __slots__ = ("_asking", "_due", "_incarnation", "_intervals", "_results", "_task", "_timer", "_usual")

    def __init__(self, incarnation: "Incarnation") -> None:
        self._incarnation = incarnation
        self._intervals = self._usual = _usual(incarnation)
        self._due = dict.fromkeys(self._usual, 0.0)
        self._results: dict[str, HealthResult] = {}
        self._asking: tuple[str, asyncio.Task[Any]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Check for the first time."""
        self._launch()

    def pace(self, seconds: float) -> None:
        """Ask every so many seconds from now on (0: as usual), the first time at once."""
        self._intervals = dict.fromkeys(self._usual, seconds) if seconds else self._usual
        if self._incarnation.stopping:
            return
        self._due = dict.fromkeys(self._usual, 0.0)
        if self._timer is not None:
            self._timer.cancel()
        if self._task is None or self._task.done():
            self._launch()

    def retime(self) -> None:
        """Ask as often as the policy says now, the first time at once."""
        self._usual = _usual(self._incarnation)
        self.pace(0.0)

    async def end(self) -> None:
        """Ask no more, and wait a moment for the check under way."""
        if self._timer is not None:
            self._timer.cancel()
        asked = self._asking[1] if self._asking is not None else None
        running = [task for task in (self._task, asked) if task is not None and not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=1.0)

    async def ask(self) -> HealthResult:
        """Ask every check now, and tell the worst answer."""
        for name in self._intervals:
            self._results[name] = await self._answer(name)
        result = worst_of(self._results.values())
        self._tell(result)
        return result

    def _launch(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.Task(self._round(), loop=loop, name=f"{self._incarnation.address} health")

    async def _round(self) -> None:
        loop = asyncio.get_running_loop()
        for name in [name for name, due in self._due.items() if due <= loop.time()]:
            self._results[name] = await self._answer(name)
            self._due[name] = loop.time() + self._intervals[name]
        self._tell(worst_of(self._results.values()))
        again = [due for name, due in self._due.items() if self._intervals[name] > 0]
        if again and not self._incarnation.stopping:
            self._timer = loop.call_at(min(again), self._launch)

    async def _answer(self, name: str) -> HealthResult:
        async with self._incarnation.turn:
            return await self._answer_in_turn(name)

    async def _answer_in_turn(self, name: str) -> HealthResult:
        seconds = self._incarnation.assignment.timeouts.health
        if hanging := await self.hanging():
            return unhealthy(f"`{hanging}` still does not answer")
        task = self._asked(name)
        self._asking = (name, task)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if done:
            self._asking = None
            return self._read(name, task)
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
        return unhealthy(f"`{name}` did not answer within {show_duration(seconds)}")

    def asked_in(self, task: "asyncio.Task[Any] | None") -> str:
        """Name the check that is asked in this task; empty where it is none."""
        return self._asking[0] if self._asking is not None and self._asking[1] is task else ""

    async def hanging(self) -> str:
        """Give an earlier callback its time to end; names it when it does not, for no two may run at a time."""
        reviser, seconds = self._incarnation.reviser, self._incarnation.assignment.timeouts.health
        if reviser is not None and reviser.overdue:
            return reviser.overdue
        if self._asking is None:
            return ""
        name, task = self._asking
        if not task.done():
            await asyncio.wait({task}, timeout=seconds)
        if not task.done() or not await self._incarnation.caller.thread_ended(seconds):
            return name
        self._asking = None
        return ""

    def _asked(self, name: str) -> "asyncio.Task[Any]":
        incarnation = self._incarnation
        work = Marked(self._caught(name), incarnation.address)
        return asyncio.Task(work, loop=asyncio.get_running_loop(), name=f"{incarnation.address} {name}")

    async def _caught(self, name: str) -> Any:
        """Await a check; what it raises is its answer, so that no task ends with an exception that nobody reads."""
        incarnation = self._incarnation
        try:
            return await incarnation.caller.invoke(name, getattr(incarnation.module, name))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - module code raises what it likes
            return _Raised(error)

    def _read(self, name: str, task: "asyncio.Task[Any]") -> HealthResult:
        if task.cancelled():
            return unhealthy(f"`{name}` was cancelled")
        answer = task.result()
        masker = self._incarnation.stage.masker
        if isinstance(answer, _Raised):
            before = self._results.get(name)
            if before is None or before.health is not Health.UNHEALTHY:
                logger_of(self._incarnation.address).warning("`%s` raised", name, exc_info=answer.error)
            return unhealthy(f"`{name}` raised {one_line(answer.error, masker)}")
        result = read_answer(answer)
        return HealthResult(result.health, shortened(masker.mask(result.reason))) if result.reason else result

    def _tell(self, result: HealthResult) -> None:
        if not self._incarnation.stopping:
            self._incarnation.health = result
            self._incarnation.stage.checked(self._incarnation, result)


class _Raised:
    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error
