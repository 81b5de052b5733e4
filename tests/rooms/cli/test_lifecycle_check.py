"""Holds the judgement of `ignrun test` to what was seen of a plant."""

import itertools

import pytest

from ignrun.cli.lifecycle_check import Seen, checks_of
from ignrun.render.check_report import CATEGORIES
from ignrun.render.outcome import InstanceFault, OutcomeReport
from ignrun.render.status import status_of
from ignrun.render.status_report import FaultStatus
from ignrun.runtime.apply.state import State
from ignrun.runtime.supervise.roster import Instance, Roster
from ignrun.terms.events import Event, LifecycleEvent, MoveRefused
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from ignrun.terms.states import Health, ModuleState
from tests.rooms.render.plants import AT, RUNNER, command, graph_of, hosted

S = ModuleState
WHOLE = (S.UNINITIALIZED, S.INITIALIZING, S.INITIALIZED, S.STARTING, S.RUNNING, S.STOPPING, S.STOPPED)
WEB = Address("web@gateway")


def moves(*states: ModuleState) -> tuple[Event, ...]:
    pairs = itertools.pairwise(states)
    return tuple(Event(at, AT, 0.0, WEB, 1, LifecycleEvent(old, new, "")) for at, (old, new) in enumerate(pairs))


@pytest.fixture
def judged(tmp_path):
    def judge(events, *, spec=None, health=Health.HEALTHY, state=S.RUNNING, completed=False, fault=""):
        spec = spec or hosted(WEB)
        instance = Instance(spec, state=state, health=health, since=1.0, completed=completed)
        status = status_of(State(graph=graph_of(spec), roster=Roster({WEB: instance})), mono=2.0, at=AT, runner=RUNNER)
        faults = (InstanceFault(WEB, FaultStatus("raised", fault)),) if fault else ()
        outcome = OutcomeReport("1.0", 1, "held" if fault else "committed", 1, "", faults)
        checks = checks_of(Seen(graph_of(spec), outcome, None, status, events, tmp_path / "state" / "config"))
        return {check.category: check for check in checks}

    (tmp_path / "state").mkdir()
    return judge


def test_a_module_that_goes_all_the_way_passes_all_five(judged) -> None:
    checks = judged(moves(*WHOLE))
    assert tuple(checks) == CATEGORIES
    assert all(check.passed for check in checks.values())


def test_a_module_that_was_never_created_says_why(judged) -> None:
    checks = judged((), health=Health.UNKNOWN, state=S.UNINITIALIZED, fault="no module named `numpyy`")
    assert [category for category, check in checks.items() if not check.passed] == list(CATEGORIES[:4])
    assert checks["creation"].detail == "no module named `numpyy`"


def test_an_error_on_the_way_fails_the_lifecycle(judged) -> None:
    fault = Fault(FaultKind.RAISED, "ValueError: no")
    failed = Event(9, AT, 0.0, WEB, 1, LifecycleEvent(S.STARTING, S.ERROR, "", fault=fault))
    checks = judged((*moves(*WHOLE[:4]), failed), health=Health.UNHEALTHY, state=S.ERROR)
    assert checks["lifecycle"].detail == "went from `starting` to `error`: ValueError: no"
    assert not checks["health"].passed


def test_a_module_that_is_not_stopped_at_the_end_fails_the_lifecycle(judged) -> None:
    assert judged(moves(*WHOLE[:-1]))["lifecycle"].detail == "it did not end as `stopped` but as `stopping`"


def test_a_move_that_the_table_refuses_fails_the_lifecycle(judged) -> None:
    refused = Event(9, AT, 0.0, WEB, 1, MoveRefused(S.STOPPED, S.RUNNING))
    assert not judged((*moves(*WHOLE), refused))["lifecycle"].passed


def test_a_oneshot_that_completed_is_healthy(judged) -> None:
    states = (S.UNINITIALIZED, S.INITIALIZING, S.INITIALIZED, S.STARTING, S.STOPPING, S.STOPPED)
    checks = judged(moves(*states), spec=command(WEB, oneshot=True), state=S.STOPPED, completed=True)
    assert all(check.passed for check in checks.values())


def test_a_running_module_that_is_unhealthy_fails_health_alone(judged) -> None:
    checks = judged(moves(*WHOLE), health=Health.UNHEALTHY)
    assert [category for category, check in checks.items() if not check.passed] == ["health"]
