"""Tells what a second apply does while a first one is under way: it waits for its turn as long as it was told to."""

import pytest

from ignrun.control.client import Client
from tests.stories.plant import Plant, new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]


def manifest(number: int) -> str:
    return f'modules: {{idle: {{command: [sleep, "{number}"]}}}}\n'


@pytest.fixture
def soaking(tmp_path):
    """Give a plant in which a change soaks for a long time."""
    with new_plant(tmp_path) as plant:
        plant.write(manifest(1000))
        plant.ignrun("apply", "-d", "--soak", "0s")
        plant.write(manifest(1001))
        plant.ignrun("apply", "--soak", "4s", "--no-wait")
        client = Client(plant.status()["plant"]["socket"])
        until(lambda: (change := client.status().plant.apply) and change.phase == "soaking")
        yield plant


def test_who_does_not_wait_ends_with_5_and_hears_whose_change_it_is(soaking: Plant) -> None:
    soaking.write(manifest(1002))
    done = soaking.ignrun("apply", "--lock-timeout", "100ms", code=5)
    assert "whose change 2 is soaking" in done.err
    assert "lock-timeout" in done.err


def test_who_waits_long_enough_has_his_turn(soaking: Plant) -> None:
    soaking.write(manifest(1002))
    soaking.ignrun("apply", "--soak", "0s", "--lock-timeout", "30s")
    assert soaking.status()["plant"]["generation"] == 3


def test_who_applies_what_is_under_way_already_joins_it_and_waits_for_no_turn(soaking: Plant) -> None:
    soaking.ignrun("apply", "--lock-timeout", "0s")
    assert soaking.status()["plant"]["generation"] == 2
