"""Laws of everything at once: whatever people, modules, processes and disks do, in whatever order, the promises hold."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ignrun.runtime.apply import state
from ignrun.terms.states import ModuleState
from tests.laws.machine import Plants
from tests.laws.sabotage import SABOTAGES

QUICK = settings(max_examples=50, stateful_step_count=30, derandomize=True)
FULL = settings(max_examples=2000, stateful_step_count=50)
CATCHING = settings(
    max_examples=300,
    stateful_step_count=30,
    phases=[Phase.generate],
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def machine(decide=None) -> type[Plants]:
    """Give a machine of its own, so that it counts by itself what it has entered."""
    return type("Plant", (Plants,), {"decide": decide and staticmethod(decide), "phases": set(), "states": set()})


def test_whatever_happens_in_whatever_order_the_promises_hold():
    run_state_machine_as_test(machine(), settings=QUICK)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_whatever_happens_for_long_the_promises_hold_and_every_phase_and_state_is_entered():
    plants = machine()
    run_state_machine_as_test(plants, settings=FULL)
    assert plants.phases == set(state.Phase)
    assert plants.states == set(ModuleState)


@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_the_machine_catches_a_runner_that(name):
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(machine(SABOTAGES[name]), settings=CATCHING)
