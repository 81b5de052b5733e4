"""Holds the host engine to its messages, with real processes."""

import os
import signal

import pytest

from ignrun.manifest.model import Limits
from ignrun.protocol import kin
from ignrun.protocol.orders import Load
from ignrun.protocol.reports import Hello, Loaded
from ignrun.runtime.supervise.messages import HostEnded, HostLaunched, HostSaid
from ignrun.terms.names import HostId
from tests.rooms.engines.conftest import Bench, of_plant, until


def launch(bench, host: str, epoch: int = 1) -> None:
    bench.hosts.launch(HostId(host), epoch)


async def is_up(bench, host: str):
    launch(bench, host)
    await until(lambda: any(said.host == host and isinstance(said.report, Hello) for said in bench.said(HostSaid)))
    return next(said.pid for said in bench.said(HostLaunched) if said.host == host)


def templates_of(bench) -> set[int]:
    everybody = kin.process_table().items()
    return {pid for pid, one in everybody if one.name == kin.TEMPLATE_NAME and one.marker.startswith(bench.token)}


async def test_a_host_is_launched_says_hello_and_answers_orders(bench) -> None:
    pid = await is_up(bench, "gateway")
    assert bench.said(HostSaid)[0].report.pid == pid
    bench.hosts.give(HostId("gateway"), 1, Load(()))
    await bench.hears(HostSaid, 2)
    assert bench.said(HostSaid)[1].report == Loaded()
    assert [type(message) for message in bench.heard] == [HostLaunched, HostSaid, HostSaid]


async def test_log_lines_and_output_of_a_host_are_lines_and_masked(bench) -> None:
    await is_up(bench, "gateway")
    bench.hosts.give(HostId("gateway"), 1, Load(()))
    await until(lambda: {"0 to load", "loaded", "********"} <= {*bench.texts("gateway")})


async def test_a_host_that_is_told_to_end_ends_with_its_own_code(bench) -> None:
    await is_up(bench, "gateway")
    bench.hosts.end(HostId("gateway"), 1, 5.0)
    assert await bench.hears(HostEnded) == HostEnded(HostId("gateway"), 1, "exit 3")


@pytest.mark.parametrize("kind", ["deaf", "stopped", "regex"])
async def test_a_host_that_does_not_obey_is_killed_after_its_grace(bench, kind) -> None:
    await is_up(bench, kind)
    bench.hosts.end(HostId(kind), 1, 0.1)
    assert (await bench.hears(HostEnded)).how == "signal 9 (SIGKILL)"


async def test_kill_9_of_a_host_is_told_once_with_how(bench) -> None:
    os.kill(await is_up(bench, "gateway"), signal.SIGKILL)
    assert await bench.hears(HostEnded) == HostEnded(HostId("gateway"), 1, "signal 9 (SIGKILL)")
    launch(bench, "gateway", 2)
    await bench.hears(HostLaunched, 2)
    assert len(bench.said(HostEnded)) == 1


async def test_what_a_host_started_ends_with_it(bench) -> None:
    pid = await is_up(bench, "family")
    below = kin.kin_of(kin.process_table(), held=[pid])
    assert len(below) == 3
    os.kill(pid, signal.SIGKILL)
    await bench.hears(HostEnded)
    marked = [one for one in of_plant(bench.token).values() if "/family/" in one]
    assert marked == []


async def test_a_host_that_raises_ends_with_its_traceback_in_the_log(bench) -> None:
    launch(bench, "raises")
    assert (await bench.hears(HostEnded)).how == "exit 70: RuntimeError: this host cannot serve"
    assert "RuntimeError: this host cannot serve" in bench.texts("raises")


async def test_a_host_that_breaks_the_protocol_is_killed_and_blamed(bench) -> None:
    launch(bench, "babbles")
    ended = await bench.hears(HostEnded)
    assert ended.how.startswith("signal 9 (SIGKILL), because it does not keep to the protocol: ")


async def test_a_host_that_hangs_up_and_does_not_leave_is_killed(bench) -> None:
    launch(bench, "hangs-up")
    assert (await bench.hears(HostEnded)).how == "signal 9 (SIGKILL)"


async def test_when_the_template_is_killed_its_hosts_live_on_under_a_new_one(bench) -> None:
    pid = await is_up(bench, "gateway")
    (old,) = templates_of(bench)
    os.kill(old, signal.SIGKILL)
    await until(lambda: templates_of(bench) - {old})
    await is_up(bench, "other")
    bench.hosts.give(HostId("gateway"), 1, Load(()))
    await until(lambda: "loaded" in bench.texts("gateway"))
    os.kill(pid, signal.SIGTERM)
    assert await bench.hears(HostEnded) == HostEnded(HostId("gateway"), 1, "signal 15 (SIGTERM)")


async def test_a_launch_that_the_template_took_to_its_grave_is_told(bench) -> None:
    await is_up(bench, "gateway")
    (old,) = templates_of(bench)
    os.kill(old, signal.SIGSTOP)
    launch(bench, "other")
    os.kill(old, signal.SIGKILL)
    ended = await bench.hears(HostEnded)
    assert ended == HostEnded(HostId("other"), 1, "the template of the hosts ended: signal 9 (SIGKILL)")


async def test_an_interpreter_that_is_not_there_ends_every_launch_with_the_reason(tmp_path) -> None:
    bench = Bench(tmp_path, python="/nowhere/python")
    launch(bench, "gateway")
    assert (await bench.hears(HostEnded)).how == "the program `/nowhere/python` was not found"
    await bench.close()


async def test_a_template_that_cannot_import_says_what_is_missing(tmp_path) -> None:
    bench = Bench(tmp_path, serve="no_such_package:main")
    launch(bench, "gateway")
    how = (await bench.hears(HostEnded)).how
    assert how.endswith("exit 1: ModuleNotFoundError: No module named 'no_such_package'")
    await bench.close()


async def test_many_hosts_come_and_go(bench) -> None:
    for number in range(30):
        launch(bench, f"gateway.{number}")
    await bench.hears(HostSaid, 30)
    for number in range(30):
        bench.hosts.end(HostId(f"gateway.{number}"), 1, 5.0)
    await bench.hears(HostEnded, 30)
    assert {ended.how for ended in bench.said(HostEnded)} == {"exit 3"}


LIMITED = Limits(memory=2**29, cpu=0.5, files=99)


async def test_limits_hold_for_one_host_and_for_no_other(bench) -> None:
    bench.hosts.launch(HostId("limited"), 1, limits=LIMITED)
    bench.hosts.launch(HostId("free"), 1)
    await bench.hears(HostSaid, 2)
    said = {host: bench.texts(host)[-1] for host in ("limited", "free")}
    processors = len(os.sched_getaffinity(0))
    assert said["limited"] == f"memory {2**29}, descriptors 99, processors 1"
    assert said["free"] == f"memory -1, descriptors {bench.hosts.soft_limit}, processors {processors}"
    (launched,) = [one for one in bench.said(HostLaunched) if one.host == "limited"]
    assert [note.partition(":")[0] for note in launched.notes] == (["`limits.cpu"] if processors > 1 else [])


async def test_a_host_that_takes_more_than_its_memory_fails_alone(bench) -> None:
    bench.hosts.launch(HostId("limited.greedy"), 1, limits=LIMITED)
    bench.hosts.launch(HostId("free.greedy"), 1)
    await bench.hears(HostSaid, 2)
    assert "no more memory" in bench.texts("limited.greedy")
    assert "a gigabyte" in bench.texts("free.greedy")
