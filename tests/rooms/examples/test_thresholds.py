"""Holds alarms to standing until a value is back by more than its hysteresis."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.examples.alarms.thresholds import Threshold, stands, thresholds_of

HIGH = Threshold(high=90, hysteresis=5)


def follow(threshold: Threshold, values: list[float]) -> list[bool]:
    stood, seen = False, []
    for value in values:
        stood = stands(threshold, value, stood=stood)
        seen.append(stood)
    return seen


def test_a_high_alarm_stands_until_the_value_is_well_below() -> None:
    assert follow(HIGH, [89, 90, 86, 85, 84.9, 89]) == [False, True, True, True, False, False]


def test_a_low_alarm_stands_until_the_value_is_well_above() -> None:
    assert follow(Threshold(low=10, hysteresis=2), [11, 10, 12, 12.1, 11]) == [False, True, True, False, False]


@given(st.lists(st.floats(85.0, 89.9)))
def test_a_value_inside_the_hysteresis_never_changes_anything(values) -> None:
    assert not any(follow(HIGH, values))
    assert all(follow(HIGH, [90, *values]))


def test_config_becomes_thresholds_by_tag() -> None:
    assert thresholds_of({"a": {"high": 1}}) == {"a": Threshold(high=1.0)}


def test_config_with_a_word_that_means_nothing_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="hight"):
        thresholds_of({"a": {"hight": 1}})
