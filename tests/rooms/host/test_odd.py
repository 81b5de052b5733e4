"""Holds a host to modules that raise what hardly anybody catches, or cancel themselves: it costs the module, at once, and nobody else."""

import pytest

from ignrun.protocol.orders import Check, Item, Revise, Revision, Timeouts, Timings
from ignrun.protocol.reports import Revised
from ignrun.terms.states import Health
from tests.rooms.host.harness import FakeRunner, assignment, needs
from tests.rooms.host.test_process import HostProcess, host

PLAYS = "tests.rooms.host.plays:"
A, NEIGHBOUR = "a@gateway", "n@gateway"
NAMES = {
    "odd": "Odd", "interrupt": "KeyboardInterrupt", "exit": "sys.exit", "generator": "GeneratorExit",
    "cancelled": "CancelledError", "stop": "StopIteration",
}  # fmt: skip

__all__ = ["host"]


def bring_up(runner: FakeRunner, tmp_path, play: str, **config) -> None:
    neighbour = assignment(NEIGHBOUR, PLAYS + "Tags", tmp_path)
    mine = assignment(A, PLAYS + play, tmp_path, config=config, timeouts=Timeouts(health_interval=0.01))
    assert runner.load(neighbour, mine).faults == ()
    runner.start(NEIGHBOUR, A)
    runner.until_state(NEIGHBOUR, "running")


@pytest.mark.parametrize("what", NAMES)
@pytest.mark.parametrize("callback", ["initialize", "startup", "run"])
@pytest.mark.parametrize("play", ["RaisesOddly", "RaisesOddlyOnThreads"])
def test_what_derives_from_base_exception_alone_fails_the_module_at_once(
    runner, tmp_path, play, callback, what
) -> None:
    bring_up(runner, tmp_path, play, **{"in": callback, "raise": what})
    fault = runner.until_state(A, "error").fault
    assert fault.callback == callback
    assert NAMES[what] in fault.summary
    assert runner.path_of(NEIGHBOUR)[-1] == "running"


@pytest.mark.parametrize("what", NAMES)
def test_in_a_shutdown_it_ends_in_error(runner, tmp_path, what) -> None:
    bring_up(runner, tmp_path, "RaisesOddly", **{"in": "shutdown", "raise": what})
    runner.until_state(A, "running")
    runner.stop(A)
    assert NAMES[what] in runner.until_state(A, "error").fault.summary


@pytest.mark.parametrize("what", ["odd", "interrupt", "exit", "generator", "stop"])
@pytest.mark.parametrize("play", ["RaisesOddly", "RaisesOddlyOnThreads"])
def test_in_a_check_it_is_unhealthy(runner, tmp_path, play, what) -> None:
    bring_up(runner, tmp_path, play, **{"in": "check_health", "raise": what})
    report = runner.until(lambda: runner.health_of(A))[0]
    assert (report.health, report.reason[:21]) == (Health.UNHEALTHY, "`check_health` raised")


@pytest.mark.parametrize("what", NAMES)
def test_in_a_change_it_breaks_the_change_off(runner, tmp_path, what) -> None:
    bring_up(runner, tmp_path, "RaisesOddly")
    runner.until_state(A, "running")
    config = {"in": "reconfigure", "raise": what}
    runner.tell(Revise((Revision(A, 1, 1, config, (), (), (), (("in",), ("raise",))),)))
    runner.until_state(A, "error")
    assert NAMES[what] in runner.said(Revised)[0].fault.summary


@pytest.mark.parametrize("what", ["odd", "interrupt", "exit", "generator", "stop"])
def test_in_a_call_it_is_the_callers_to_know(runner, tmp_path, what) -> None:
    client = assignment(
        "c@gateway", PLAYS + "Client", tmp_path, config={"do": "ask"}, bindings=(needs(A, slot="tags"),)
    )
    bring_up(runner, tmp_path, "RaisesOddly", **{"in": "ask", "raise": what})
    runner.load(client)
    runner.start("c@gateway")
    exports = runner.until_state("c@gateway", "running").exports
    assert exports["outcome"].startswith("CallFailed: `ask` of `a@gateway` raised")


@pytest.mark.parametrize("callback", ["initialize", "startup", "run", "shutdown"])
def test_a_module_that_cancels_the_task_it_runs_in_fails_at_once(runner, tmp_path, callback) -> None:
    bring_up(runner, tmp_path, "CancelsItself", **{"in": callback})
    if callback == "shutdown":
        runner.until_state(A, "running")
        runner.stop(A)
    fault = runner.until_state(A, "error").fault
    assert "CancelledError" in fault.summary or "its own code cancelled it" in fault.summary
    runner.start(A, epoch=2)
    runner.until(lambda: runner.moves_of(A, 2))


@pytest.mark.parametrize("what", ["exit", "interrupt"])
def test_a_task_that_wants_to_end_the_process_fails_its_module_and_leaves_the_neighbours_alone(
    host: HostProcess, tmp_path, what
) -> None:
    bring_up(host.runner, tmp_path, "Leaves", **{"raise": what})
    fault = host.runner.until_state(A, "error").fault
    assert fault is not None
    assert fault.summary == {"exit": "a task called sys.exit(5)", "interrupt": "a task raised KeyboardInterrupt"}[what]
    host.runner.stop(NEIGHBOUR)
    host.runner.until_state(NEIGHBOUR, "stopped")


# --- checks -----------------------------------------------------------------------------------------------------------


def test_each_check_has_its_own_interval_and_the_worst_answer_counts(runner, tmp_path) -> None:
    bring_up(runner, tmp_path, "Checked", fails_at=4, slow=True)
    runner.until(lambda: any(one.health is Health.UNHEALTHY for one in runner.health_of(A)))
    runner.until(lambda: runner.health_of(A)[-1].health is Health.DEGRADED)
    assert {(one.health, one.reason) for one in runner.health_of(A)} == {
        (Health.DEGRADED, "slow"), (Health.UNHEALTHY, "no disk"),
    }  # fmt: skip


def test_a_strange_answer_stays_unhealthy_until_that_check_is_asked_again(runner, tmp_path) -> None:
    bring_up(runner, tmp_path, "Checked", strange=True)
    runner.until(lambda: len(runner.health_of(A)) > 5)
    assert {one.reason for one in runner.health_of(A)} == {
        "the check returned `dict`, not healthy(), degraded() or unhealthy()"
    }


def test_another_policy_changes_the_pace_of_checks_without_a_call(runner, tmp_path) -> None:
    runner.load(assignment(A, PLAYS + "Moody", tmp_path, timeouts=Timeouts(health_interval=3600)))
    runner.start(A)
    runner.until(lambda: runner.health_of(A))
    runner.tell(Timings({A: Timeouts(health_interval=0.005), "nobody@gateway": Timeouts()}))
    runner.until(lambda: len(runner.health_of(A)) >= 4)
    runner.stop(A)
    runner.until_state(A, "stopped")


def test_the_runner_may_want_checks_more_often_for_a_while(runner, tmp_path) -> None:
    mine = assignment(A, PLAYS + "Moody", tmp_path, timeouts=Timeouts(health_interval=3600))
    runner.load(mine)
    runner.start(A)
    runner.until(lambda: runner.health_of(A))
    runner.tell(Check((Item(A, 1), Item("nobody@gateway", 1), Item(A, 9)), 0.005))
    runner.until(lambda: len(runner.health_of(A)) >= 3)
    runner.tell(Check((Item(A, 1),), 0.0))
    runner.stop(A)
    runner.until_state(A, "stopped")
