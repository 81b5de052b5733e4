"""Turns what was recorded in a world into complaints about laws that it broke."""

from ignrun.planner.graph.model import Graph
from ignrun.runtime.supervise.conditions import at_rest
from ignrun.runtime.supervise.roster import Goal
from ignrun.terms.events import LifecycleEvent, OperatorAsked
from ignrun.terms.states import RESTING, may_move
from ignrun.terms.states import ModuleState as S
from tests.doubles.world import World


def legal_moves(world: World) -> list[str]:
    """Every recorded move is in the table, and each begins where the one before ended."""
    complaints: list[str] = []
    state: dict[str, S] = {}
    for happening in world.happenings:
        move = happening.body
        if isinstance(move, LifecycleEvent):
            before = state.get(happening.subject, S.UNINITIALIZED)
            if move.old is S.UNINITIALIZED and before in RESTING:
                before = S.UNINITIALIZED  # it was deleted, and this is another one of its name
            if before is not move.old or not may_move(move.old, move.new):
                complaints.append(f"{happening.subject} moved from {move.old} to {move.new}, it was {before}")
            state[happening.subject] = move.new
    return complaints


def start_order(world: World, graph: Graph) -> list[str]:
    """Nobody starts before each provider that it requires has been running, or has completed."""
    complaints, reached = [], set()
    requires = [edge for edge in graph.edges if edge.kind == "requires"]
    for happening in world.happenings:
        move = happening.body
        if not isinstance(move, LifecycleEvent):
            continue
        if move.new is S.RUNNING or move.cause == "completed":
            reached.add(happening.subject)
        if move.new is S.STARTING:
            lacking = [e.provider for e in requires if e.dependent == happening.subject and e.provider not in reached]
            complaints += [f"{happening.subject} started before {provider}" for provider in lacking]
    return complaints


def stop_order(world: World, graph: Graph) -> list[str]:
    """Once the plant goes down, nobody begins to stop while a dependent of his is still there."""
    complaints: list[str] = []
    state: dict[str, S] = {}
    down = False
    for happening in world.happenings:
        body = happening.body
        down = down or (isinstance(body, OperatorAsked) and body.verb == "down")
        if not isinstance(body, LifecycleEvent):
            continue
        if down and body.new is S.STOPPING and body.old in (S.RUNNING, S.STARTING):
            there = [e.dependent for e in graph.edges if e.provider == happening.subject]
            there = [d for d in there if state.get(d) not in (None, S.UNINITIALIZED, S.STOPPED, S.ERROR)]
            complaints += [f"{happening.subject} stopped before its dependent {dependent}" for dependent in there]
        state[happening.subject] = body.new
    return complaints


def ends(world: World) -> list[str]:
    """When nothing moves any more, everybody is where he is meant to be, or in error with a fault, or waits for one who is."""
    complaints = []
    for address, instance in world.state.roster.instances.items():
        up = instance.goal is Goal.UP
        fine = (instance.state is S.RUNNING or instance.completed) if up else at_rest(instance)
        failed = instance.state is S.ERROR and instance.fault is not None
        if not fine and not failed and not instance.upstream:
            complaints.append(f"{address} is {instance.state} with goal {instance.goal}, {instance.fault}")
    return complaints


def all_of(world: World, graph: Graph) -> list[str]:
    """Hold a world to every law."""
    return [*legal_moves(world), *start_order(world, graph), *stop_order(world, graph), *ends(world)]
