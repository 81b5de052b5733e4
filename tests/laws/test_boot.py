"""Laws of a runner's beginning: what was good is started ungated; what is other is tried, with what was good as the way back."""

from msgspec.structs import replace

from ignrun.manifest.model import Oneshot
from ignrun.planner.graph.model import Command
from ignrun.runtime.supervise.effects import KeepIntent, KeepOutcome, Result, SpawnCommand
from ignrun.runtime.supervise.messages import Asked, ShutdownAsked
from ignrun.terms.events import RollbackBegan
from tests.doubles.plants import command, edge, gateway, graph, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World

DB, WEB = gateway("db"), gateway("web")


def _plant(web: str = "1"):
    return graph([command("db"), command("web", code=web)], [edge("web", "db")])


def _booted(message, scripts: Scripts | None = None) -> World:
    world = World(scripts)
    world.tell(message)
    world.wait(30.0)
    world.run()
    return world


def test_what_was_good_is_started_under_its_own_number_and_not_soaked() -> None:
    world = _booted(replace(proposed(_plant()), kept=7))
    assert world.outcomes[1].result is Result.COMMITTED
    assert (world.state.generation, world.state.good and world.state.good.generation) == (7, 7)
    (intent,) = [one for one in world.effects if isinstance(one, KeepIntent)]
    assert (intent.generation, intent.is_kept) == (7, True)


def test_what_was_good_stays_good_where_somebody_does_not_come_up() -> None:
    world = _booted(replace(proposed(_plant()), kept=7), Scripts({(WEB, "startup"): ["fatal", "..."]}))
    assert world.outcomes[1].result is Result.HELD
    assert not [one for one in world.happenings if isinstance(one.body, RollbackBegan)]
    assert world.state.good and world.state.good.generation == 7


def test_a_bad_change_made_while_the_plant_was_down_goes_back_to_what_was_good() -> None:
    good = _plant()
    message = replace(proposed(_plant("2")), kept=7, way_back=good)
    world = _booted(message, Scripts({(WEB, "startup"): ["fatal"]}))
    assert world.outcomes[1].result is Result.ROLLED_BACK
    assert world.state.generation == 7
    assert world.states() == {"db": "running", "web": "running"}
    assert world.state.roster.instances[WEB].spec == good.instances[WEB]
    assert world.state.roster.instances[DB].epoch == 1  # it was started once


def test_a_oneshot_that_is_started_by_hand_waits_for_that() -> None:
    job = replace(command("job", oneshot=True), gate="none")
    assert isinstance(job.body, Command)
    job = replace(job, body=replace(job.body, oneshot=Oneshot("manual")))
    world = _booted(proposed(graph([job, command("web")])))
    assert world.outcomes[1].result is Result.COMMITTED
    assert world.states() == {"job": "uninitialized", "web": "running"}
    assert world.state.roster.instances[gateway("job")].cause == "to be started by hand"
    world.tell(Asked("start", gateway("job"), "ada", 9))
    world.run()
    assert world.states()["job"] == "stopped" and world.state.roster.instances[gateway("job")].completed
    world.tell(proposed(graph([job, command("web")]), world.state.graph, base=1, request=2))
    world.run()
    assert world.outcomes[2].result is Result.UNCHANGED


def test_an_apply_that_the_end_of_the_plant_breaks_off_is_on_record_as_interrupted() -> None:
    world = World(Scripts({(WEB, "startup"): ["not-ready"] * 9}))
    world.tell(proposed(_plant()))
    world.run(until=lambda: any(isinstance(one, SpawnCommand) for one in world.effects))
    world.tell(ShutdownAsked("ada", 0))
    world.run()
    assert world.outcomes[1].result is Result.REFUSED
    kept = [one.outcome.result for one in world.effects if isinstance(one, KeepOutcome)]
    assert kept == [Result.INTERRUPTED]
