"""Holds the tags' figures to what this machine says, and to saying so when it says nothing."""

from datetime import UTC, datetime

import psutil

from ignrun.examples.tags import figures


def test_every_group_gives_its_tags_with_value_quality_and_utc_time() -> None:
    readings = figures.read_figures(figures.GROUPS, "/")
    assert {one["tag"].split("/")[0] for one in readings} == {"cpu", "memory", "disk", "network"}
    for one in readings:
        assert one["quality"] == "good" and isinstance(one["value"], int | float)
        assert datetime.fromisoformat(one["at"]).tzinfo == UTC


def test_only_the_groups_asked_for_are_read() -> None:
    assert {one["tag"] for one in figures.read_figures(["memory"], "/")} == {"memory/percent", "memory/available"}


def test_a_group_that_cannot_be_read_is_of_bad_quality_and_the_others_are_not() -> None:
    quality = {one["tag"]: one["quality"] for one in figures.read_figures(["disk", "memory"], "/no/such/disk")}
    assert quality["disk/free"] == "bad" and quality["memory/percent"] == "good"


def test_a_machine_without_a_network_sends_nothing(monkeypatch) -> None:
    monkeypatch.setattr(psutil, "net_io_counters", lambda pernic: {})
    assert [one["value"] for one in figures.read_figures(["network"], "/")] == [0, 0]


def test_a_change_is_another_value_or_another_quality_and_not_another_time() -> None:
    old = {"a": {"tag": "a", "value": 1, "quality": "good", "at": "1"}}
    same, other, gone = ({**old["a"], "at": "2"}, {**old["a"], "value": 2}, {**old["a"], "quality": "bad"})
    first = {**old["a"], "tag": "b"}
    assert figures.changed(old, [same, other, gone, first]) == [other, gone, first]
