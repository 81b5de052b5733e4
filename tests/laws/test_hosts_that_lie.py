"""Laws of what a host may say: it is checked, and neither its chatter nor its inventions hold the plant up."""

from ignrun.protocol.reports import Exported, HealthReport, Loaded, Move, Moves, Traits
from ignrun.runtime.supervise.messages import HostSaid, ShutdownAsked
from ignrun.terms.events import LifecycleEvent, MoveRefused
from ignrun.terms.names import HostId
from ignrun.terms.states import Health, ModuleState
from tests.doubles.plants import DAWN, edge, gateway, graph, module, proposed
from tests.doubles.world import World

GATEWAY = HostId("gateway")
TAGS, WEB = gateway("tags"), gateway("web")
S = ModuleState


def running() -> World:
    world = World()
    world.tell(proposed(graph([module("tags"), module("web", host="other")], [edge("web", "tags")])))
    return world.run()


def moved(world: World, old: S, new: S, cause: str) -> None:
    epoch = world.state.roster.instances[TAGS].epoch
    world.tell(HostSaid(GATEWAY, world.state.roster.hosts[GATEWAY].epoch, moves(old, new, cause, epoch)))


def moves(old: S, new: S, cause: str, epoch: int) -> Moves:
    return Moves((Move(TAGS, epoch, old, new, cause, DAWN, 0.0),))


def test_a_host_that_was_idle_for_long_has_its_whole_time_to_stop():
    world = running().wait(3600.0)
    world.hosts["gateway"].hangs = True
    world.tell(ShutdownAsked("operator", 0))
    world.wait(20.0)
    assert "gateway" in world.hosts, "its shutdown may take 10 s, and so may that of its hook"
    world.wait(10.0)
    assert world.code == 0


def test_chatter_is_no_progress():
    world = running()
    world.hosts["gateway"].hangs = True
    world.tell(ShutdownAsked("operator", 0))
    for _ in range(30):
        world.wait(1.0)
        if world.code is None:
            world.tell(HostSaid(GATEWAY, 1, HealthReport(TAGS, 1, Health.HEALTHY)))
            world.tell(HostSaid(GATEWAY, 1, Exported(TAGS, 1, {"still": "here"})))
    assert world.code == 0


def test_one_that_stops_without_having_been_told_to_has_failed_and_does_not_come_back_in_a_tight_loop():
    world = running()
    for _ in range(20):
        moved(world, S.RUNNING, S.STOPPING, "because I can")
        world.hosts["gateway"].live.clear()
        moved(world, S.STOPPING, S.STOPPED, "because I can")
        world.run()
        if world.state.roster.instances[TAGS].state is not S.RUNNING:
            break
    tags = world.state.roster.instances[TAGS]
    assert tags.state is S.ERROR
    assert tags.fault is not None and tags.fault.summary == "it stopped without having been told to"
    assert tags.backoff.next_retry is not None and tags.backoff.next_retry > world.mono


def test_nobody_is_taken_into_maintenance_by_a_host():
    world = running()
    moved(world, S.RUNNING, S.MAINTENANCE, "leave me alone")
    assert any(isinstance(h.body, MoveRefused) for h in world.happenings)
    assert not any(isinstance(h.body, LifecycleEvent) and h.body.new is S.MAINTENANCE for h in world.happenings)
    world.wait()
    assert world.states() == {"tags": "running", "web": "running"}


def test_a_host_is_believed_only_of_those_who_live_in_it():
    world = running()
    strangers = tuple(Traits(f"invented{number}@gateway", ("check_health",)) for number in range(3))
    world.tell(HostSaid(GATEWAY, 1, Loaded((), (*strangers, Traits(WEB, ("check_health",))))))
    assert world.state.roster.hosts[GATEWAY].checked == frozenset()
    world.tell(HostSaid(GATEWAY, 1, HealthReport(WEB, 1, Health.UNHEALTHY, "they say")))
    world.tell(HostSaid(GATEWAY, 1, Exported(WEB, 1, {"a": "lie"})))
    assert "a" not in world.state.roster.instances[WEB].exports
    assert world.state.roster.instances[WEB].failures == 0
