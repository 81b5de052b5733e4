"""Owns Watcher, which sees every turn of a world and says which laws were broken so far."""

from collections import Counter
from collections.abc import Iterator

from ignrun.protocol.orders import ClearStop, Stop
from ignrun.runtime.apply.decide import decide
from ignrun.runtime.apply.state import Phase, State, Transaction
from ignrun.runtime.supervise.draft import host_of
from ignrun.runtime.supervise.effects import (
    AnswerApply,
    AnswerAsked,
    Effect,
    EndRunner,
    GiveOrder,
    KeepIntent,
    KeepOutcome,
    Outcome,
    PrepareHost,
    ReloadCommand,
    Result,
    ReviseHost,
    StopCommand,
)
from ignrun.runtime.supervise.placing import placed
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.events import LifecycleEvent, OperatorAsked
from ignrun.terms.names import Address
from ignrun.terms.states import RESTING, ModuleState, may_move
from tests.doubles.plants import at
from tests.doubles.world import World

S = ModuleState


class Watcher:
    """Looks at a world after each of its turns.

    Nobody begins anew without a reason, moves as the table does not say, starts before whom it requires, or runs twice; no effect is
    wanted twice; an apply ends by its deadline; a turn in which nothing was heard changes nothing.
    """

    def __init__(self, world: World, deadline: float) -> None:
        self.world, self.deadline = world, deadline
        self.requests: set[int] = set()
        self.states: set[ModuleState] = set()
        self._found: list[str] = []
        self._seen = self._performed = 0
        self._where: dict[str, S] = {}
        self._reached: set[str] = set()
        self._epochs: dict[Address, int] = {}
        self._excused: set[str] = set()
        self._asked: set[tuple[Address, int]] = (
            set()
        )  # incarnations: those asked in the open apply, and those that ran when it began
        self._ran: set[tuple[Address, int]] = set()
        self._once: Counter[object] = Counter()
        self._tell, world.tell = world.tell, self._watched  # type: ignore[method-assign]

    def judge(self) -> None:
        """Raise AssertionError with all that was wrong so far."""
        complaints = [*self._found, *self.world.complaints, *self._of_now()]
        if complaints:
            raise AssertionError("\n".join(complaints))

    def end(self) -> None:
        """Look whether the runner left anything undone when it ended."""
        answered = self.world.outcomes.keys() | self.world.answers.keys()
        self._found += [f"request {number} was never answered" for number in sorted(self.requests - answered)]
        self._found += [f"{name} has outlived its runner" for name in (*self.world.hosts, *self.world.commands)]

    def _watched(self, *inbox) -> tuple[Effect, ...]:
        before = self.world.state.transaction
        leaving = {a for a, one in self.world.state.roster.instances.items() if one.stopping or one.next_spec}
        required = {(e.dependent, e.provider) for e in self.world.state.graph.edges if e.kind == "requires"}
        effects = self._tell(*inbox)
        required &= {(e.dependent, e.provider) for e in self.world.state.graph.edges if e.kind == "requires"}
        self._note_events(required, leaving)
        self._note_beginning(before, self.world.state.transaction)
        for effect in effects:
            self._note_effect(effect)
            self._note_course(effect)
        self._note_epochs(before, self.world.state.transaction)
        self._note_stops(effects)
        self._note_idleness()
        return effects

    def _note_events(self, required: set[tuple[Address, Address]], leaving: set[Address]) -> None:
        self._reached |= {address for address, one in self.world.state.roster.instances.items() if one.completed}
        for happening in self.world.happenings[self._seen :]:
            subject, body = happening.subject, happening.body
            if isinstance(body, OperatorAsked):
                self._excused.add(subject)
            if not isinstance(body, LifecycleEvent):
                continue
            self._note_move(subject, body)
            if body.new is S.STARTING and subject not in leaving:  # its host is still to hear that it goes
                lacking = [p for d, p in required if d == subject and p not in self._reached]
                self._found += [f"{subject} started before {provider}" for provider in lacking]
        self._seen = len(self.world.happenings)

    def _note_move(self, subject: str, move: LifecycleEvent) -> None:
        was = self._where.get(subject, S.UNINITIALIZED)
        if move.old is S.UNINITIALIZED and was in RESTING:
            was = S.UNINITIALIZED  # it was deleted, and this is another one of its name
        if was is not move.old or not may_move(move.old, move.new):
            self._found.append(f"{subject} moved from {move.old} to {move.new}, it was {was}")
        self._where[subject] = move.new
        self.states |= {move.old, move.new}
        if move.new is S.ERROR:
            self._excused.add(subject)
        if move.new is S.RUNNING or move.cause == "completed":
            self._reached.add(subject)

    def _note_effect(self, effect: Effect) -> None:
        for key in _keys(effect):
            self._once[key] += 1
            if self._once[key] > 1:
                self._found.append(f"wanted twice: {key}")

    def _note_course(self, effect: Effect) -> None:
        """What is changed in place was asked before; what is committed has arrived; what has a way back takes it."""
        transaction = self.world.state.transaction
        if transaction is None:
            return
        match effect:
            case PrepareHost():
                self._asked |= {(one.spec.address, one.epoch) for one in effect.revisings}
            case ReviseHost() if transaction.phase is Phase.APPLYING:
                planned = {step.address for step in transaction.proposal.plan.steps}
                changed = {(one.spec.address, one.epoch) for one in effect.revisings if one.spec.address in planned}
                self._found += [f"{address} was never asked" for address, _ in (changed & self._ran) - self._asked]
            case KeepOutcome(outcome=Outcome(result=Result.COMMITTED)) if not transaction.no_start:
                known = self.world.state.roster.instances
                away = [a for a in transaction.members if a in known and not _has_arrived(known[a])]
                self._found += [
                    f"committed before {address} had arrived ({known[address].state.value}, {known[address].cause})"
                    for address in away
                ]
            case KeepOutcome(outcome=Outcome(result=Result.HELD)) if transaction.on_failure == "rollback":
                if transaction.back is not None and not transaction.irreversible & transaction.begun:
                    self._found.append(f"apply {transaction.number} is held, and could have gone back")
            case _:
                pass

    def _note_beginning(self, before: Transaction | None, after: Transaction | None) -> None:
        if after is not None and (before is None or before.number != after.number):
            known = self.world.state.roster.instances.items()
            self._asked = set()
            self._ran = {(address, one.epoch) for address, one in known if one.state is S.RUNNING}

    def _note_stops(self, effects: tuple[Effect, ...]) -> None:
        """No module may stop before who requires him and was told to stop, too, but where their host keeps that order."""
        known = self.world.state.roster.instances
        held = {address for address, one in known.items() if one.held_by}  # an operator's word waits for nobody
        free = () if self.world.state.hurried else {*_may_stop(effects)} - held
        for host in self.world.hosts.values() if free else ():
            started = [
                a for a, one in host.live.items() if one.stop and one.state in (S.STARTING, S.RUNNING, S.STOPPING)
            ]
            stopping = [a for a in started if self._where.get(a) is not S.MAINTENANCE]  # who has no veto
            for address, need in ((one, need) for one in stopping for need in host.needs[one]):
                keeps = need.local and need.provider in host.live
                gone = not any(need.provider in one.live for one in self.world.hosts.values())
                if need.required and need.provider in free and not (keeps or gone):
                    self._found.append(f"{need.provider} may stop before {address}, which stops too")

    def _note_epochs(self, before: Transaction | None, after: Transaction | None) -> None:
        changed = {address for one in (before, after) if one for address in _concerned(one)}
        known = self.world.state.roster.instances
        for address, instance in known.items():
            former = self._epochs.get(address, 0)
            if instance.epoch > former > 0 and address not in changed and address not in self._excused:
                self._found.append(f"{address} began anew, and nobody had touched it ({instance.cause})")
            if instance.epoch < former and address not in changed:
                self._found.append(f"{address} counts its incarnations from {instance.epoch}, it was {former}")
            if instance.epoch != former and instance.state is not S.ERROR:
                self._excused.discard(address)
            if _is_told_to_change(instance):
                self._excused.add(address)
            self._epochs[address] = instance.epoch
        for address in self._epochs.keys() - known.keys():
            del self._epochs[address]

    def _note_idleness(self) -> None:
        """A turn in which nothing is heard changes nothing, and wants nothing."""
        now = at(self.world.mono)
        state, effects = decide(self.world.state, (), now)
        if effects or state != self.world.state:
            self._found.append(f"a turn for nothing wants {effects}")

    def _of_now(self) -> Iterator[str]:
        world, transaction = self.world, self.world.state.transaction
        if transaction is not None and (due := self._due(transaction)) is not None and due < world.mono:
            yield f"{transaction.phase} is still open {world.mono - due} s after its deadline"
        homes = Counter(address for host in world.hosts.values() for address in host.live)
        homes.update(world.commands.keys())
        yield from (f"{address} runs {count} times" for address, count in homes.items() if count > 1)
        for host in world.hosts.values():
            for address, one in host.live.items():
                known = world.state.roster.instances.get(Address(address))
                if known is None or (known.epoch == one.epoch and host_of(known) != host.host):
                    yield f"{address} runs in {host.host}, and the runner knows of {known and host_of(known)}"
                elif (
                    known.epoch == one.epoch
                    and one.config != world.config_of(known.spec)
                    and not _is_told_to_change(known)
                ):
                    yield f"{address} goes by another config than the runner says"
        if world.state.good is not None and world.state.good.generation > world.state.last_generation:
            yield "what is good was never applied"
        for address, instance in world.state.roster.instances.items():
            if instance.goal is Goal.UP and address not in world.state.graph.instances:
                yield f"{address} is to be up, and no plant says so"

    def _due(self, transaction: Transaction) -> float | None:
        match transaction.phase:
            case Phase.PREPARING | Phase.APPLYING | Phase.SOAKING:
                return transaction.began + self.deadline
            case Phase.ROLLING_BACK:
                return transaction.turned + self.deadline
            case _:
                return None


def _misplaced(state: State) -> Iterator[str]:
    """Name who lives in another host than the graph says by which he is wired."""
    wanted, former = placed(state.graph, state.roster.alone), state.previous
    for address, instance in state.roster.instances.items():
        leaves = instance.next_spec or instance.in_place or instance.goal is Goal.GONE
        said = (former if leaves else wanted).instances.get(address)
        if said is None:
            yield f"{address} is wired by a graph that does not know it: {instance}"
        elif host_of(Instance(said)) != host_of(instance):
            yield f"{address} lives in {host_of(instance)}, not in {host_of(Instance(said))}: {instance}"
        becomes = instance.next_spec
        if (
            becomes
            and (known := wanted.instances.get(address))
            and host_of(Instance(known)) != host_of(Instance(becomes))
        ):
            yield f"{address} goes to {host_of(Instance(becomes))}, not to {host_of(Instance(known))}: {instance}"


def _may_stop(effects: tuple[Effect, ...]) -> Iterator[str]:
    """Name who is told in a turn that nothing keeps him from stopping."""
    for effect in effects:
        match effect:
            case GiveOrder(order=Stop() as order):
                yield from order.cleared
            case GiveOrder(order=ClearStop() as order):
                yield from (item.address for item in order.items)
            case StopCommand():
                yield effect.address
            case _:
                pass


def _is_told_to_change(instance: Instance) -> bool:
    """Tell whether an incarnation, if there is one, has been told to become something else, or to go."""
    told = instance.next_spec or instance.in_place or instance.bounce or instance.goal is not Goal.UP
    return bool(told) or instance.state is S.UNINITIALIZED


def _has_arrived(instance: Instance) -> bool:
    """Tell whether an instance is what it is to be; who is in maintenance becomes it afterwards."""
    still = instance.next_spec is None and instance.in_place is None
    there = instance.state is S.RUNNING or instance.completed or instance.goal is not Goal.UP
    return instance.state is S.MAINTENANCE or (still and (there or instance.spec.gate == "none"))


def _concerned(transaction: Transaction) -> set[Address]:
    follows = transaction.follows
    return {*transaction.steps, *transaction.members, *transaction.before, *(_concerned(follows) if follows else ())}


def _keys(effect: Effect) -> Iterator[tuple[object, ...]]:
    """Name what must not be wanted twice."""
    match effect:
        case KeepIntent(transaction=number):
            yield "intent", number
        case KeepOutcome(outcome=Outcome(transaction=number)):
            yield "outcome", number
        case ReviseHost():
            yield from (("revise", one.change) for one in effect.revisings)
        case ReloadCommand():
            yield "reload", effect.change
        case AnswerApply() | AnswerAsked():
            yield "answer", effect.request
        case EndRunner():
            yield ("end",)
        case _:
            pass
