"""Owns World, a runner's loop with scripted engines around the real decisions: everything that may happen, in any order."""

import random
from collections import deque
from collections.abc import Callable

from ignrun.protocol.orders import Load
from ignrun.protocol.reports import Moves
from ignrun.runtime.apply.decide import decide as the_decide
from ignrun.runtime.apply.state import State
from ignrun.runtime.supervise.effects import (
    AnswerApply,
    AnswerAsked,
    CheckCommand,
    Effect,
    EndHost,
    EndRunner,
    GiveOrder,
    KeepHolds,
    KeepIntent,
    KeepOutcome,
    LaunchHost,
    LoadHost,
    Outcome,
    PrepareHost,
    Record,
    ReloadCommand,
    ReviseHost,
    SpawnCommand,
    StopCommand,
    TellCommand,
    WakeAt,
)
from ignrun.runtime.supervise.messages import (
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandReloaded,
    CommandStarted,
    HostEnded,
    HostLaunched,
    HostSaid,
    IntentDurable,
    JournalRefused,
    Message,
    OutcomeDurable,
    Probed,
    Woke,
)
from ignrun.runtime.supervise.now import Now
from ignrun.terms.events import Happening, LifecycleEvent
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from tests.doubles.plants import at
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripts import FAULTS, Scripts

Decide = Callable[[State, tuple[Message, ...], Now], tuple[State, tuple[Effect, ...]]]


class World:
    """Owns the state, the scripted processes and the messages under way; a seed chooses among everything that may happen next."""

    def __init__(self, scripts: Scripts | None = None, seed: int = 0, decide: Decide = the_decide) -> None:
        self.scripts = scripts or Scripts()
        self.choose = random.Random(seed)
        self.decide = decide
        self.state = State()
        self.mono = 0.0
        self.hosts: dict[str, ScriptedHost] = {}
        self.commands: dict[str, tuple[int, object]] = {}  # living processes of commands: epoch and spec
        self.lanes: dict[str, deque[Message]] = {}  # what is under way, in order for each sender
        self.happenings: list[Happening] = []
        self.effects: list[Effect] = []
        self.outcomes: dict[int, Outcome] = {}
        self.answers: dict[int, str] = {}
        self.holds: dict[Address, str] = {}
        self.wake: float | None = None
        self.code: int | None = None
        self.journal_refuses: set[str] = set()
        self.turns = 0
        self.patience = 100_000  # how much may happen before the plant has to come to rest

    # --- the loop ---------------------------------------------------------------------------------------------------

    def tell(self, *inbox: Message) -> tuple[Effect, ...]:
        """Let the runner take a turn with this inbox, and perform what it wants."""
        assert self.code is None or not inbox, f"the runner has ended and still hears {inbox}"
        self.state, effects = self.decide(self.state, inbox, at(self.mono))
        self.turns += 1
        for effect in effects:
            self.effects.append(effect)
            self._perform(effect)
        return effects

    def run(self, limit: int = 0, until: Callable[[], bool] = lambda: False) -> "World":
        """Let things happen until nothing more can happen without time passing."""
        for _ in range(limit or self.patience):
            if self.code is not None or until() or not self.happen():
                return self
        raise AssertionError("the plant does not come to rest")

    def wait(self, seconds: float = 3600.0) -> "World":
        """Let time pass, waking the runner when it asked for it."""
        end = self.mono + seconds
        self.run()
        while self.code is None and self.wake is not None and self.wake <= end:
            self.mono, self.wake = max(self.mono, self.wake), None
            self.tell(Woke())
            self.run()
        self.mono = max(self.mono, end)
        return self

    def happen(self) -> bool:
        """Let one of the things happen that can happen now; tell whether there was one."""
        lanes = [lane for lane in self.lanes.values() if lane]
        steps = [step for host in self.hosts.values() for step in host.steps()]
        if not lanes and not steps:
            return False
        if steps and (not lanes or self.choose.random() < 0.7):
            for _ in range(self.choose.randint(1, 5)):
                self.choose.choice(steps)()
                self._bury()
                steps = [step for host in self.hosts.values() for step in host.steps()]
                if not steps:
                    break
            return True
        inbox = []
        for lane in self.choose.sample(lanes, self.choose.randint(1, len(lanes))):
            inbox += [lane.popleft() for _ in range(self.choose.randint(1, len(lane)))]
        self.tell(*inbox)
        return True

    # --- what the operator and the world do ---------------------------------------------------------------------------

    def kill_host(self, host: str) -> None:
        """End the process of a host by signal 9."""
        self.hosts[host].killed = True
        self._bury()

    def end_command(self, address: str, code: int | None, how: str) -> None:
        """Let the process of a command end."""
        epoch, _ = self.commands.pop(address)
        self._send(f"command {address}", CommandEnded(Address(address), epoch, code, how, tail="last words"))

    def states(self) -> dict[str, str]:
        """Give the state of every instance by module name."""
        return {address.split("@")[0]: i.state.value for address, i in self.state.roster.instances.items()}

    def moves(self, address: str | None = None) -> list[tuple[str, str]]:
        """Give the recorded moves as pairs of module name and new state, or of one instance."""
        return [
            (h.subject.split("@")[0], h.body.new.value)
            for h in self.happenings
            if isinstance(h.body, LifecycleEvent) and address in (None, h.subject)
        ]

    # --- engines ------------------------------------------------------------------------------------------------------

    def _send(self, lane: str, message: Message) -> None:
        self.lanes.setdefault(lane, deque()).append(message)

    def _bury(self) -> None:
        for name in [name for name, host in self.hosts.items() if host.killed]:
            host = self.hosts.pop(name)
            self._send(f"host {name}", HostEnded(host.host, host.epoch, "signal 9 (SIGKILL)", host.culprit))  # type: ignore[arg-type]

    def _once(self, address: str) -> None:
        living = [host for host in self.hosts.values() if address in host.live]
        assert not living and address not in self.commands, f"{address} runs twice"

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Record():
                self.happenings.append(effect.happening)
            case KeepIntent():
                refused = "intent" in self.journal_refuses
                number = effect.transaction
                self._send("journal", JournalRefused(number, "disk full") if refused else IntentDurable(number))
            case KeepOutcome():
                refused = "outcome" in self.journal_refuses
                number = effect.outcome.transaction
                self._send("journal", JournalRefused(number, "disk full") if refused else OutcomeDurable(number))
            case LaunchHost():
                self._launch(effect)
            case LoadHost():
                if host := self._of(effect):
                    host.load(effect)
            case PrepareHost() | ReviseHost():
                if host := self._of(effect):
                    host.change(effect)
            case CheckCommand():
                self._check(effect)
            case GiveOrder():
                assert not isinstance(effect.order, Load)
                if host := self._of(effect):
                    host.hear(effect.order)
            case EndHost():
                self._end_host(effect)
            case SpawnCommand():
                self._spawn(effect)
            case StopCommand():
                if self.commands.get(effect.address, (0,))[0] == effect.epoch:
                    self.end_command(effect.address, None, "signal 15 (SIGTERM)")
            case TellCommand():
                if self.commands.get(effect.spec.address, (0,))[0] == effect.epoch:
                    self.commands[effect.spec.address] = (effect.epoch, effect.spec)
            case ReloadCommand():
                self._reload(effect)
            case WakeAt():
                self.wake = effect.at
            case KeepHolds():
                self.holds = effect.holds
            case AnswerApply():
                assert effect.request not in self.outcomes
                self.outcomes[effect.request] = effect.outcome
            case AnswerAsked():
                assert effect.request not in self.answers
                self.answers[effect.request] = effect.refusal
            case EndRunner():
                assert not self.hosts and not self.commands, "the runner ends and leaves processes behind"
                self.code = effect.code

    def _of(self, effect) -> ScriptedHost | None:
        host = self.hosts.get(effect.host)
        return host if host and host.epoch == effect.epoch else None

    def _launch(self, effect: LaunchHost) -> None:
        assert effect.host not in self.hosts, f"host {effect.host} is launched twice"
        lane = f"host {effect.host}"
        if self.scripts.next(effect.host, "launch") != "ok":
            self._send(lane, HostEnded(effect.host, effect.epoch, "fork failed"))
            return

        def say(report) -> None:
            if isinstance(report, Moves) and (queue := self.lanes.get(lane)) and self.choose.random() < 0.5:
                last = queue[-1]
                if isinstance(last, HostSaid) and isinstance(last.report, Moves) and last.epoch == effect.epoch:
                    queue[-1] = HostSaid(effect.host, effect.epoch, Moves((*last.report.moves, *report.moves)))
                    return
            self._send(lane, HostSaid(effect.host, effect.epoch, report))

        host = ScriptedHost(effect.host, effect.epoch, self.scripts, say, self._once)
        self.hosts[effect.host] = host
        self._send(lane, HostLaunched(effect.host, effect.epoch, 4000 + effect.epoch))
        host.greet()

    def _end_host(self, effect: EndHost) -> None:
        if host := self._of(effect):
            self.hosts.pop(effect.host)
            self._send(f"host {effect.host}", HostEnded(host.host, host.epoch, "exit 0"))  # type: ignore[arg-type]

    def _check(self, effect: CheckCommand) -> None:
        if self.commands.get(effect.address, (0,))[0] == effect.epoch:
            for _ in range(2 if effect.interval else 1):
                well = self.scripts.next(effect.address, "health") == "ok"
                self._send(f"command {effect.address}", Probed(effect.address, effect.epoch, well))

    def _reload(self, effect: ReloadCommand) -> None:
        address = effect.spec.address
        if self.commands.get(address, (0,))[0] != effect.epoch:
            return  # the end of its process is under way
        outcome = self.scripts.next(address, "reload")
        fault = FAULTS.get(outcome) or (Fault(FaultKind.EXITED, "exit 1") if outcome == "exit" else None)
        if fault is None:
            self.commands[address] = (effect.epoch, effect.spec)
        self._send(f"command {address}", CommandReloaded(address, effect.epoch, effect.change, fault))
        if outcome == "exit":
            self.end_command(address, 1, "exit 1")

    def _spawn(self, effect: SpawnCommand) -> None:
        address = effect.spec.address
        self._once(address)
        lane = f"command {address}"
        outcome = self.scripts.next(address, "startup")
        if outcome == "fatal":
            self._send(lane, CommandFailed(address, effect.epoch, Fault(FaultKind.NOT_STARTED, "no such program")))
            return
        self.commands[address] = (effect.epoch, effect.spec)
        self._send(lane, CommandStarted(address, effect.epoch, 7000 + effect.epoch))
        if outcome in ("hang", "not-ready"):
            self._send(lane, CommandFailed(address, effect.epoch, FAULTS["hang"]))
            self.end_command(address, None, "signal 15 (SIGTERM)")
        elif outcome in ("raise", "exit"):
            self.end_command(address, 1, "exit 1")
        elif getattr(effect.spec.body, "oneshot", None) is not None:
            self.end_command(address, 0, "exit 0")
        else:
            self._send(lane, CommandReady(address, effect.epoch))
            if self.scripts.probing and getattr(effect.spec.body, "check", None) is not None:
                self._send(lane, Probed(address, effect.epoch, healthy=True))
            if self.scripts.next(address, "run") == "exit":
                self.end_command(address, 3, "exit 3")
