"""Holds a host to the states: what it reports of instances that work, fail, hang, complete and stop."""

import pytest

from ignrun.protocol.orders import Clear, ClearStop, Item, Route, Routes, Start, Stop, Timeouts
from ignrun.protocol.reports import PROTOCOL
from ignrun.terms.fault import FaultKind
from ignrun.terms.leaves import ExportNamed, Literal, Pending
from ignrun.terms.states import Condition, Health, ModuleState, may_move
from tests.rooms.host.harness import assignment, needs

PLAYS = "tests.rooms.host.plays:"
UP = ["initializing", "initialized", "starting", "running"]
DOWN = ["stopping", "stopped"]
SHORT = Timeouts(initialize=0.1, start=0.1, stop=0.4, health=0.1, health_interval=0.02)


def play(name, address, tmp_path, **more):
    return assignment(address, PLAYS + name, tmp_path, **more)


def test_a_module_is_brought_up_and_down(runner, tmp_path) -> None:
    loaded = runner.load(play("Tags", "tags@gateway", tmp_path))
    assert loaded.faults == ()
    assert loaded.traits[0].provides == ("add", "blocking", "broken", "count", "how_many", "how_many_watch", "odd", "produced", "slow", "ticks")  # fmt: skip
    runner.start("tags@gateway")
    running = runner.until_state("tags@gateway", "running")
    assert running.exports == {"url": "tags://1"}
    runner.until(lambda: runner.health_of("tags@gateway"))
    assert runner.health_of("tags@gateway")[0].health is Health.HEALTHY
    runner.stop("tags@gateway")
    runner.until_state("tags@gateway", "stopped")
    assert runner.path_of("tags@gateway") == UP + DOWN
    assert all(may_move(move.old, move.new) for move in runner.moves)


def test_hello_says_who_it_is(runner) -> None:
    assert (runner.hello.protocol, runner.hello.version) == (PROTOCOL, "0.1.0")
    assert runner.hello.socket.endswith(".peers")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "tests.rooms.host.plays:Missing",
            "AttributeError: module 'tests.rooms.host.plays' has no attribute 'Missing'",
        ),
        ("tests.rooms.host.plays:NoModule", "a class that does not extend AbstractIgnitionModule"),
        ("tests.rooms.host.plays:plain_function", "is `function`; an entry is a class"),
        ("nowhere.at.all:X", "ModuleNotFoundError: No module named 'nowhere'"),
        ("broken_import:X", "ZeroDivisionError: division by zero"),
        ("bad_syntax:X", "SyntaxError"),
        ("leaves:X", "called sys.exit(4)"),
    ],
)
def test_a_class_that_cannot_be_imported_is_an_import_fault_with_its_place(runner, tmp_path, entry, said) -> None:
    (tmp_path / "broken_import.py").write_text("x = 1\n1 / 0\n")
    (tmp_path / "bad_syntax.py").write_text("def f(:\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(4)\n")
    loaded = runner.load(assignment("a@gateway", entry, tmp_path), play("Plain", "b@gateway", tmp_path))
    (fault,) = loaded.faults
    assert fault.address == "a@gateway"
    assert fault.fault.kind is FaultKind.IMPORT
    assert said in fault.fault.summary
    if entry == "broken_import:X":
        assert "broken_import.py:2)" in fault.fault.summary
        assert "broken_import.py" in fault.fault.detail
    assert "importlib" not in fault.fault.detail
    assert [one.address for one in loaded.traits] == ["b@gateway"]


@pytest.mark.parametrize("callback", ["__init__", "initialize", "startup"])
def test_what_raises_on_the_way_up_ends_in_error_with_a_fault(runner, tmp_path, callback) -> None:
    runner.load(play("Raises", "a@gateway", tmp_path, config={"in": callback}))
    runner.start("a@gateway")
    fault = runner.until_state("a@gateway", "error").fault
    assert fault.kind is FaultKind.RAISED
    assert fault.summary == f"`{callback}` raised ValueError: told to"
    assert "plays.py" in fault.detail
    assert "callbacks.py" not in fault.detail


@pytest.mark.parametrize(("error", "kind"), [("NotReady", "not-ready"), ("Fatal", "fatal"), ("exit", "raised")])
def test_what_it_raises_decides_the_kind_of_fault(runner, tmp_path, error, kind) -> None:
    runner.load(play("Raises", "a@gateway", tmp_path, config={"in": "startup", "error": error}))
    runner.start("a@gateway")
    assert runner.until_state("a@gateway", "error").fault.kind.value == kind


def test_a_main_loop_that_raises_fails_a_running_module(runner, tmp_path) -> None:
    runner.load(play("Raises", "a@gateway", tmp_path, config={"in": "run"}))
    runner.start("a@gateway")
    assert runner.until_state("a@gateway", "error").fault.callback == "run"
    assert runner.path_of("a@gateway") == [*UP, "error"]


def test_a_shutdown_that_raises_ends_in_error(runner, tmp_path) -> None:
    runner.load(play("Raises", "a@gateway", tmp_path, config={"in": "shutdown"}))
    runner.start("a@gateway")
    runner.until_state("a@gateway", "running")
    runner.stop("a@gateway")
    assert runner.until_state("a@gateway", "error").fault.summary == "`shutdown` raised ValueError: told to"


def test_a_check_that_raises_is_unhealthy(runner, tmp_path) -> None:
    runner.load(play("Raises", "a@gateway", tmp_path, config={"in": "check_health"}))
    runner.start("a@gateway")
    runner.until(lambda: runner.health_of("a@gateway"))
    assert runner.health_of("a@gateway")[0].reason == "`check_health` raised ValueError: told to"


@pytest.mark.parametrize("rude", [False, True])
@pytest.mark.parametrize("callback", ["initialize", "startup"])
def test_what_hangs_on_the_way_up_times_out_even_if_it_swallows_its_cancellation(
    runner, tmp_path, callback, rude
) -> None:
    runner.load(play("Hangs", "a@gateway", tmp_path, config={"in": callback, "rude": rude}, timeouts=SHORT))
    runner.start("a@gateway")
    fault = runner.until_state("a@gateway", "error").fault
    assert fault.kind is (FaultKind.OVERDUE if rude else FaultKind.TIMED_OUT)
    assert fault.summary.startswith(f"`{callback}` did not end within 100ms")
    if rude:
        runner.until(lambda: runner.unfinished("a@gateway"))
        assert "still running, so that `shutdown` was not called" in runner.unfinished("a@gateway")[0].names[0]
        for epoch in (2, 3):
            runner.start("a@gateway", epoch=epoch)
            again = runner.until_state("a@gateway", "error", epoch=epoch).fault
            assert again.kind is FaultKind.OVERDUE
            assert again.summary.startswith(f"`{callback}` of the incarnation before still runs, and callbacks")


@pytest.mark.parametrize("rude", [False, True])
def test_a_shutdown_that_hangs_ends_in_error(runner, tmp_path, rude) -> None:
    runner.load(play("Hangs", "a@gateway", tmp_path, config={"in": "shutdown", "rude": rude}, timeouts=SHORT))
    runner.start("a@gateway")
    runner.until_state("a@gateway", "running")
    runner.stop("a@gateway")
    kind = FaultKind.OVERDUE if rude else FaultKind.TIMED_OUT
    assert runner.until_state("a@gateway", "error").fault.kind is kind


def test_a_main_loop_that_swallows_its_cancellation_is_named_and_left(runner, tmp_path) -> None:
    runner.load(play("Hangs", "a@gateway", tmp_path, config={"in": "run", "rude": True}, timeouts=SHORT))
    runner.start("a@gateway")
    runner.until_state("a@gateway", "running")
    runner.stop("a@gateway")
    runner.until_state("a@gateway", "stopped")
    assert runner.unfinished("a@gateway")[0].names == ("run",)


@pytest.mark.parametrize("rude", [False, True])
def test_a_check_that_hangs_is_unhealthy_again_and_again(runner, tmp_path, rude) -> None:
    runner.load(play("Hangs", "a@gateway", tmp_path, config={"in": "check_health", "rude": rude}, timeouts=SHORT))
    runner.start("a@gateway")
    runner.until(lambda: len(runner.health_of("a@gateway")) >= 2)
    assert {one.health for one in runner.health_of("a@gateway")} == {Health.UNHEALTHY}
    assert "did not answer within 100ms" in runner.health_of("a@gateway")[0].reason


def test_a_plain_callback_that_hangs_keeps_its_thread_and_nothing_else_of_it_is_called(runner, tmp_path) -> None:
    runner.load(play("HangsOnThread", "a@gateway", tmp_path, timeouts=SHORT))
    runner.start("a@gateway")
    assert runner.until_state("a@gateway", "error").fault.kind is FaultKind.OVERDUE
    runner.until(lambda: runner.unfinished("a@gateway"))
    assert runner.unfinished("a@gateway")[0].names[0].startswith("`startup`, still running")


def test_health_is_asked_again_and_again(runner, tmp_path) -> None:
    runner.load(play("Moody", "a@gateway", tmp_path, timeouts=SHORT))
    runner.start("a@gateway")
    runner.until(lambda: len(runner.health_of("a@gateway")) >= 3)
    assert [one.health.value for one in runner.health_of("a@gateway")[:3]] == ["unhealthy", "degraded", "healthy"]


def test_a_dependent_waits_until_its_provider_is_healthy(runner, tmp_path) -> None:
    runner.load(
        play("Moody", "a@gateway", tmp_path, timeouts=SHORT),
        play("Plain", "b@gateway", tmp_path, bindings=(needs("a@gateway"),)),
        play("Plain", "c@gateway", tmp_path, bindings=(needs("a@gateway", condition=Condition.STARTED),)),
    )
    runner.start("b@gateway", "c@gateway", "a@gateway")
    runner.until_state("b@gateway", "running")
    said = [type(one).__name__ + getattr(getattr(one, "health", None), "value", "") for one in runner.reports]
    assert said.index("HealthReportdegraded") < max(index for index, one in enumerate(said) if one == "Moves")
    moves = [(move.address[0], move.new.value) for move in runner.moves if move.new is ModuleState.RUNNING]
    assert moves == [("a", "running"), ("c", "running"), ("b", "running")]


def test_a_failed_provider_leaves_its_dependents_waiting_until_they_are_stopped(runner, tmp_path) -> None:
    runner.load(
        play("Raises", "a@gateway", tmp_path, config={"in": "startup"}),
        play("Plain", "b@gateway", tmp_path, bindings=(needs("a@gateway"),)),
        play("Plain", "c@gateway", tmp_path, bindings=(needs("a@gateway", required=False),)),
    )
    runner.start("a@gateway", "b@gateway", "c@gateway")
    runner.until_state("c@gateway", "running")
    assert runner.path_of("b@gateway") == ["initializing", "initialized"]
    runner.stop("b@gateway", cleared=())
    runner.until_state("b@gateway", "stopped")
    assert runner.path_of("b@gateway") == ["initializing", "initialized", "stopping", "stopped"]


def test_a_provider_that_comes_back_lets_its_dependents_start(runner, tmp_path) -> None:
    runner.load(
        play("Raises", "a@gateway", tmp_path, config={"in": "startup"}),
        play("Plain", "b@gateway", tmp_path, bindings=(needs("a@gateway"),)),
    )
    runner.start("a@gateway", "b@gateway")
    runner.until_state("a@gateway", "error")
    runner.load(play("Raises", "a@gateway", tmp_path))
    runner.start("a@gateway", epoch=2)
    runner.until_state("b@gateway", "running")
    assert runner.path_of("a@gateway", 2) == UP


def test_completion_is_stopped_and_meets_every_condition(runner, tmp_path) -> None:
    names = [f"{one.value}@gateway" for one in Condition]
    runner.load(
        play("Completes", "a@gateway", tmp_path),
        *(
            play("Plain", name, tmp_path, bindings=(needs("a@gateway", condition=one),))
            for one, name in zip(Condition, names, strict=True)
        ),
    )
    runner.start("a@gateway", *names)
    for name in names:
        runner.until_state(name, "running")
    assert runner.until_state("a@gateway", "stopped").cause == "completed"


def test_what_is_not_cleared_waits_initialised_for_the_runner(runner, tmp_path) -> None:
    runner.load(play("Plain", "a@gateway", tmp_path), play("Plain", "b@gateway", tmp_path))
    runner.start("a@gateway", "b@gateway", cleared=("b@gateway",))
    runner.until_state("b@gateway", "running")
    assert runner.path_of("a@gateway") == ["initializing", "initialized"]
    runner.tell(Clear((Item("a@gateway", 1),)))
    runner.until_state("a@gateway", "running")


def test_stopping_waits_for_local_dependents_and_for_the_runner(runner, tmp_path) -> None:
    runner.load(
        play("Plain", "a@gateway", tmp_path), play("Plain", "b@gateway", tmp_path, bindings=(needs("a@gateway"),))
    )
    runner.start("a@gateway", "b@gateway")
    runner.until_state("b@gateway", "running")
    runner.stop("a@gateway", "b@gateway", cleared=("b@gateway",))
    runner.until_state("b@gateway", "stopped")
    assert runner.state("a@gateway") is ModuleState.RUNNING
    runner.tell(ClearStop((Item("a@gateway", 1),)))
    runner.until_state("a@gateway", "stopped")


def test_a_stop_during_a_start_cancels_it(runner, tmp_path) -> None:
    runner.load(play("Hangs", "a@gateway", tmp_path, config={"in": "startup"}))
    runner.start("a@gateway")
    runner.until_state("a@gateway", "starting")
    runner.stop("a@gateway", cleared=())
    runner.until_state("a@gateway", "stopped")
    assert runner.path_of("a@gateway") == [*UP[:3], *DOWN]


def test_orders_of_another_epoch_are_stale(runner, tmp_path) -> None:
    runner.load(play("Plain", "a@gateway", tmp_path), play("Plain", "b@gateway", tmp_path))
    runner.start("a@gateway", epoch=3)
    runner.until_state("a@gateway", "running", epoch=3)
    runner.stop("a@gateway", epoch=2)
    runner.start("a@gateway", epoch=2)
    runner.start("b@gateway")
    runner.until_state("b@gateway", "running")
    assert runner.state("a@gateway") is ModuleState.RUNNING


def test_a_restart_makes_a_fresh_object_with_its_new_config(runner, tmp_path) -> None:
    runner.load(play("Configured", "a@gateway", tmp_path, config={"n": 1}))
    runner.start("a@gateway")
    assert runner.until_state("a@gateway", "running").exports == {"seen": {"n": 1}}
    runner.load(play("Configured", "a@gateway", tmp_path, config={"n": 2}))
    runner.stop("a@gateway")
    runner.until_state("a@gateway", "stopped")
    runner.start("a@gateway", epoch=2)
    assert runner.until_state("a@gateway", "running", epoch=2).exports == {"seen": {"n": 2}}


def test_a_config_that_needs_exports_waits_for_them(runner, tmp_path) -> None:
    pending = (
        Pending(("url",), (ExportNamed("tags@gateway", "url"), Literal("/x")), "string"),
        Pending(("far",), (ExportNamed("far@gateway", "port"),), "integer"),
    )
    runner.load(
        play("Tags", "tags@gateway", tmp_path),
        play(
            "Configured",
            "a@gateway",
            tmp_path,
            config={"url": None, "far": None},
            pending=pending,
            bindings=(needs("tags@gateway"), needs("far@gateway", local=False)),
        ),
    )
    runner.start("a@gateway", "tags@gateway", cleared=("tags@gateway",))
    runner.until_state("tags@gateway", "running")
    assert runner.path_of("a@gateway") == []
    runner.tell(
        Routes((Route("far@gateway", None, ModuleState.RUNNING, {"port": "99"}),)), Clear((Item("a@gateway", 1),))
    )
    running = runner.until_state("a@gateway", "running")
    assert running.exports == {"seen": {"url": "tags://1/x", "far": 99}}


def test_a_missing_export_is_a_fault_that_names_it(runner, tmp_path) -> None:
    pending = (Pending(("url",), (ExportNamed("tags@gateway", "uri"),)),)
    runner.load(
        play("Tags", "tags@gateway", tmp_path),
        play(
            "Configured",
            "a@gateway",
            tmp_path,
            config={"url": None},
            pending=pending,
            bindings=(needs("tags@gateway"),),
        ),
    )
    runner.start("a@gateway", "tags@gateway")
    fault = runner.until_state("a@gateway", "error").fault
    assert "`tags@gateway` does not export `uri` (it exports url)" in fault.summary


def test_an_instance_that_waits_for_its_config_stops_at_once(runner, tmp_path) -> None:
    pending = (Pending(("url",), (ExportNamed("far@gateway", "url"),)),)
    runner.load(
        play("Configured", "a@gateway", tmp_path, config={"url": None}, pending=pending),
        play("Plain", "b@gateway", tmp_path),
    )
    runner.start("a@gateway", cleared=())
    runner.stop("a@gateway")
    runner.start("a@gateway", epoch=2, cleared=())
    runner.tell(
        Routes((Route("far@gateway", None, ModuleState.RUNNING, {"url": "u"}),)), Clear((Item("a@gateway", 2),))
    )
    runner.until_state("a@gateway", "running", epoch=2)
    assert runner.path_of("a@gateway", 1) == ["initializing", "stopping", "stopped"]


def test_folders_are_made_when_they_are_asked_for(runner, tmp_path) -> None:
    (tmp_path / "keeps.py").write_text(
        "from ignrun import Module\nclass Keeps(Module):\n"
        "  async def startup(self): (self.context.data / 'kept').write_text('x')\n"
    )
    runner.load(assignment("k@gateway", "keeps:Keeps", tmp_path))
    runner.start("k@gateway")
    runner.until_state("k@gateway", "running")
    assert (tmp_path / "state/data/k@gateway/kept").read_text() == "x"
    assert (tmp_path / "state/data/k@gateway").stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "state/temp").exists()


def test_a_stop_that_overtakes_the_start_of_many_reaches_each_of_them(runner, tmp_path) -> None:
    names = [f"m{number}@gateway" for number in range(500)]
    runner.load(*(assignment(name, PLAYS + "Recorder", tmp_path) for name in names))
    runner.tell(
        Start(tuple(Item(name, 1) for name in names), tuple(names)),
        Stop(tuple(Item(name, 1) for name in names), tuple(names)),
    )
    runner.until(lambda: {move.address for move in runner.moves if move.new.value == "stopped"} == set(names))
