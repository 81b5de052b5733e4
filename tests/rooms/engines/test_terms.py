"""Holds commands to the terms on which they run: limits, umask, user, files; and a log pattern to its time."""

import json
import os
import pwd
import stat
import time

import pytest

from ignrun.manifest.model import Limits
from ignrun.runtime.engines.limits import Hold, hold_of
from ignrun.runtime.engines.matching import Matcher, TooSlow
from ignrun.runtime.engines.places import guest_folder, make_guest_folder, make_run_folder
from ignrun.runtime.supervise.messages import CommandEnded, CommandFailed, CommandReady, CommandStarted, Probed
from ignrun.terms.fault import FaultKind
from tests.rooms.engines.conftest import until
from tests.rooms.engines.test_commands import WEB, python


async def said_of_itself(bench, code: str, **terms) -> str:
    bench.spawn(*python(code), oneshot=True, **terms)
    return str((await bench.hears(CommandEnded)).tail)


LIMITS = """
import resource, time
def settled():
    return resource.getrlimit(resource.RLIMIT_AS)[1] > 0 and resource.getrlimit(resource.RLIMIT_NOFILE)[1] == 77
deadline = time.monotonic() + 5
while not settled() and time.monotonic() < deadline: time.sleep(0.01)
print(resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_NOFILE))
try:
    bytearray(2**30)
except MemoryError:
    print("no more memory")
"""


async def test_memory_and_descriptors_of_a_command_are_limited(bench) -> None:
    said = await said_of_itself(bench, LIMITS, limits=Limits(memory=2**29, files=77))
    assert said.splitlines() == [f"({2**29}, {2**29}) (77, 77)", "no more memory"]


AFFINITY = "import os; print(len(os.sched_getaffinity(0)))"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor cannot be divided")
async def test_a_command_is_kept_to_whole_processors_and_it_is_said_once_where_they_are_more_than_was_asked(
    bench,
) -> None:
    half = "`limits.cpu: 0.5` holds as 1 whole processor: processes are kept to processors, their time is not counted"
    for epoch in (1, 2):
        bench.spawn(*python(AFFINITY), oneshot=True, limits=Limits(cpu=0.5), epoch=epoch)
        assert (await bench.hears(CommandEnded, epoch)).tail == "1"
    assert [started.notes for started in bench.said(CommandStarted)] == [(half,), (half,)]
    assert bench.texts(WEB).count(half) == 1
    bench.spawn(*python(AFFINITY), oneshot=True, limits=Limits(cpu=1), address="other@gateway")
    assert (await bench.hears(CommandEnded, 3)).tail == "1"
    assert bench.said(CommandStarted)[-1].notes == ()


def test_those_who_are_kept_to_one_processor_do_not_all_get_the_same(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 4, 6})
    chosen = [hold_of(Limits(cpu=1)).processors or () for _ in range(4)]
    assert sorted(one for some in chosen for one in some) == [0, 2, 4, 6]
    assert {len(hold_of(Limits(cpu=2.0)).processors or ()) for _ in range(3)} == {2}
    assert hold_of(Limits(cpu=8)) == Hold()
    assert hold_of(Limits(cpu=3.5)).notes[0].startswith("`limits.cpu: 3.5` holds as 4 whole processors: ")


async def test_a_command_has_the_umask_that_was_asked_for(bench) -> None:
    assert await said_of_itself(bench, "import os; print(oct(os.umask(0)))", umask=0o027) == "0o27"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run commands as somebody else")
async def test_a_command_runs_as_the_user_that_was_asked_for_with_no_group_of_roots(bench) -> None:
    nobody = pwd.getpwnam("nobody")
    bench.spawn("id", "-u", oneshot=True, user="nobody", cwd="/")
    assert (await bench.hears(CommandEnded)).tail == str(nobody.pw_uid)
    bench.spawn("id", "-G", oneshot=True, user="nobody", cwd="/", epoch=2)
    assert (await bench.hears(CommandEnded, 2)).tail == str(nobody.pw_gid)


AS_SOMEBODY = """
import json, os, socket, stat, time
config = os.environ["IGNRUN_CONFIG"]
found = os.stat(config)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
names = {name: os.environ.get(name) for name in ("HOME", "USER", "LOGNAME", "TMPDIR")}
print(json.dumps([json.load(open(config)), stat.S_IMODE(found.st_mode), found.st_uid, names]), flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run commands as somebody else")
async def test_a_command_of_somebody_else_reads_its_config_notifies_and_is_at_home(bench, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    nobody = pwd.getpwnam("nobody")
    python = "/usr/bin/env", "python3", "-c", AS_SOMEBODY
    bench.spawn(*python, user="nobody", cwd="/", config={"port": 80}, ready={"notify": True})
    await bench.hears(CommandReady)
    await until(lambda: bench.texts(WEB))
    config, mode, uid, names = json.loads(bench.texts(WEB)[0])
    assert (config, mode, uid) == ({"port": 80}, 0o600, nobody.pw_uid)
    assert names == {"HOME": nobody.pw_dir, "USER": "nobody", "LOGNAME": "nobody", "TMPDIR": None}
    guests = guest_folder(bench.token)
    assert stat.S_IMODE(guests.stat().st_mode) == 0o711
    bench.commands.stop(WEB, 1, 5.0)
    await bench.hears(CommandEnded)
    assert [*guests.iterdir()] == []
    await bench.commands.close()
    assert not guests.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run commands as somebody else")
async def test_home_is_the_runners_where_a_command_of_somebody_else_asks_for_it(bench, monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/the/runners")
    bench.spawn("sh", "-c", "echo $HOME", oneshot=True, user="nobody", cwd="/", inherit_env=("HOME",))
    assert (await bench.hears(CommandEnded)).tail == "/the/runners"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run commands as somebody else")
def test_what_a_dead_runner_left_for_somebody_else_is_gone_when_the_next_begins(tmp_path) -> None:
    left = make_guest_folder("0123456789abcdef")
    (left / "x.json").write_text("secret")
    make_run_folder(tmp_path, "0123456789abcdef")
    assert not left.exists()


async def test_a_user_that_there_is_not_is_named(bench) -> None:
    bench.spawn("true", user="no-such-user")
    failed = await bench.hears(CommandFailed)
    assert (failed.fault.kind, failed.fault.summary) == (FaultKind.NOT_STARTED, "there is no user `no-such-user`")


async def test_files_are_there_whole_with_their_mode_before_the_command_starts(bench, tmp_path) -> None:
    files = (
        {"path": "etc/a.json", "json": {"port": 1}},
        {"path": str(tmp_path / "b.yaml"), "yaml": {"on": True, "name": "käse"}, "mode": "0640"},
        {"path": "c.txt", "text": "hello\n", "mode": 0o644},
    )
    bench.spawn("cat", "etc/a.json", "b.yaml", "c.txt", oneshot=True, cwd=str(tmp_path), files=files)
    ended = await bench.hears(CommandEnded)
    assert ended.tail.splitlines() == ["{", '  "port": 1', "}", "'on': true", "name: käse", "hello"]
    modes = {
        p.name: stat.S_IMODE(p.stat().st_mode)
        for p in (tmp_path / "etc/a.json", tmp_path / "b.yaml", tmp_path / "c.txt")
    }
    assert modes == {"a.json": 0o600, "b.yaml": 0o640, "c.txt": 0o644}
    assert [p.name for p in tmp_path.iterdir() if ".new" in p.name] == []


async def test_a_file_that_cannot_be_written_is_a_fault_of_the_command_and_leaves_nothing(bench, tmp_path) -> None:
    (tmp_path / "taken").mkdir()
    bench.spawn("true", cwd=str(tmp_path), files=({"path": "taken", "text": "x"},))
    failed = await bench.hears(CommandFailed)
    assert failed.fault.kind is FaultKind.NOT_STARTED
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".taken")] == []


# --- a pattern that takes for ever ------------------------------------------------------------------------------------


def test_a_pattern_that_takes_for_ever_is_given_up_within_its_time() -> None:
    began = time.monotonic()
    with pytest.raises(TooSlow):
        Matcher(r"(a+)+$").finds("a" * 60 + "b")
    assert time.monotonic() - began < 1.0
    assert Matcher(r"ready on \d+").finds("ready on 8080")


async def test_a_command_with_such_a_pattern_is_not_ready_and_the_pattern_is_named_and_the_loop_goes_on(bench) -> None:
    code = "import time; print('a' * 60 + 'b', flush=True); time.sleep(1000)"
    bench.spawn(*python(code), ready={"log": r"(a+)+$"}, ready_timeout=0.7, stop_grace=0.2)
    failed = await bench.hears(CommandFailed)
    assert failed.fault.summary == (
        "it was not ready after 700ms (log: the pattern takes more than 50ms for a line of 61 characters)"
    )
    await bench.hears(CommandEnded)


async def test_what_only_a_check_can_call_well_is_checked_at_once(bench) -> None:
    bench.spawn("sleep", "1000", check={"exec": ["true"]}, check_interval=1000.0)
    await bench.hears(CommandReady)
    assert (await bench.hears(Probed, seconds=3)) == Probed(WEB, 1, healthy=True)
