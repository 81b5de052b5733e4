"""Holds the host engine to what it does with hosts that lie, and with launches for which there is no room."""

import errno
from pathlib import Path

import pytest

from ignrun.runtime.supervise.messages import HostEnded, HostSaid
from ignrun.terms.names import HostId
from tests.rooms.engines.conftest import until


def descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.mark.parametrize(
    ("kind", "why"), [("exports", "its exports are 100008 bytes of JSON"), ("lures", "its socket is not in")]
)
async def test_a_host_that_says_what_no_host_says_is_killed_and_blamed(bench, kind, why) -> None:
    bench.hosts.launch(HostId(kind), 1)
    assert why in (await bench.hears(HostEnded)).how


async def test_what_a_module_left_behind_stands_in_its_log(bench) -> None:
    bench.hosts.launch(HostId("leaves"), 1)
    await until(lambda: "left behind when it stopped: thread `********`" in bench.texts("leaves"))


async def test_a_launch_for_which_descriptors_are_missing_is_told_and_leaks_none(bench, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    bench.hosts.launch(HostId("gateway"), 1)
    await bench.hears(HostSaid)  # all that it needs is open by now
    before = descriptors()
    monkeypatch.setattr("os.set_blocking", refuse)
    bench.hosts.launch(HostId("other"), 1)
    monkeypatch.undo()
    assert bench.said(HostEnded)[0].how == "it could not be made: Too many open files"
    assert descriptors() <= before  # others may have been closed meanwhile
