"""Holds the ways of saying `since when` to one moment each."""

from datetime import UTC, datetime, timedelta

import pytest

from ignrun.cli.since import moment

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("text", "seconds"), [("10m", 600), ("1h30m", 5400), ("90", 90), ("0s", 0)])
def test_so_long_ago(text, seconds) -> None:
    assert moment(text, NOW) == NOW - timedelta(seconds=seconds)


def test_a_time_without_a_zone_is_local_and_one_without_a_date_is_todays() -> None:
    local = NOW.astimezone()
    assert moment(local.replace(tzinfo=None).isoformat(), NOW) == NOW
    assert moment(f"{local:%H:%M}", NOW) == NOW
    assert moment("2026-05-04T10:00:00Z", NOW) == NOW - timedelta(hours=2)


@pytest.mark.parametrize("text", ["", "soon", "25:99", "-5m", "1e400"])
def test_what_is_no_time_is_none(text) -> None:
    assert moment(text, NOW) is None
