"""Owns World, a runner's loop with scripted engines around the real decisions: everything that may happen, in any order."""

import random
from collections.abc import Callable
from typing import assert_never

from ignrun.planner.graph.model import Edge, InstanceSpec
from ignrun.protocol.orders import Assignment, Load, Prepare, Revise, Revision
from ignrun.runner.fill import assignment_of, revision_of
from ignrun.runner.launches import launch_of
from ignrun.runtime.apply.decide import decide as the_decide
from ignrun.runtime.apply.state import Good, State
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
from ignrun.runtime.supervise.messages import IntentDurable, JournalRefused, Message, OutcomeDurable, Woke
from ignrun.runtime.supervise.now import Now
from ignrun.terms.events import Happening, LifecycleEvent
from ignrun.terms.names import Address
from tests.doubles.engines import ScriptedEngines
from tests.doubles.plants import at
from tests.doubles.scripts import Scripts

Decide = Callable[[State, tuple[Message, ...], Now], tuple[State, tuple[Effect, ...]]]


class World:
    """Owns the state, the scripted processes and the messages under way; a seed chooses among everything that may happen next."""

    def __init__(self, scripts: Scripts | None = None, seed: int = 0, decide: Decide = the_decide) -> None:
        self.scripts = scripts or Scripts()
        self.choose = random.Random(seed)
        self.decide = decide
        self.state = State()
        self.mono = 0.0
        self.engines = ScriptedEngines(self.scripts, self.choose)
        self.hosts, self.commands, self.lanes = self.engines.hosts, self.engines.commands, self.engines.lanes
        self.happenings: list[Happening] = []
        self.effects: list[Effect] = []
        self.outcomes: dict[int, Outcome] = {}
        self.answers: dict[int, str] = {}
        self.holds: dict[Address, str] = {}
        self.wake: float | None = None
        self.code: int | None = None
        self.journal_refuses: set[str] = set()
        self.complaints: list[str] = []  # about laws that only the world itself can watch
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
            self.mono = max(self.mono, self.wake)
            self._wake_up()
            self.run()
        self.mono = max(self.mono, end)
        return self

    def _wake_up(self) -> None:
        self.wake = None
        self.tell(Woke())

    def happen(self) -> bool:
        """Let one of the things happen that can happen now; tell whether there was one."""
        lanes = [lane for lane in self.lanes.values() if lane]
        steps = [step for host in self.hosts.values() for step in host.steps()]
        if not lanes and not steps:
            return False
        if steps and (not lanes or self.choose.random() < 0.7):
            for _ in range(self.choose.randint(1, 5)):
                self.choose.choice(steps)()
                self.engines.bury()
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
        self.engines.bury()

    def end_command(self, address: str, code: int | None, how: str) -> None:
        """Let the process of a command end."""
        self.engines.end_command(address, code, how)

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

    def config_of(self, spec: InstanceSpec) -> object:
        """Give the config that a host is to be told, nothing in it left to fill in."""
        return spec.config.plain

    # --- one runner after another ---------------------------------------------------------------------------------------

    def follow(self, before: "World") -> Good | None:
        """Be the world of the next runner: it knows what the one before has kept; gives what was good at last."""
        was = before.state
        self.state = State(
            last_generation=was.last_generation, last_transaction=was.last_transaction, holds=before.holds
        )
        self.holds = before.holds
        return was.good

    def close(self) -> None:
        """Let go of what the world has opened."""

    # --- what the runner wants done -------------------------------------------------------------------------------------

    def _perform(self, effect: Effect) -> None:
        engines = self.engines
        match effect:
            case Record():
                self.happenings.append(effect.happening)
            case KeepIntent():
                self._keep("intent", effect.transaction, IntentDurable(effect.transaction))
            case KeepOutcome():
                number = effect.outcome.transaction
                self._keep("outcome", number, OutcomeDurable(number))
            case LaunchHost(host, epoch):
                engines.launch(host, epoch)
            case LoadHost():
                engines.give(effect.host, effect.epoch, Load(tuple(_assignments(effect))))
            case PrepareHost():
                engines.give(effect.host, effect.epoch, Prepare(tuple(_revisions(effect))))
            case ReviseHost():
                engines.give(effect.host, effect.epoch, Revise(tuple(_revisions(effect))))
            case GiveOrder(host, epoch, order):
                assert not isinstance(order, Load)
                engines.give(host, epoch, order)
            case EndHost(host, epoch, grace):
                engines.end(host, epoch, grace)
            case SpawnCommand(spec, epoch, exports):
                engines.spawn(launch_of(spec, epoch, {}, exports))
            case StopCommand(address, epoch, grace):
                engines.stop(address, epoch, grace)
            case TellCommand(spec, epoch, exports):
                engines.tell(launch_of(spec, epoch, {}, exports))
            case ReloadCommand(spec, epoch, change, exports):
                engines.reload(launch_of(spec, epoch, {}, exports), change)
            case CheckCommand(address, epoch, interval):
                engines.check(address, epoch, interval)
            case WakeAt():
                self.wake = effect.at
            case KeepHolds():
                self.holds = effect.holds
            case AnswerApply() | AnswerAsked():
                self._answer(effect)
            case EndRunner(code):
                self._end(code)
            case _:
                assert_never(effect)

    def _keep(self, what: str, number: int, kept: Message) -> None:
        self.engines.send("journal", JournalRefused(number, "disk full") if what in self.journal_refuses else kept)

    def _answer(self, effect: AnswerApply | AnswerAsked) -> None:
        if isinstance(effect, AnswerApply):
            assert effect.request not in self.outcomes
            self.outcomes[effect.request] = effect.outcome
        else:
            assert effect.request not in self.answers
            self.answers[effect.request] = effect.refusal

    def _end(self, code: int) -> None:
        assert not self.hosts and not self.commands, "the runner ends and leaves processes behind"
        self.code = code


def _assignments(effect: LoadHost) -> list[Assignment]:
    return [
        assignment_of(
            spec, edges=_of(effect.edges, spec.address), local=effect.local, plant="plant", mode="", secrets={}
        )
        for spec in effect.specs
    ]


def _revisions(effect: PrepareHost | ReviseHost) -> list[Revision]:
    return [
        revision_of(one, edges=_of(effect.edges, one.spec.address), local=effect.local, secrets={})
        for one in effect.revisings
    ]


def _of(edges: tuple[Edge, ...], dependent: Address) -> tuple[Edge, ...]:
    return tuple(edge for edge in edges if edge.dependent == dependent)
