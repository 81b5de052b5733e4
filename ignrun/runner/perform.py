"""Performs effects: each decision that wants something done goes to the engine, the journal or the client that does it."""

from collections.abc import Callable, Mapping
from typing import assert_never

from ignrun.planner.graph.model import Edge, Graph, Hosted, InstanceSpec
from ignrun.protocol.orders import Assignment, Load, Prepare, Revise, Revision
from ignrun.protocol.reports import ImportFault, Prepared, Revised
from ignrun.runner.fill import MissingExportError, MissingSecretError, assignment_of, revision_of
from ignrun.runner.holding import Holding
from ignrun.runner.launches import launch_of
from ignrun.runner.secrets import SecretStore
from ignrun.runner.told import level_of, levels, timings
from ignrun.runner.unsent import Unsent
from ignrun.runtime.apply.state import Phase, State
from ignrun.runtime.engines.command import CommandEngine
from ignrun.runtime.engines.fork import HostEngine
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.journal.code import CodeStore
from ignrun.runtime.journal.overlays import Overlays
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.supervise import effects as wanted
from ignrun.runtime.supervise.effects import Effect
from ignrun.runtime.supervise.messages import (
    CommandFailed,
    CommandReloaded,
    HostSaid,
    IntentDurable,
    JournalRefused,
    Message,
    OutcomeDurable,
    Probed,
)
from ignrun.runtime.supervise.now import Now
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from ignrun.terms.secret import Secret

Hear = Callable[[Message], None]
Answer = Callable[[wanted.AnswerApply | wanted.AnswerAsked], None]


class Performer:
    """Hands effects to those who carry them out; called in the loop, returns at once, and what comes of it is heard later."""

    def __init__(
        self,
        *,
        hosts: HostEngine,
        commands: CommandEngine,
        journal: Journal,
        secrets: SecretStore,
        code: CodeStore,
        overlays: Overlays,
        unsent: Unsent,
        author: str,
        hear: Hear,
        hear_from_thread: Hear,
        answer: Answer,
        end: Callable[[int], None],
        call_in_loop: Callable[[Callable[[], None]], None],
    ) -> None:
        """Take the doors that effects lead to; `hear_from_thread` and `call_in_loop` may be called from any thread, the others from the loop's."""
        self._hosts = hosts
        self._commands = commands
        self._journal = journal
        self._secrets = secrets
        self._code = code
        self._author = author
        self._hear = hear
        self._hear_from_thread = hear_from_thread
        self._answer = answer
        self._end = end
        self._unsent = unsent
        self._holding = Holding(journal, answer, call_in_loop)
        self._overlays = overlays
        self._told = (levels(hosts.give), timings(hosts.give))

    def __call__(self, state: State, effects: tuple[Effect, ...], now: Now) -> None:
        """Perform the effects of one turn in their order; what happened in it goes to the journal first, as one batch."""
        happenings = tuple(effect.happening for effect in effects if isinstance(effect, wanted.Record))
        generation = state.transaction.generation if state.transaction else state.generation
        self._journal.submit_events(happenings, now.utc, now.mono, generation)
        for effect in effects:
            self._perform(effect, state, now)
        for policy in self._told:
            policy.follow(state)

    def _perform(self, effect: Effect, state: State, now: Now) -> None:  # noqa: C901, PLR0912 - one case for each effect
        match effect:
            case wanted.Record() | wanted.WakeAt():
                pass  # the journal has had all records of the turn, the loop keeps the time
            case wanted.KeepIntent():
                self._keep_intent(effect, now)
            case wanted.KeepOutcome():
                self._keep_outcome(effect, now)
            case wanted.LaunchHost(host, epoch, _, python, limits):
                self._hosts.launch(host, epoch, python, limits)
            case wanted.LoadHost():
                self._load(effect, state)
            case wanted.PrepareHost():
                if revisions := self._revisions(effect, state, Prepared):
                    self._hosts.give(effect.host, effect.epoch, Prepare(revisions))
            case wanted.ReviseHost():
                if revisions := self._revisions(effect, state, Revised):
                    self._hosts.give(effect.host, effect.epoch, Revise(revisions))
            case wanted.GiveOrder(host, epoch, order):
                self._hosts.give(host, epoch, order)
            case wanted.EndHost(host, epoch, grace):
                self._hosts.end(host, epoch, grace)
            case wanted.SpawnCommand():
                self._spawn(effect, state)
            case wanted.StopCommand(address, epoch, grace):
                self._commands.stop(address, epoch, grace)
            case wanted.TellCommand():
                self._tell(effect, state)
            case wanted.CheckCommand(address, epoch, interval):
                self._commands.check(address, epoch, interval)
            case wanted.ReloadCommand():
                self._reload(effect, state)
            case wanted.KeepHolds(holds):
                self._holding.keep(holds)
            case wanted.AnswerAsked():
                self._holding.answer(effect)
            case wanted.AnswerApply():
                self._answer(effect)
            case wanted.EndRunner(code):
                self._end(code)
            case _:
                assert_never(effect)

    def _keep_intent(self, effect: wanted.KeepIntent, now: Now) -> None:
        def done(refusal: str) -> None:
            transaction = effect.transaction
            self._hear_from_thread(JournalRefused(transaction, refusal) if refusal else IntentDurable(transaction))

        self._journal.keep_intent(effect, self._author, now.utc, done)

    def _keep_outcome(self, effect: wanted.KeepOutcome, now: Now) -> None:
        def done(refusal: str) -> None:
            transaction = effect.outcome.transaction
            self._hear_from_thread(JournalRefused(transaction, refusal) if refusal else OutcomeDurable(transaction))

        self._journal.keep_outcome(effect, now.utc, done)

    def _load(self, effect: wanted.LoadHost, state: State) -> None:
        """Describe to a host whom it is to run; who comes back as he was, while an apply only prepares, gets the texts of before it."""
        assignments: list[Assignment] = []
        faults: list[ImportFault] = []
        of_now, offered = self._texts_of_now(state), self._texts(state)
        needs = _by_dependent(effect.edges)
        graph = _loaded_for(state)
        kept = self._overlays.kept()
        for spec in effect.specs:
            present = state.roster.instances.get(spec.address)
            secrets = of_now if present is not None and present.spec == spec else offered
            try:
                assignments.append(
                    assignment_of(
                        spec,
                        edges=needs.get(spec.address, ()),
                        local=effect.local,
                        plant=graph.plant,
                        mode=graph.mode,
                        secrets=secrets,
                        code=self._code_of(spec),
                        level=level_of(spec, graph.rules),
                        backups=kept.get(spec.module, ()),
                    )
                )
            except (MissingSecretError, ValueError) as error:
                faults.append(ImportFault(spec.address, Fault(FaultKind.SECRET, self._secrets.mask(str(error)))))
        for policy in self._told:
            policy.loaded(effect.host, effect.epoch, assignments)
        self._unsent.note(effect.host, effect.epoch, tuple(faults))
        self._hosts.give(effect.host, effect.epoch, Load(tuple(assignments)))

    def _revisions(
        self, effect: wanted.PrepareHost | wanted.ReviseHost, state: State, answer: type[Prepared | Revised]
    ) -> tuple[Revision, ...]:
        """Fill in what each is to become; whoever cannot be described is answered in his host's place."""
        secrets, needs = self._texts(state), _by_dependent(effect.edges)
        revisions: list[Revision] = []
        kept = self._overlays.kept()
        for one in effect.revisings:
            edges = needs.get(one.spec.address, ())
            try:
                backups = kept.get(one.spec.module, ())
                revisions.append(revision_of(one, edges=edges, local=effect.local, secrets=secrets, backups=backups))
            except (MissingSecretError, ValueError) as error:
                fault = Fault(FaultKind.SECRET, self._secrets.mask(str(error)))
                refusal = answer(one.spec.address, one.epoch, one.change, fault)
                self._hear(HostSaid(effect.host, effect.epoch, refusal))
        return tuple(revisions)

    def _texts(self, state: State) -> Mapping[str, Secret]:
        """Give the secrets that specs are filled with: from when an apply turns round until its end, those from before it."""
        is_going_back = state.transaction is not None and bool(state.transaction.reason)
        return self._secrets.in_force() if is_going_back else self._secrets.current()

    def _texts_of_now(self, state: State) -> Mapping[str, Secret]:
        """Give the secrets of what is started now: an apply that is only prepared has brought none yet."""
        under_way = state.transaction
        if under_way is not None and under_way.phase in (Phase.PREPARING, Phase.PREPARED):
            return self._secrets.before(under_way.requests[0])
        return self._texts(state)

    def _code_of(self, spec: InstanceSpec) -> str:
        """Name the index of the committed code of an instance, empty where nothing was kept: then it imports what is installed."""
        digest = spec.body.code if isinstance(spec.body, Hosted) else ""
        return str(self._code.index(digest)) if digest and self._code.has(digest) else ""

    def _spawn(self, effect: wanted.SpawnCommand, state: State) -> None:
        match self._filled(effect, state):
            case Fault() as fault:
                self._hear(CommandFailed(effect.spec.address, effect.epoch, fault))
            case launch:
                self._commands.spawn(launch)

    def _reload(self, effect: wanted.ReloadCommand, state: State) -> None:
        match self._filled(effect, state):
            case Fault() as fault:
                self._hear(CommandReloaded(effect.spec.address, effect.epoch, effect.change, fault))
            case launch:
                self._commands.reload(launch, effect.change)

    def _tell(self, effect: wanted.TellCommand, state: State) -> None:
        match self._filled(effect, state):
            case Fault() as fault:  # what it is to be asked cannot be said: that is a bad answer
                self._hear(Probed(effect.spec.address, effect.epoch, healthy=False, reason=fault.summary))
            case launch:
                self._commands.tell(launch)

    def _filled(
        self, effect: wanted.SpawnCommand | wanted.ReloadCommand | wanted.TellCommand, state: State
    ) -> CommandLaunch | Fault:
        try:
            return launch_of(effect.spec, effect.epoch, self._texts_of_now(state), effect.exports)
        except (MissingSecretError, MissingExportError, ValueError) as error:
            kind = FaultKind.SECRET if isinstance(error, MissingSecretError) else FaultKind.NOT_STARTED
            return Fault(kind, self._secrets.mask(str(error)))


def _loaded_for(state: State) -> Graph:
    """Give the graph for which hosts are loaded now: that of an apply which is being prepared, else what the plant is to be."""
    under_way = state.transaction
    early = under_way is not None and under_way.phase in {Phase.PREPARING, Phase.PREPARED}
    return under_way.proposal.graph if under_way is not None and early else state.graph


def _by_dependent(edges: tuple[Edge, ...]) -> dict[Address, tuple[Edge, ...]]:
    found: dict[Address, list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.dependent, []).append(edge)
    return {address: tuple(own) for address, own in found.items()}
