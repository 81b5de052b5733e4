"""Laws of stuck loops: who keeps a host to himself is not well, and checks that nobody answers are failed checks."""

import pytest
from msgspec.structs import replace

from ignrun.manifest.model import HealthPolicy, Lifecycle
from ignrun.protocol.reports import Resumed, Stalled
from ignrun.runtime.supervise import silence
from ignrun.runtime.supervise.messages import Asked, HostSaid
from ignrun.runtime.supervise.roster import HostPhase
from ignrun.terms.events import HealthChanged
from ignrun.terms.names import HostId
from ignrun.terms.states import Health, ModuleState
from tests.doubles.plants import gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World
from tests.laws import judge

BAD, MATE = gateway("bad"), gateway("mate")
WHERE = "Bad.run at bad.py:4"
ALLOWED = 35.0
"""Seconds that three checks in a row take which nobody answers: 3 * 5 and twice the pause of 10."""


def running(checked=(), **rules) -> World:
    scripts = Scripts()
    scripts.checked = set(checked)
    world = World(scripts)
    health = HealthPolicy(**{"interval": 10.0, "timeout": 5.0, "failures": 3, **rules})
    world.tell(proposed(graph([module("bad", health=health), module("mate", health=health)])))
    world.run()
    assert world.states() == {"bad": "running", "mate": "running"}
    return world


def stuck(world: World, address=BAD) -> World:
    world.tell(HostSaid(HostId("gateway"), 1, Stalled(address, WHERE, 1.0)))
    return world


def one(world: World, address):
    return world.state.roster.instances[address]


def is_open(world: World) -> bool:
    return world.state.transaction is not None


def homes(world: World) -> dict[str, str]:
    return {address.partition("@")[0]: one(world, address).spec.body.host for address in (BAD, MATE)}


@pytest.mark.parametrize("checked", [(), (BAD,)])
def test_who_keeps_the_loop_to_himself_is_degraded_until_it_goes_on(checked):
    world = stuck(running(checked))
    assert (one(world, BAD).health, one(world, BAD).health_reason) == (
        Health.DEGRADED,
        f"it blocks its host in {WHERE}",
    )
    world.tell(HostSaid(HostId("gateway"), 1, Resumed(BAD, 3.0)))
    world.run()
    assert one(world, BAD).health is Health.HEALTHY
    changes = [h.body.new for h in world.happenings if isinstance(h.body, HealthChanged) and h.subject == BAD]
    assert changes[-2 - len(checked) :] == [Health.DEGRADED, *([Health.UNKNOWN] if checked else []), Health.HEALTHY]


def test_a_loop_that_nobody_is_known_to_keep_makes_nobody_degraded():
    world = stuck(running(), "")
    assert {one(world, BAD).health, one(world, MATE).health} == {Health.HEALTHY}


@pytest.mark.parametrize("checked", [(BAD,), (MATE,), (BAD, MATE)])
def test_checks_that_a_stuck_host_leaves_unanswered_have_it_replaced_and_the_culprit_comes_back_alone(checked):
    world = stuck(running(checked))
    world.wait(ALLOWED - 2.0)
    assert world.state.roster.hosts[HostId("gateway")].phase is HostPhase.SERVING
    world.wait(60.0)
    assert homes(world) == {"bad": BAD, "mate": "gateway"}
    assert world.states() == {"bad": "running", "mate": "running"}
    assert "was blocked for 35s by bad@gateway in Bad.run at bad.py:4" in one(world, BAD).statistics.last_error
    assert judge.legal_moves(world) == []


def test_who_is_only_to_be_reported_on_is_unhealthy_and_his_host_stays():
    world = stuck(running((BAD,), on_unhealthy="report"))
    world.wait(600.0)
    assert one(world, BAD).health is Health.UNHEALTHY
    assert one(world, BAD).health_reason.startswith("its checks are not answered: host gateway was blocked for")
    assert homes(world) == {"bad": "gateway", "mate": "gateway"}


@pytest.mark.parametrize("kept", ["unchecked", "maintained"])
def test_a_stuck_host_in_which_nobody_is_asked_stays(kept):
    world = running((BAD,) if kept == "maintained" else ())
    if kept == "maintained":
        world.tell(Asked("maintenance", BAD, "anna", 5))
        world.run()
    stuck(world)
    world.wait(600.0)
    assert homes(world) == {"bad": "gateway", "mate": "gateway"}
    assert one(world, BAD).state is (ModuleState.MAINTENANCE if kept == "maintained" else ModuleState.RUNNING)


def test_who_is_stuck_in_its_start_is_replaced_by_its_own_deadline_also_when_the_start_itself_was_not_heard_of():
    world = World()
    world.tell(
        proposed(graph([replace(module("bad"), lifecycle=Lifecycle(start_timeout=0.5)), module("mate")])),
    )
    while "gateway" not in world.hosts or BAD not in world.hosts["gateway"].live:
        world.happen()
    world.hosts["gateway"].hangs = True
    assert one(world, BAD).state is ModuleState.UNINITIALIZED
    world.tell(HostSaid(HostId("gateway"), 1, Stalled(BAD, "Bad.startup at bad.py:4", 1.0)))
    world.wait(4.0)
    assert world.state.roster.hosts[HostId("gateway")].phase is HostPhase.SERVING
    world.wait(10.0)
    assert homes(world) == {"bad": BAD, "mate": "gateway"}
    assert "was blocked for 6s by bad@gateway in Bad.startup" in (one(world, BAD).statistics.last_error or "")


def test_who_may_not_be_restarted_while_an_apply_is_open_is_restarted_once_it_is_over():
    scripts = Scripts({(gateway("slow"), "startup"): ["not-ready", "not-ready", "not-ready", "..."]})
    scripts.checked = {BAD}
    world = World(scripts)
    health = HealthPolicy(interval=1.0, timeout=1.0, failures=2)
    bad = replace(module("bad", health=health), gate="none")
    world.tell(proposed(graph([bad, module("mate"), module("slow", host="other")]), deadline=60.0))
    world.run(until=lambda: list(world.states().values())[:2] == ["running"] * 2)
    stuck(world)
    world.wait(10.0)
    assert is_open(world)
    assert one(world, BAD).health is Health.UNHEALTHY
    assert homes(world) == {"bad": "gateway", "mate": "gateway"}
    world.wait(120.0)
    assert not is_open(world)
    assert homes(world) == {"bad": BAD, "mate": "gateway"}


def test_a_build_that_does_not_count_unanswered_checks_is_caught(monkeypatch):
    monkeypatch.setattr(silence, "patience", lambda *_: 0.0)
    with pytest.raises(AssertionError):
        test_checks_that_a_stuck_host_leaves_unanswered_have_it_replaced_and_the_culprit_comes_back_alone((BAD,))
