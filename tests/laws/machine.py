"""Owns Plants, a machine that does to a plant whatever people and processes can do to it, in any order, and watches the laws."""

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from ignrun.manifest.model import HealthPolicy
from ignrun.planner.graph.model import EMPTY, Edge, Graph, InstanceSpec
from ignrun.runtime.apply.state import Good, Phase
from ignrun.runtime.supervise.effects import Result
from ignrun.runtime.supervise.messages import ApplyProposed, Asked, CancelAsked, ShutdownAsked
from ignrun.runtime.supervise.roster import Goal
from ignrun.terms.leaves import Tree
from ignrun.terms.names import Address
from ignrun.terms.states import Condition, ModuleState
from tests.doubles.plants import IN_PLACE, command, edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import Decide, World
from tests.laws.watcher import Watcher

NAMES: Final = ("a", "b", "c", "d", "e")
HOMES: Final = ("gateway", "gateway", "second", "own", "command", "command", "oneshot")
KINDS: Final = ("requires", "requires", "wants", "after")
CALLBACKS: Final = (
    "launch",
    "import",
    "prepare",
    "initialize",
    "startup",
    "run",
    "reconfigure",
    "reload",
    "health",
    "shutdown",
)
FAILURES: Final = ("raise", "hang", "not-ready", "fatal", "exit")
VERBS: Final = ("restart", "start", "stop", "maintenance", "resume")
EDITS: Final = ("code", "level", "level", "policy", "moved", "there", "there")
SOAKS: Final = (0.0, 3.0, 3.0)
ON_FAILURE: Final = ("rollback", "rollback", "rollback", "hold", "exit")
SECONDS: Final = (0.5, 1.5, 4.0, 4.0, 40.0, 400.0)
REFUSALS: Final = tuple(frozenset(what) for what in ((), (), ("intent",), ("outcome",), ("intent", "outcome")))
DEADLINE: Final = 300.0


class Version(msgspec.Struct, frozen=True):
    """What one module says at the moment; each number is that of a facet."""

    code: int = 1
    level: int = 1
    policy: int = 1
    moved: bool = False


class Plants(RuleBasedStateMachine):
    """One plant under the real decisions, with scripted hosts and commands; a runner that has ended is followed by the next one."""

    decide: ClassVar[Decide | None] = None
    phases: ClassVar[set[Phase]] = set()  # entered by any run, and so are the states
    states: ClassVar[set[ModuleState]] = set()

    @initialize(homes=st.tuples(*[st.sampled_from(HOMES)] * 5), drawn=st.data(), seed=st.integers(0, 2**16))
    def begin(self, homes: tuple[str, ...], drawn: st.DataObject, seed: int) -> None:
        """Draw what kinds of modules there are, and who needs whom."""
        kinds = dict(zip(NAMES, homes, strict=True))
        edges = tuple(_needs(drawn, kinds))
        checked = {gateway(n) for n in NAMES if drawn.draw(st.booleans())}
        wanted = drawn.draw(st.sets(st.sampled_from(NAMES), min_size=2))
        self.open(kinds, edges, checked, wanted, seed)

    def open(
        self, homes: dict[str, str], edges: tuple[Edge, ...], checked: set[Address], wanted: set[str], seed: int
    ) -> None:
        """Apply the first manifest of a plant."""
        self.homes, self.edges, self.checked = homes, edges, checked
        self.wanted = {name: Version() for name in wanted}
        self.seed, self.request, self.kept = seed, 0, [EMPTY]
        self._open(None)
        self._tell(self._proposal(self._graph(), "cli", 0.0))
        self.world.run()

    # --- what people do ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self.alive)
    @rule(
        names=st.sets(st.sampled_from(NAMES), min_size=1, max_size=3),
        how=st.sampled_from(EDITS),
        soak=st.sampled_from(SOAKS),
        on_failure=st.sampled_from(ON_FAILURE),
        retry=st.booleans(),
        runs=st.booleans(),
    )
    def apply(  # noqa: PLR0917 - a rule has as many as it draws
        self, names: set[str], how: str, soak: float, on_failure: Any, retry: bool, runs: bool
    ) -> None:
        """Edit the plant, and apply it."""
        for name in sorted(names):
            self._edit(name, how)
        message = self._proposal(self._graph(), "watch" if retry else "cli", soak)
        self._tell(replace(message, on_failure=on_failure, retry=retry))
        self._maybe_run(runs)

    @precondition(lambda self: self.alive and self.kept)
    @rule(back=st.integers(1, 4), runs=st.booleans())
    def roll_back(self, back: int, runs: bool) -> None:
        """Ask for what an earlier generation said."""
        self._tell(self._proposal(self.kept[-min(back, len(self.kept))], "rollback", 0.0))
        self._maybe_run(runs)

    @precondition(lambda self: self.alive)
    @rule(verb=st.sampled_from(VERBS), name=st.sampled_from(NAMES), runs=st.booleans())
    def ask(self, verb: Any, name: str, runs: bool) -> None:
        """Say an operator's word."""
        self.request += 1
        self._tell(Asked(verb, gateway(name), "ada", self.request))
        self._maybe_run(runs)

    @precondition(lambda self: self.alive and self.world.state.transaction is not None)
    @rule()
    def cancel(self) -> None:
        """Want the open apply no more."""
        self._tell(CancelAsked("ada"))

    @precondition(lambda self: self.alive and self.world.turns > 40)
    @rule(twice=st.booleans())
    def shut_down(self, twice: bool) -> None:
        """Have the plant go down, or down at once."""
        for _ in range(2 if twice else 1):
            if self.alive:
                self._tell(ShutdownAsked("ada", 0))
        self.world.wait()

    @precondition(lambda self: not self.alive)
    @rule(other=st.booleans())
    def boot(self, other: bool) -> None:
        """Begin again, with what was good, or with what has been edited since and what was good as its way back."""
        self.watcher.end()
        self._begin_again(other)

    def _begin_again(self, other: bool) -> None:
        self.seed += 1
        good = self._open(self.world)
        if good is None:
            return
        self.request += 1
        desired = self._graph() if other else good.graph
        message = proposed(desired, EMPTY, request=self.request, soak=1.0, trigger="boot")
        self._tell(replace(message, kept=good.generation, way_back=good.graph if other else None))

    # --- what goes wrong --------------------------------------------------------------------------------------------

    @rule(
        name=st.sampled_from(NAMES),
        callback=st.sampled_from(CALLBACKS),
        outcomes=st.lists(st.sampled_from(FAILURES), min_size=1, max_size=2),
    )
    def fail(self, name: str, callback: str, outcomes: list[str]) -> None:
        """Let a callback fail the next times; a host that cannot be launched is that of the module."""
        subject = self._home(name) if callback == "launch" else gateway(name)
        if callback == "launch" and not subject:
            return
        self.world.scripts.outcomes[subject, callback] = list(outcomes)

    @precondition(lambda self: self.alive and self.world.hosts)
    @rule(drawn=st.data(), runs=st.booleans())
    def crash_a_host(self, drawn: st.DataObject, runs: bool) -> None:
        """End the process of a host, or let it fall silent."""
        host = drawn.draw(st.sampled_from(sorted(self.world.hosts)))
        self.end_a_host(host, silent=not drawn.draw(st.booleans()), runs=runs)

    def end_a_host(self, host: str, *, silent: bool, runs: bool) -> None:
        """Let a host fall silent, or end."""
        if silent:
            self.world.hosts[host].hangs = True
        else:
            self.world.kill_host(host)
        self._maybe_run(runs)

    @precondition(lambda self: self.alive and self.world.commands)
    @rule(drawn=st.data(), runs=st.booleans())
    def crash_a_command(self, drawn: st.DataObject, runs: bool) -> None:
        """End the process of a command."""
        self.end_a_command(drawn.draw(st.sampled_from(sorted(self.world.commands))), runs=runs)

    def end_a_command(self, address: str, *, runs: bool) -> None:
        """Let the process of a command end badly."""
        self.world.end_command(address, 1, "exit 1")
        self._maybe_run(runs)

    @rule(what=st.sampled_from(REFUSALS))
    def fill_the_disk(self, what: frozenset[str]) -> None:
        """Let the journal refuse, or keep again."""
        self.world.journal_refuses = set(what)

    # --- what passes ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.alive)
    @rule(seconds=st.sampled_from(SECONDS))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.wait(seconds)

    @precondition(lambda self: self.alive)
    @rule(steps=st.integers(1, 6))
    def happen(self, steps: int) -> None:
        """Let a little happen, and no time pass."""
        for _ in range(steps):
            if self.alive and not self.world.happen():
                break

    # --- what always holds ------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_wrong(self) -> None:
        """Hold what was recorded so far to the laws."""
        world = getattr(self, "world", None)
        if world is not None:
            self.watcher.judge()
            self._look(world)

    def teardown(self) -> None:
        """Let all be well at last: then every apply ends, what was good is there to go back to, and the plant goes down in order."""
        try:
            if hasattr(self, "world"):
                self._end(self.world)
        finally:
            self.close()

    def _end(self, world: World) -> None:
        world.scripts.outcomes.clear()
        world.journal_refuses = set()
        for host in world.hosts.values():
            host.hangs = False
        if self.alive:
            world.wait(3000.0)
        if self.alive:
            self._go_back()
            if self.alive:
                self._tell(ShutdownAsked("ada", 0))
            world.wait(3000.0)
        assert world.code is not None, f"the plant does not go down: {world.state}"
        self.watcher.end()
        world.close()
        self.watcher.judge()

    def _go_back(self) -> None:
        """Show that what was good can be had again by asking for it."""
        state = self.world.state
        assert state.transaction is None, f"{state.transaction.phase} when all has been well for long"
        if state.good is None:
            return
        for address, instance in state.roster.instances.items():
            if instance.state is ModuleState.ERROR:  # what said that it is of no use is tried again only when asked
                self.request += 1
                self._tell(Asked("restart", address, "ada", self.request))
        message = self._proposal(state.good.graph, "rollback", 0.0)
        self._tell(message)
        self.world.wait(3000.0)
        outcome = self.world.outcomes[message.request]
        held = {address for address, one in self.world.state.roster.instances.items() if one.held_by}
        assert held or outcome.result in (Result.COMMITTED, Result.UNCHANGED), outcome
        assert self.world.state.graph.instances.keys() == state.good.graph.instances.keys(), outcome
        down = {address for address, one in self.world.state.roster.instances.items() if one.goal is Goal.DOWN}
        for address, instance in self.world.state.roster.instances.items():
            plan = instance.in_place  # who is in maintenance changes afterwards
            becomes = instance.next_spec or (plan.spec if plan else instance.spec)
            assert becomes.facets == state.good.graph.instances[address].facets, f"{address} is of another version"
            fine = instance.state in (ModuleState.RUNNING, ModuleState.MAINTENANCE) or instance.completed
            waits = instance.goal is Goal.DOWN or instance.upstream in held | down
            assert fine or waits, f"{address} does not come up again: {instance}"

    # --- how --------------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self.world.code is None

    def _open(self, before: World | None) -> Good | None:
        """Begin with the next runner; gives what was good at last."""
        scripts = Scripts()
        scripts.checked = set(self.checked)
        scripts.probing = scripts.asked_again = True
        scripts.exporting = self.seed % 2 == 0
        if before:
            before.close()
        self.world = self._made(scripts)
        self.world.patience = 2000
        good = self.world.follow(before) if before else None
        self.watcher = Watcher(self.world, DEADLINE)
        return good

    def _made(self, scripts: Scripts) -> World:
        decide = type(self).decide
        return World(scripts, self.seed, **({"decide": decide} if decide else {}))

    def close(self) -> None:
        """Let go of the world."""
        if world := getattr(self, "world", None):
            world.close()

    def _tell(self, message: Any) -> None:
        self.world.tell(message)
        if isinstance(message, ApplyProposed | Asked):
            self.watcher.requests.add(message.request)

    def _maybe_run(self, runs: bool) -> None:
        if runs and self.alive:
            self.world.run()

    def _look(self, world: World) -> None:
        if world.state.transaction is not None:
            type(self).phases.add(world.state.transaction.phase)
        type(self).states.update(self.watcher.states)
        good = world.state.good
        if good is not None and good.graph is not self.kept[-1]:
            self.kept.append(good.graph)

    def _edit(self, name: str, how: str) -> None:
        version = self.wanted.get(name)
        if how == "there" and version is not None:
            del self.wanted[name]
        elif version is None:
            self.wanted[name] = Version()
        elif how == "moved":
            self.wanted[name] = replace(version, moved=not version.moved)
        else:
            self.wanted[name] = replace(version, **{how: 3 - getattr(version, how)})

    def _proposal(self, desired: Graph, trigger: str, soak: float) -> ApplyProposed:
        self.request += 1
        state = self.world.state
        return proposed(
            desired,
            state.graph,
            base=state.generation,
            request=self.request,
            trigger=trigger,
            soak=soak,
            deadline=DEADLINE,
        )

    def _graph(self) -> Graph:
        specs = [self._spec(name, version) for name, version in sorted(self.wanted.items())]
        there = {spec.address for spec in specs}
        return graph(specs, [one for one in self.edges if {one.dependent, one.provider} <= there])

    def _home(self, name: str) -> str:
        home = self.homes[name]
        return "" if home in ("command", "oneshot") else f"{name}@gateway" if home == "own" else home

    def _spec(self, name: str, version: Version) -> InstanceSpec:
        config, words = Tree({"level": version.level}), {"labels": str(version.policy)}
        home, code = self._home(name), str(version.code)
        if not home:
            checked = gateway(name) in self.checked and self.homes[name] == "command"
            spec = command(
                name,
                oneshot=self.homes[name] == "oneshot",
                code=code,
                reload=name in "ab",
                check=checked,
                config=config,
            )
        else:
            callbacks = IN_PLACE if name in "abc" else ()
            spec = module(
                name, host=f"{home}+1" if version.moved else home, code=code, callbacks=callbacks, config=config
            )
        facets = replace(spec.facets, policy=words["labels"])
        return replace(
            spec,
            facets=facets,
            health=HealthPolicy(failures=1 + version.policy),
            irreversible=name == "e" and version.code == 2,
        )


def _needs(drawn: st.DataObject, homes: dict[str, str]) -> Iterator[Edge]:
    for number, name in enumerate(NAMES):
        for provider in sorted(drawn.draw(st.sets(st.sampled_from(NAMES[:number]), max_size=2))) if number else ():
            yield need(name, provider, drawn.draw(st.sampled_from(KINDS)), homes)


def need(dependent: str, provider: str, kind: str, homes: dict[str, str]) -> Edge:
    """Make an edge: who ends is needed completed, everybody else healthy."""
    return edge(dependent, provider, kind, Condition.COMPLETED if homes[provider] == "oneshot" else Condition.HEALTHY)
