"""Holds the control groups to their purpose: who hides from everything else is found and ended, and nothing is left of a group."""

import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from ignrun.protocol import groups, kin
from ignrun.protocol.groups import plant_group
from ignrun.runtime.engines.groups import Groups
from ignrun.runtime.engines.process import start_process
from ignrun.runtime.supervise.messages import CommandEnded, CommandReady
from tests.rooms.engines.test_guardian import nothing_is_left

HERE = plant_group("0123456789abcdef")
needs_groups = pytest.mark.skipif(HERE is None, reason="no control group can be made here")

HIDES = textwrap.dedent("""
    import os, sys, time
    time.sleep(0.3)  # by then it is in its group
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            os.write(writing, str(os.getpid()).encode())
            os.execve("/bin/sleep", ["sleep", "1000"], {})
        os._exit(0)
    os.wait()
    print("hidden", os.read(reading, 100).decode(), flush=True)
    time.sleep(1000)
""")


async def hidden(bench) -> kin.Identity:
    """Start a command and give the process that it hides: without its session, its parent and its environment."""
    bench.spawn(sys.executable, "-c", HIDES, ready={"log": "hidden"}, stop_grace=0.2)
    await bench.hears(CommandReady)
    (said,) = bench.texts("web@gateway")
    found = kin.identity_of(int(said.split()[1]))
    assert found
    return found


@needs_groups
async def test_who_hides_from_everything_else_ends_with_his_command(bench) -> None:
    one = await hidden(bench)
    bench.commands.stop("web@gateway", 1, 0.2)
    await bench.hears(CommandEnded)
    assert one.pid not in kin.process_table()
    assert [path.name for path in bench.hosts.groups.folder.iterdir() if path.is_dir()] == ["hosts"]


@needs_groups
async def test_who_hides_ends_with_a_command_that_is_killed(bench) -> None:
    one = await hidden(bench)
    (leader,) = [pid for pid in bench.hosts.groups.members("web@gateway.1") if pid != one.pid]
    os.kill(leader, signal.SIGKILL)
    await bench.hears(CommandEnded)
    assert one.pid not in kin.process_table()


@needs_groups
async def test_without_groups_such_a_one_is_not_found_and_this_test_would_tell(bench, monkeypatch) -> None:
    one = await hidden(bench)
    monkeypatch.setattr(bench.hosts.groups, "members", lambda _: ())
    monkeypatch.setattr(bench.hosts.groups, "kill", lambda _: None)
    bench.commands.stop("web@gateway", 1, 0.2)
    await bench.hears(CommandEnded)
    assert one.pid in kin.process_table()


@needs_groups
async def test_who_hides_ends_with_a_runner_that_is_killed(runner_of) -> None:
    runner = runner_of(hosts=["gateway"], commands=[HIDES.replace('"hidden"', '"up"')])
    group = plant_group(runner.token)
    assert group
    family = [int(pid) for path in group.rglob("cgroup.procs") for pid in path.read_text().split()]
    assert len([pid for pid in family if "sleep" in kin.process_table()[pid].name]) == 1
    runner.kill()
    await nothing_is_left(runner)
    assert [pid for pid in family if pid in kin.process_table()] == []
    Groups(runner.token).close()
    assert not group.exists()


@needs_groups
def test_what_a_dead_runner_left_in_a_group_is_ended_by_the_next() -> None:
    token = f"test{os.getpid()}"
    left = Groups(token)
    with open(os.devnull, "wb") as void:  # noqa: PTH123 - a device
        number = void.fileno()
        child = start_process(["sleep", "1000"], env={}, cwd="/", out=number, err=number, soft_limit=1024)
    left.join("somebody", child.pid)
    while child.pid not in left.members("somebody"):
        os.sched_yield()
    Groups(token).close()
    assert os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED).si_status == signal.SIGKILL  # type: ignore[union-attr]
    os.close(child.pidfd)
    assert left.folder
    assert not left.folder.exists()
    left.close()


def test_under_systemd_only_what_it_has_handed_over_is_touched(tmp_path, monkeypatch) -> None:
    (tmp_path / "cgroup.procs").touch()
    monkeypatch.setattr(groups, "_mount", lambda: str(tmp_path))
    monkeypatch.setattr(groups, "_own", lambda: "/")
    assert plant_group("abc") == tmp_path / "ignrun-abc"
    monkeypatch.setattr(groups, "_SYSTEMD", str(tmp_path))
    assert plant_group("abc") is None
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"1" if name == "user.delegate" else b"")
    assert plant_group("abc") == tmp_path / "ignrun-abc"


def test_who_is_in_the_group_of_a_plant_finds_the_same_one(tmp_path, monkeypatch) -> None:
    (tmp_path / "cgroup.procs").touch()
    monkeypatch.setattr(groups, "_mount", lambda: str(tmp_path))
    monkeypatch.setattr(groups, "_SYSTEMD", str(tmp_path / "none"))
    monkeypatch.setattr(groups, "_own", lambda: "/ignrun-abc/hosts")
    assert plant_group("abc") == tmp_path / "ignrun-abc"


def test_a_kernel_without_the_switch_has_no_groups(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ignrun.runtime.engines.groups.plant_group", lambda _: tmp_path / "plant")
    made = Groups("abc")
    assert not made
    made.join("somebody", 1)
    assert made.members("somebody") == ()
    assert [*Path(tmp_path).iterdir()] == []


def test_a_runner_that_something_of_a_dead_one_started_leaves_the_group_alone(tmp_path, monkeypatch) -> None:
    (tmp_path / "cgroup.procs").touch()
    monkeypatch.setattr(groups, "_mount", lambda: str(tmp_path))
    monkeypatch.setattr(groups, "_SYSTEMD", str(tmp_path / "none"))
    monkeypatch.setattr(groups, "_own", lambda: "/ignrun-abc/web@gateway.1")
    assert not Groups("abc")
