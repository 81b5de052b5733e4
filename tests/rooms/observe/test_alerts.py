"""Holds alerts to their rules: what fires, when, and that whatever fired is over exactly once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.manifest.model import Alert
from ignrun.runtime.observe.alerts import Fired, Resolved, Seen, Watch, decide
from ignrun.runtime.observe.figures import Figures
from ignrun.runtime.observe.rules import Rule, rules_of
from ignrun.terms.spans import Span

NOWHERE = Span("ignrun.yaml", 1, 1, 1)
MIB = 2**20


def rule(when: dict, lasting: float = 0.0, name: str = "big") -> Rule:
    return rules_of((Alert(name, {"modules": "*", **when}, NOWHERE, lasting, "critical"),))[0]


class Plant:
    """A plant as alerts see it, look by look."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self.watch = Watch()
        self.told: list[str] = []

    def look(self, now: float, *seen: Seen, **lines: int) -> list[str]:
        found = {(name, one.address): count for name, count in lines.items() for one in seen}
        self.watch, changes = decide(self.rules, self.watch, {one.address: one for one in seen}, found, now)
        said = [
            f"fired {one.reason}" if isinstance(one, Fired) else f"over after {one.seconds:g}s {one.reason}".rstrip()
            for one in changes
        ]
        self.told += said
        return said


def web(**fields) -> Seen:
    return Seen(**{"address": "web@gateway", "state": "running", "health": "healthy", **fields})


def taking(**figures) -> Seen:
    return web(figures=Figures(**{"pid": 1, "memory": 0, **figures}))


@pytest.mark.parametrize(
    ("when", "bad", "reason"),
    [
        ({"state": "error"}, web(state="error", why="it raised"), "state is error: it raised"),
        ({"health": "unhealthy"}, web(health="unhealthy"), "health is unhealthy"),
        ({"sample": "memory", "above": "400MiB"}, taking(memory=412 * MIB), "memory 412 MiB is above 400 MiB"),
        ({"sample": "cpu", "above": 1.5}, taking(cpu=1.75), "cpu 1.75 is above 1.5"),
        ({"sample": "cpu", "below": 0.1}, taking(cpu=0.01), "cpu 0.01 is below 0.1"),
        ({"sample": "files", "above": 100}, taking(descriptors=101), "descriptors 101 is above 100"),
        ({"sample": "threads", "above": 10}, taking(threads=11), "threads 11 is above 10"),
    ],
)
def test_an_alert_fires_while_its_rule_holds_and_is_over_afterwards(when, bad, reason) -> None:
    plant = Plant(rule(when))
    well = taking(cpu=1.0, threads=5, descriptors=50)
    assert plant.look(0, well) == []
    assert plant.look(1, bad) == [f"fired {reason}"]
    assert plant.look(5, bad) == []
    assert plant.look(9, well) == ["over after 8s"]
    assert plant.look(10, well) == []


def test_a_rule_must_hold_without_a_break_for_as_long_as_it_says() -> None:
    plant, bad = Plant(rule({"state": "error"}, lasting=30)), web(state="error")
    for now in (0, 10, 29):
        assert plant.look(now, bad) == []
    assert plant.look(29.5, web()) == []
    assert plant.look(30, bad) == [] and plant.look(59, bad) == []
    assert plant.look(60, bad) == ["fired state is error"]


def test_restarts_are_counted_within_their_time() -> None:
    plant = Plant(rule({"restarts": {"above": 2, "within": "1m"}}))
    for now, restarts in ((0, 5), (10, 6), (20, 7)):  # what was counted before the first look is old
        assert plant.look(now, web(restarts=restarts)) == []
    assert plant.look(30, web(restarts=8)) == ["fired 3 restarts within 1m"]
    assert plant.look(70, web(restarts=8)) == []
    assert plant.look(71, web(restarts=8)) == ["over after 41s"]


def test_lines_are_counted_within_their_time() -> None:
    plant = Plant(rule({"log": "timeout", "rate": {"above": 10, "within": "10s"}}))
    assert plant.look(0, web(), big=6) == []
    assert plant.look(5, web(), big=5) == ["fired 11 lines within 10s where `timeout` is found"]
    assert plant.look(11, web()) == ["over after 6s"]


def test_one_line_is_enough_where_no_rate_is_said_and_it_is_over_after_a_quiet_minute() -> None:
    plant = Plant(rule({"log": "panic"}))
    assert plant.look(0, web(), big=1) == ["fired 1 line within 1m where `panic` is found"]
    assert plant.look(60, web()) == []
    assert plant.look(61, web()) == ["over after 61s"]


def test_nothing_is_told_of_who_is_in_maintenance_and_what_fired_is_over_then() -> None:
    plant, bad = Plant(rule({"state": "error"})), web(state="error")
    plant.look(0, bad)
    assert plant.look(5, web(state="error", excused=True)) == ["over after 5s an operator took it out of supervision"]
    assert plant.look(6, web(state="error", excused=True)) == []


def test_restarts_and_lines_of_a_maintenance_do_not_count_afterwards() -> None:
    plant = Plant(rule({"restarts": {"above": 0, "within": "1h"}}), rule({"log": "x"}, name="lines"))
    plant.look(0, web())
    plant.look(1, web(excused=True, restarts=7), lines=5)
    assert plant.look(2, web(restarts=7)) == []


def test_what_an_apply_moves_is_taken_to_be_as_before() -> None:
    plant = Plant(rule({"state": "error"}))
    assert plant.look(0, web(state="error", moving=True)) == []
    plant.look(1, web(state="error"))
    assert plant.look(2, web(moving=True)) == []
    assert plant.look(3, web()) == ["over after 2s"]


def test_a_oneshot_that_has_completed_is_not_stopped() -> None:
    plant = Plant(rule({"state": "stopped"}))
    assert plant.look(0, web(state="stopped", completed=True)) == []
    assert plant.look(1, web(state="stopped")) == ["fired state is stopped"]


def test_an_alert_is_over_when_its_instance_or_its_rule_is_gone() -> None:
    plant, bad = Plant(rule({"state": "error"})), web(state="error")
    plant.look(0, bad)
    assert plant.look(4) == ["over after 4s the instance is gone"]
    plant.look(5, bad)
    plant.rules = ()
    assert plant.look(7, bad) == ["over after 2s there is no such rule any more"]


@pytest.mark.parametrize(
    ("modules", "watched"),
    [("web", True), ("w*", True), ("web@gateway", True), ("*@designer", False), (["a", "web"], True), ("we", False)],
)
def test_whom_a_rule_watches(modules, watched) -> None:
    one = rules_of((Alert("big", {"modules": modules, "state": "error"}, NOWHERE),))[0]
    assert one.watches("web@gateway") is watched


def test_an_unknown_figure_is_neither_above_nor_below() -> None:
    plant = Plant(rule({"sample": "cpu", "below": 5}))
    assert plant.look(0, web()) == [] and plant.look(1, taking(cpu=None)) == []


@pytest.mark.parametrize("when", [{"sample": "cpu", "above": "400MiB"}, {"sample": "memory", "above": "much"}, {}])
def test_a_bound_that_is_none_is_refused(when) -> None:
    with pytest.raises(ValueError, match=r"is no bound|is not a size|watches nothing"):
        rule(when)


_STATES = st.builds(
    web,
    state=st.sampled_from(["running", "error"]),
    excused=st.booleans(),
    moving=st.booleans(),
    restarts=st.integers(0, 9),
    address=st.sampled_from(["web@gateway", "tags@gateway"]),
)
_LOOKS = st.lists(st.tuples(st.lists(_STATES, max_size=3), st.booleans(), st.integers(0, 2)), max_size=30)


@given(_LOOKS)
def test_whatever_fires_is_over_exactly_once_before_it_fires_again(looks) -> None:
    rules = (
        rule({"state": "error"}),
        rule({"restarts": {"above": 1, "within": "5s"}}, 2, "often"),
        rule({"log": "x"}, name="lines"),
    )
    watch = Watch()
    firing: set[tuple[str, str]] = set()
    for now, (seen, has_rules, count) in enumerate(looks):
        lines = {("lines", one.address): count for one in seen}
        watch, changes = decide(
            rules if has_rules else (), watch, {one.address: one for one in seen}, lines, float(now)
        )
        for change in changes:
            key = (change.rule.name if isinstance(change, Fired) else change.name, change.address)
            assert (key in firing) is isinstance(change, Resolved)
            firing ^= {key}
    assert firing == {key for key, held in watch.held.items() if held.fired is not None}
    _, changes = decide((), watch, {}, {}, 99.0)
    assert len(changes) == len(firing)
