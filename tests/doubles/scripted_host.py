"""Owns ScriptedHost, a host process that keeps local order and reports moves, without any process."""

from collections.abc import Callable, Iterator
from typing import Any

from ignrun.protocol.orders import (
    Assignment,
    Binding,
    Check,
    Clear,
    ClearStop,
    HostOrder,
    Load,
    Prepare,
    Revise,
    Revision,
    Start,
    Stop,
)
from ignrun.protocol.reports import (
    PROTOCOL,
    HealthReport,
    Hello,
    HostReport,
    ImportFault,
    Loaded,
    Move,
    Moves,
    Prepared,
    Revised,
    Traits,
)
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import Health, may_move
from ignrun.terms.states import ModuleState as S
from tests.doubles.plants import DAWN
from tests.doubles.scripts import FAULTS, Scripts


class Incarnation:
    """Owns one running object of an instance."""

    def __init__(self, epoch: int, *, cleared: bool) -> None:
        self.epoch = epoch
        self.cleared = cleared
        self.state = S.UNINITIALIZED
        self.stop = False
        self.stop_cleared = False
        self.completed = False
        self.due: list[tuple[str, Revision]] = []  # what it is asked, or told to become, and has not answered yet
        self.checks = 0  # how often it is to say how it does
        self.config: Any = None


class ScriptedHost:
    """Owns the incarnations of one host; `steps` lists what could happen next, each a callable that makes it happen."""

    def __init__(self, host: str, epoch: int, scripts: Scripts, say: Callable[[HostReport], None], started) -> None:
        self.host, self.epoch = host, epoch
        self.scripts, self.say, self.started = scripts, say, started
        self.live: dict[str, Incarnation] = {}
        self.needs: dict[str, tuple[Binding, ...]] = {}
        self.configs: dict[str, Any] = {}
        self.codes: dict[str, str] = {}  # the index that each was to be imported from
        self.done: dict[str, str] = {}  # what became of the last incarnation: completed, stopped, error
        self.killed = False
        self.culprit = ""
        self.tells = True
        self.hangs = False

    def greet(self) -> None:
        """Say hello."""
        self.say(Hello(PROTOCOL, "0", 1000, "3", f"/run/{self.host}"))

    def _load(self, assignments: tuple[Assignment, ...]) -> None:
        """Import, and answer."""
        faults, traits = [], []
        for one in assignments:
            self.needs[one.address] = one.bindings
            if self.scripts.next(one.address, "import") == "ok":
                traits.append(Traits(one.address, ("check_health",) if one.address in self.scripts.checked else ()))
                self.configs[one.address], self.codes[one.address] = one.config, one.code
            else:
                faults.append(ImportFault(one.address, Fault(FaultKind.IMPORT, "ImportError: no")))
        self.say(Loaded(tuple(faults), tuple(traits)))

    def _due(self, what: str, revisions: tuple[Revision, ...]) -> None:
        """Ask, or change, in turn."""
        for one in revisions:
            found = self._incarnation(one)
            if found and found.state is S.RUNNING and not found.stop:
                found.due.append((what, one))

    def hear(self, order: HostOrder) -> None:
        """Take an order."""
        match order:
            case Load():
                self._load(order.assignments)
            case Prepare():
                self._due("prepare", order.revisions)
            case Revise():
                self._due("reconfigure", order.revisions)
            case Start():
                for item in order.items:
                    self.started(item.address)
                    assert item.address in self.needs, f"{item.address} is started without having been loaded"
                    assert item.address not in self.live, f"{item.address} runs twice"
                    self.done.pop(item.address, None)
                    self.live[item.address] = Incarnation(item.epoch, cleared=item.address in order.cleared)
                    self.live[item.address].config = self.configs[item.address]
            case Clear():
                for item in order.items:
                    if found := self._incarnation(item):
                        assert not found.cleared, f"{item.address} is cleared twice"
                        found.cleared = True
            case Stop():
                for item in order.items:
                    if found := self._incarnation(item):
                        found.stop, found.stop_cleared = True, item.address in order.cleared
            case ClearStop():
                for item in order.items:
                    if found := self._incarnation(item):
                        found.stop_cleared = True
            case Check():
                for item in order.items:
                    if found := self._incarnation(item):
                        found.checks = 2 if order.interval else 1
            case _:
                pass

    def _incarnation(self, item) -> Incarnation | None:
        found = self.live.get(item.address)
        return found if found and found.epoch == item.epoch else None

    def steps(self) -> Iterator[Callable[[], None]]:
        """Yield what could happen next."""
        for address, incarnation in () if self.hangs else list(self.live.items()):
            if step := self._step(address, incarnation):
                yield step

    def _step(self, address: str, inc: Incarnation) -> Callable[[], None] | None:
        if inc.stop and inc.state is not S.UNINITIALIZED:
            if inc.state is S.STOPPING:
                return lambda: self._finish_stop(address, inc)
            free = inc.stop_cleared and not any(
                other.stop
                for a, other in self.live.items()
                if any(need.provider == address and need.local for need in self.needs[a])
            )
            return (lambda: self._move(address, inc, S.STOPPING)) if free else None
        match inc.state:
            case S.UNINITIALIZED:
                return lambda: self._move(address, inc, S.INITIALIZING)
            case S.INITIALIZING:
                return lambda: self._call(address, inc, "initialize", S.INITIALIZED)
            case S.INITIALIZED if inc.cleared and self._locals_ready(address):
                return lambda: self._move(address, inc, S.STARTING)
            case S.STARTING:
                return lambda: self._call(address, inc, "startup", S.RUNNING)
            case S.RUNNING if inc.due:
                return lambda: self._change(address, inc)
            case S.RUNNING if inc.checks:
                return lambda: self._tell_health(address, inc)
            case S.RUNNING if self.scripts.outcomes[address, "run"]:
                return lambda: self._run(address, inc)
            case S.STOPPING:
                return lambda: self._finish_stop(address, inc)
            case _:
                return None

    def _locals_ready(self, address: str) -> bool:
        for need in self.needs[address]:
            if not need.local:
                continue  # the runner clears
            provider = self.live.get(need.provider)
            if not (provider and provider.state is S.RUNNING) and self.done.get(need.provider) != "completed":
                return False
        return True

    def _call(self, address: str, inc: Incarnation, callback: str, then: S) -> None:
        outcome = self.scripts.next(address, callback)
        if outcome == "exit":
            self.killed, self.culprit = True, address if self.tells else ""
        elif outcome == "ok":
            self._move(address, inc, then)
            inc.checks = int(then is S.RUNNING and address in self.scripts.checked)
        else:
            self._over(address, inc, S.ERROR, outcome, FAULTS[outcome])

    def _change(self, address: str, inc: Incarnation) -> None:
        what, one = inc.due.pop(0)
        outcome = self.scripts.next(address, what)
        if outcome == "exit":
            self.killed, self.culprit = True, address if self.tells else ""
        elif outcome == "mute":
            pass  # it never answers
        elif what == "prepare":
            self.say(Prepared(address, one.epoch, one.change, FAULTS.get(outcome)))
        elif outcome == "ok":
            inc.config, self.needs[address] = one.config, one.bindings
            exports = {"of": address, **(one.config or {})} if self.scripts.exporting else None
            self.say(Revised(address, one.epoch, one.change, None, exports))
        else:
            self.say(Revised(address, one.epoch, one.change, FAULTS[outcome]))
            self._over(address, inc, S.ERROR, outcome, FAULTS[outcome])

    def _tell_health(self, address: str, inc: Incarnation) -> None:
        inc.checks -= 1
        outcome = self.scripts.next(address, "health")
        if outcome == "exit":
            self.killed, self.culprit = True, address if self.tells else ""
            return
        inc.checks += self.scripts.asked_again and outcome != "ok"  # that all is well need not be said twice
        health = {"ok": Health.HEALTHY, "degraded": Health.DEGRADED}.get(outcome, Health.UNHEALTHY)
        self.say(HealthReport(address, inc.epoch, health, "" if outcome == "ok" else outcome))

    def _run(self, address: str, inc: Incarnation) -> None:
        outcome = self.scripts.next(address, "run")
        if outcome == "exit":
            self.killed, self.culprit = True, address if self.tells else ""
        elif outcome == "complete":
            inc.completed = True
            self._move(address, inc, S.STOPPING, "completed")
        elif outcome != "ok":
            self._over(address, inc, S.ERROR, outcome, FAULTS[outcome])

    def _finish_stop(self, address: str, inc: Incarnation) -> None:
        outcome = self.scripts.next(address, "shutdown")
        if outcome == "exit":
            self.killed, self.culprit = True, address if self.tells else ""
        elif outcome == "ok":
            self._over(address, inc, S.STOPPED, "completed" if inc.completed else "stopped", None)
        else:
            self._over(address, inc, S.ERROR, outcome, FAULTS[outcome])

    def _over(self, address: str, inc: Incarnation, new: S, cause: str, fault: Fault | None) -> None:
        self._move(address, inc, new, cause, fault)
        self.live.pop(address)
        self.done[address] = "error" if fault else cause

    def _move(self, address: str, inc: Incarnation, new: S, cause: str = "", fault: Fault | None = None) -> None:
        old, inc.state = inc.state, new
        assert may_move(old, new), f"the double itself moves {address} from {old} to {new}"
        exports = {"of": address} if new is S.RUNNING else None
        if new is S.RUNNING and self.scripts.exporting and inc.config is not None:
            exports = {"of": address, **(inc.config or {})}
        move = Move(address, inc.epoch, old, new, cause or f"to {new.value}", DAWN, 0.0, fault, exports)
        self.say(Moves((move,)))
