"""Turns a value and a threshold with hysteresis into whether an alarm stands."""

from collections.abc import Mapping

import msgspec


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm stands from `high` up, or from `low` down, until the value is back by more than `hysteresis`."""

    high: float | None = None
    low: float | None = None
    hysteresis: float = 0.0


def stands(threshold: Threshold, value: float, *, stood: bool) -> bool:
    """Tell whether the alarm stands at `value`, given whether it `stood` before."""
    slack = threshold.hysteresis if stood else 0.0
    too_high = threshold.high is not None and value >= threshold.high - slack
    too_low = threshold.low is not None and value <= threshold.low + slack
    return too_high or too_low


def thresholds_of(config: Mapping[str, Mapping[str, float]]) -> dict[str, Threshold]:
    """Turn config, keyed by tag, into thresholds; raises msgspec.ValidationError."""
    return {tag: msgspec.convert(dict(one), Threshold) for tag, one in config.items()}
