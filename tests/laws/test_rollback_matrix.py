"""Laws of the way back, case by case: whatever fails, how, and where in the plant, what was good is there again."""

import itertools
from collections.abc import Iterator

import pytest

from ignrun.manifest.model import HealthPolicy
from ignrun.planner.graph.model import Graph
from ignrun.runtime.apply.state import Phase
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.leaves import Tree
from ignrun.terms.states import ModuleState
from tests.doubles.plants import IN_PLACE, command, edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import Decide, World
from tests.laws import judge
from tests.laws.sabotage import SABOTAGES

WHERE = {"first": gateway("a"), "middle": gateway("b"), "last": gateway("c")}
STAGES = ("prepare", "start", "ready", "soak", "stop-old")
WAYS = ("raise", "exit", "hang", "crash", "missing binary", "port busy")
CALLBACK = {"prepare": "prepare", "start": "initialize", "ready": "startup", "soak": "run", "stop-old": "shutdown"}
OUTCOME = {
    "raise": "raise",
    "exit": "exit",
    "hang": "hang",
    "crash": "exit",
    "missing binary": "fatal",
    "port busy": "raise",
}
Case = tuple[str, str, str, str]


def plant(kind: str, code: str) -> Graph:
    """Make a chain of three that change with `code`, and one that never does."""
    if kind == "command":
        specs = [command(name, code=code) for name in "abc"]
    elif kind == "in place":
        config = Tree({"code": code})
        specs = [module(name, host=f"{name}@gateway", callbacks=IN_PLACE, config=config) for name in "abc"]
    else:
        specs = [module(name, host=f"{name}@gateway", code=code) for name in "abc"]
    quiet = module("d", host="d@gateway", health=HealthPolicy())
    return graph([*specs, quiet], [edge("b", "a"), edge("c", "b")])


def cases() -> Iterator[Case]:
    """List what can fail how and where; what a kind of module does not do is left out."""
    for kind, stage, way, where in itertools.product(("hosted", "in place", "command"), STAGES, WAYS, WHERE):
        if kind == "command" and (stage in ("prepare", "start", "stop-old") or (stage == "soak" and way != "exit")):
            continue
        if (kind == "in place") != (stage == "prepare") and stage not in ("ready", "soak"):
            continue
        if stage == "prepare" and way == "missing binary":
            continue
        yield kind, stage, way, where


def play(case: Case, decide: Decide | None = None, seed: int = 0) -> World:
    """Have a plant committed, and let its next version fail as the case says."""
    kind, stage, way, where = case
    world = World(Scripts(), seed, **({"decide": decide} if decide else {}))
    world.tell(proposed(plant(kind, "1")))
    world.run()
    who = WHERE[where]
    callback = "reconfigure" if kind == "in place" and stage == "ready" else CALLBACK[stage]
    outcome = {"fatal": "raise"}.get(OUTCOME[way], OUTCOME[way]) if stage == "prepare" else OUTCOME[way]
    if stage != "soak":
        world.scripts.outcomes[who, callback] = [outcome]
    if way == "crash":
        for host in world.hosts.values():
            host.tells = False
    world.tell(proposed(plant(kind, "2"), world.state.graph, base=1, request=2, soak=3.0))
    world.run()
    if stage == "soak" and world.state.transaction and world.state.transaction.phase is Phase.SOAKING:
        if kind == "command":
            world.end_command(who, 1, "exit 1")
        else:
            world.scripts.outcomes[who, "run"] = [outcome]
    return world.wait(600.0)


def complaints(world: World, case: Case) -> list[str]:
    """Hold what came of a case to the promise: the version before is there again, and nobody else has noticed."""
    kind, stage, _, _ = case
    outcome = world.outcomes.get(2)
    if outcome is None:
        return ["it has no outcome"]
    wanted = {Result.ROLLED_BACK}
    if stage == "prepare":
        wanted = {Result.REJECTED}
    if stage == "stop-old":
        wanted = {Result.COMMITTED}
    found = [] if outcome.result in wanted else [f"it ended {outcome.result.value}: {outcome.summary}"]
    code = "2" if outcome.result is Result.COMMITTED else "1"
    expected = plant(kind, code).instances
    for address, instance in world.state.roster.instances.items():
        if instance.spec.facets != expected[address].facets:
            found.append(f"{address} is of the other version")
        if instance.state is not ModuleState.RUNNING:
            found.append(f"{address} is {instance.state.value}: {instance.fault}")
    if world.state.roster.instances[gateway("d")].epoch != 1:
        found.append("who was not touched began anew")
    return [*found, *judge.legal_moves(world), *judge.ends(world)]


@pytest.mark.parametrize("case", list(cases()), ids="-".join)
def test_whatever_fails_what_was_good_is_there_again(case):
    assert complaints(play(case), case) == []


def test_however_often_a_change_has_ended_a_host_the_way_back_waits_for_no_back_off():
    world = World(Scripts())
    world.tell(proposed(plant("hosted", "1")))
    world.run()
    for number in range(2, 12):
        world.scripts.outcomes[WHERE["middle"], "startup"] = ["exit"]
        world.tell(proposed(plant("hosted", str(number)), world.state.graph, base=1, request=number, soak=0.0))
        world.run()
        assert world.outcomes[number].result is Result.ROLLED_BACK


@pytest.mark.torture
@pytest.mark.parametrize("case", list(cases()), ids="-".join)
def test_whatever_fails_in_whatever_order_what_was_good_is_there_again(case):
    for seed in range(40):
        assert complaints(play(case, seed=seed), case) == [], seed


@pytest.mark.parametrize("name", ["forgets to turn round", "restores nothing", "asks nobody", "stops at the first"])
def test_the_matrix_catches_a_runner_that(name):
    caught = 0
    for case in cases():
        try:
            caught += bool(complaints(play(case, SABOTAGES[name]), case))
        except AssertionError:
            caught += 1
    assert caught
