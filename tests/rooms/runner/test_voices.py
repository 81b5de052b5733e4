"""Holds log lines to the one who spoke: nobody writes into the log of somebody else."""

from datetime import UTC, datetime

import pytest

from ignrun.protocol.reports import LogLine
from ignrun.runner.voices import Voices
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.record import LogRecord
from tests.doubles.plants import graph, module, proposed
from tests.doubles.world import World

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("speaker", "address", "kept_as"),
    [
        ("gateway", "tags@gateway", "tags@gateway"),
        ("gateway", "web@gateway", ""),
        ("gateway", "", ""),
        ("web@gateway", "", "web@gateway"),
        ("web@gateway", "tags@gateway", "web@gateway"),
        ("page@gateway", "page@gateway", "page@gateway"),
        ("stranger", "tags@gateway", ""),
    ],
)
def test_a_line_is_kept_as_that_of_the_one_who_can_have_said_it(tmp_path, speaker, address, kept_as) -> None:
    world = World()
    world.tell(proposed(graph([module("tags"), module("web", host="web@gateway")])))
    world.run()
    kept: list[LogRecord] = []
    files = LogFiles(tmp_path)
    Voices(files, str, lambda: world.state, kept.append).heard(speaker, (LogLine(address, AT, "info", "hello"),))
    files.close()
    assert [record.address for record in kept] == [kept_as]
