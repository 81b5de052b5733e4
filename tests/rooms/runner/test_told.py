"""Holds a change of log levels to reaching the hosts of those whom it concerns, each once, and nobody else."""

from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from ignrun.manifest.model import LogPolicy
from ignrun.planner.graph.model import Rules
from ignrun.protocol import orders
from ignrun.runner.fill import timeouts_of
from ignrun.runner.told import level_of, levels, timings
from ignrun.runtime.apply.state import State
from ignrun.runtime.supervise.roster import Instance, Roster
from ignrun.terms.names import HostId
from tests.doubles.plants import command, graph, module

TAGS, WEB, JOB = module("tags"), module("web"), command("job")


def state(*specs: Any, plant: Any = None) -> State:
    rules = Rules(log=LogPolicy(level=plant))
    instances = {one.address: Instance(one) for one in specs}
    return State(graph=replace(graph([*specs]), rules=rules), roster=Roster(instances))


def told(*states: State) -> list[tuple[str, int, dict[str, str]]]:
    """Give what hosts hear of these states, one after the other, all being loaded in the first."""
    heard: list[tuple[str, int, dict[str, str]]] = []
    policy = levels(lambda host, epoch, order: heard.append((host, epoch, order.levels)))
    first = states[0]
    loaded: Any = [
        SimpleNamespace(address=one.address, level=level_of(one, first.graph.rules))
        for one in first.graph.instances.values()
        if one.address != JOB.address
    ]
    policy.loaded(HostId("gateway"), 3, loaded)
    for one in states:
        policy.follow(one)
        policy.follow(one)
    return heard


def test_a_level_of_ones_own_reaches_the_host_once() -> None:
    loud = replace(TAGS, log=LogPolicy(level="debug"))
    assert told(state(TAGS, WEB, JOB), state(loud, WEB, JOB)) == [("gateway", 3, {TAGS.address: "debug"})]


def test_the_level_of_the_plant_reaches_all_who_say_nothing_themselves_and_goes_back_with_a_rollback() -> None:
    quiet = replace(TAGS, log=LogPolicy(level="error"))
    before, after = state(quiet, WEB, JOB), state(quiet, WEB, JOB, plant="debug")
    told_of = told(before, after, before)
    assert told_of == [("gateway", 3, {WEB.address: "debug"}), ("gateway", 3, {WEB.address: "info"})]


def test_nothing_is_said_where_nothing_changes() -> None:
    assert told(state(TAGS, WEB), state(TAGS, WEB), state(WEB)) == []
    assert isinstance(orders.Levels({}), orders.HostOrder)


def test_other_timeouts_reach_the_host_of_whom_they_are() -> None:
    heard: list[Any] = []
    policy = timings(lambda host, epoch, order: heard.append((host, epoch, order)))
    policy.loaded(HostId("gateway"), 3, [SimpleNamespace(address=TAGS.address, timeouts=timeouts_of(TAGS))])  # type: ignore[list-item]
    brisk = replace(TAGS, health=replace(TAGS.health, interval=0.5))
    for one in (state(TAGS), state(brisk), state(brisk)):
        policy.follow(one)
    assert heard == [("gateway", 3, orders.Timings({TAGS.address: timeouts_of(brisk)}))]
    assert timeouts_of(brisk).health_interval == 0.5
