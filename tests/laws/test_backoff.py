"""Laws of trying again: the figures of the contract are fields of `lifecycle.restart`, with the contract's figures as defaults."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.manifest.model import Lifecycle
from ignrun.runtime.supervise.backoff import after_failure, lasting
from ignrun.runtime.supervise.roster import Backoff
from ignrun.terms.fault import FaultKind
from tests.doubles.plants import edge, gateway, graph, module, proposed
from tests.doubles.scripts import Scripts
from tests.doubles.world import World


def pauses(count: int, kind: FaultKind = FaultKind.EXITED, well: float = 0.0, **policy) -> list[tuple[float, bool]]:
    """Let something fail again and again, each time `well` seconds after it was tried; gives each pause, and whether it is parked."""
    limits, backoff, now, given_ = Lifecycle(**policy), Backoff(), 1000.0, []
    for _ in range(count):
        backoff = after_failure(lasting(backoff, limits, well), "key", limits, kind, now)
        assert backoff.next_retry is not None
        given_.append((backoff.next_retry - now, backoff.parked))
        now = backoff.next_retry + well
    return given_


def test_the_first_restart_is_at_once_the_next_ones_double_from_a_second_to_a_minute_and_differ_by_a_fifth():
    got = [pause for pause, _ in pauses(10, threshold=100.0)]
    assert got[0] == 0.0
    for wanted, pause in zip((1, 2, 4, 8, 16, 32, 60, 60, 60), got[1:], strict=True):
        assert wanted * 0.8 <= pause <= wanted * 1.2
    assert len({round(pause / wanted, 6) for wanted, pause in zip((60, 60, 60), got[7:], strict=True)}) == 3


@given(st.floats(0.0, 1.0), st.floats(0.1, 10.0))
def test_pauses_are_as_far_apart_as_the_policy_says(jitter: float, backoff: float):
    for number, (pause, _) in enumerate(pauses(6, threshold=100.0, jitter=jitter, backoff=backoff)[1:]):
        wanted = min(backoff * 2.0**number, 60.0)
        assert wanted * (1 - jitter) * 0.999999 <= pause <= wanted * (1 + jitter) * 1.000001


def test_the_sixth_failure_in_a_row_parks_for_a_quarter_of_a_minute_doubling_to_five():
    got = pauses(13)
    assert [parked for _, parked in got] == [False] * 5 + [True] * 8
    assert [pause for pause, parked in got if parked] == [15.0, 30.0, 60.0, 120.0, 240.0, 300.0, 300.0, 300.0]


def test_who_fails_once_a_minute_is_never_parked():
    assert not any(parked for _, parked in pauses(100, well=60.0))


def test_ten_minutes_of_health_forgive_all():
    assert [pause for pause, _ in pauses(5, well=600.0)] == [0.0] * 5
    assert [pause for pause, _ in pauses(3, well=599.0)][1:] != [0.0] * 2


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [({}, [5, 10, 20, 40, 80, 80, 80]), ({"not_ready": 0.5, "not_ready_max": 3.0}, [0.5, 1, 2, 3, 3, 3, 3])],
)
def test_who_is_not_ready_is_asked_again_with_doubling_pauses_and_never_parked(policy, wanted):
    got = pauses(7, FaultKind.NOT_READY, **policy)
    assert got == [(pause, False) for pause in wanted]


def test_nothing_is_tried_again_after_fatal():
    for kind in (FaultKind.FATAL, FaultKind.UPSTREAM):
        assert after_failure(Backoff(), "key", Lifecycle(), kind, 1.0).next_retry is None


def test_who_is_made_ready_after_the_one_he_needs_has_failed_says_for_whom_he_waits_in_vain():
    world = World(Scripts({(gateway("fat"), "startup"): ["fatal", "..."]}))
    world.tell(proposed(graph([module("fat"), module("web")], [edge("web", "fat")])))
    world.run()
    assert world.states() == {"fat": "error", "web": "initialized"}
    assert world.state.roster.instances[gateway("web")].cause == "skipped: upstream fat@gateway"
