"""Holds the command engine to its messages, with real processes."""

import json
import os
import signal
import socket
import sys
import textwrap
from pathlib import Path

import pytest
from msgspec.structs import replace

from ignrun.protocol import kin
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.supervise.messages import (
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandStarted,
    Probed,
)
from ignrun.terms.fault import FaultKind
from ignrun.terms.names import Address
from tests.rooms.engines.conftest import of_plant, until

WEB = Address("web@gateway")


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent(code))


def marked(bench, address: str = WEB) -> set[int]:
    return {pid for pid, marker in of_plant(bench.token).items() if f"/{address}/" in marker}


# --- start ------------------------------------------------------------------------------------------------------------


async def test_a_command_without_a_probe_is_ready_when_it_has_lived_a_second(bench) -> None:
    bench.spawn("sleep", "1000")
    await bench.hears(CommandReady)
    assert [type(message) for message in bench.heard] == [CommandStarted, CommandReady]


async def test_how_long_it_has_to_live_is_for_its_author_to_say(bench) -> None:
    bench.spawn("sleep", "1000", address="patient@gateway", alive_for=1000.0)
    bench.spawn("sleep", "1000", address="later@gateway", alive_for=0.3)
    bench.spawn("sleep", "1000", address="at-once@gateway", alive_for=0.0)
    await bench.hears(CommandReady, 2)
    assert [ready.address for ready in bench.said(CommandReady)] == ["at-once@gateway", "later@gateway"]


async def test_one_that_ends_before_it_has_lived_so_long_was_never_ready(bench) -> None:
    bench.spawn("true", alive_for=1000.0)
    await bench.hears(CommandEnded)
    assert bench.said(CommandReady) == []


async def test_kill_9_of_a_command_is_told_with_how(bench) -> None:
    bench.spawn("sleep", "1000")
    os.kill((await bench.hears(CommandStarted)).pid, signal.SIGKILL)
    assert await bench.hears(CommandEnded) == CommandEnded(WEB, 1, None, "signal 9 (SIGKILL)")


async def test_a_oneshot_is_never_ready_its_end_decides(bench) -> None:
    bench.spawn("sh", "-c", "echo one; echo two >&2; exit 4", oneshot=True)
    ended = await bench.hears(CommandEnded)
    assert (ended.code, ended.how) == (4, "exit 4")
    assert sorted(ended.tail.splitlines()) == ["one", "two"]
    assert [type(message) for message in bench.heard] == [CommandStarted, CommandEnded]
    assert {(line.text, line.fields["stream"]) for _, line in bench.lines} == {("one", "out"), ("two", "err")}


@pytest.mark.parametrize(
    ("argv", "cwd", "summary"),
    [
        (["no-such-program"], "/", "the program `no-such-program` was not found on PATH"),
        (["./no-such-program"], "/", "the program `./no-such-program` was not found"),
        (["/etc"], "/", "the program `/etc` may not be executed"),
        (["true"], "/nowhere", "the working folder `/nowhere` cannot be entered: no such file or directory"),
        (["a\0b"], "/", "`a\0b` cannot be started: embedded null byte"),
    ],
)
async def test_a_command_that_cannot_be_started_fails_with_one_plain_line(bench, argv, cwd, summary) -> None:
    bench.spawn(*argv, cwd=cwd)
    failed = await bench.hears(CommandFailed)
    assert (failed.fault.kind, failed.fault.summary) == (FaultKind.NOT_STARTED, summary)
    assert bench.heard == [failed]


async def test_a_script_without_its_first_line_is_named(bench, tmp_path) -> None:
    script = tmp_path / "script"
    script.write_text("echo hello")
    script.chmod(0o755)
    bench.spawn(str(script))
    summary = (await bench.hears(CommandFailed)).fault.summary
    assert summary.endswith("is no program that this system can run; does its first line lack `#!`?")


async def test_a_command_gets_few_names_its_own_and_its_config(bench, monkeypatch) -> None:
    monkeypatch.setenv("UNASKED", "1")
    monkeypatch.setenv("ASKED", "2")
    code = """
        import json, os, resource, stat
        config = os.environ["IGNRUN_CONFIG"]
        mode = stat.S_IMODE(os.stat(config).st_mode)
        print(json.dumps([dict(os.environ), json.load(open(config)), mode, resource.getrlimit(resource.RLIMIT_NOFILE)[0]]))
    """
    bench.spawn(*python(code), oneshot=True, env={"OWN": "3"}, inherit_env=("ASKED",), config={"port": 80})
    tail = (await bench.hears(CommandEnded)).tail
    env, config, mode, limit = json.loads(tail)
    assert (env["OWN"], env["ASKED"], "UNASKED" in env) == ("3", "2", False)
    assert env["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    assert env["IGNRUN_INSTANCE"] == f"{bench.token}/web@gateway/1"
    assert (config, mode) == ({"port": 80}, 0o600)
    assert limit == bench.hosts.soft_limit
    assert [*bench.run_dir.iterdir()] == []


async def test_many_commands_start_and_stop(bench) -> None:
    for number in range(60):
        bench.spawn("sleep", "1000", address=f"worker-{number}@gateway", ready={"log": "never"})
    await bench.hears(CommandStarted, 60)
    for number in range(60):
        bench.commands.stop(f"worker-{number}@gateway", 1, 5.0)
    await bench.hears(CommandEnded, 60)
    assert {ended.how for ended in bench.said(CommandEnded)} == {"signal 15 (SIGTERM)"}


async def test_a_stop_before_the_start_is_an_end(bench) -> None:
    bench.spawn("sleep", "1000")
    bench.commands.stop(WEB, 1, 5.0)
    assert (await bench.hears(CommandEnded)).how == "never started"
    assert len(bench.heard) == 1


# --- readiness and health ---------------------------------------------------------------------------------------------

SERVER = """
    import http.server, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response({"/good": 204, "/moved": 302}.get(self.path, 503)); self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "probe", ["http://127.0.0.1:{}/good", "http://127.0.0.1:{}/moved", "tcp:{}", "tcp:localhost:{}"]
)
async def test_a_server_is_ready_when_it_answers(bench, probe) -> None:
    port = free_port()
    bench.spawn(*python(SERVER), str(port), ready=probe.format(port))
    await bench.hears(CommandReady)


async def test_a_server_that_answers_badly_is_not_ready_in_time(bench) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/bad"
    bench.spawn(*python(SERVER), str(port), ready={"http": url}, ready_timeout=1.5)
    fault = (await bench.hears(CommandFailed)).fault
    assert fault.kind is FaultKind.TIMED_OUT
    assert fault.summary == f"it was not ready after 1.5s ({url}: status 503)"
    await bench.hears(CommandEnded)


async def test_nobody_there_is_not_ready_in_time(bench) -> None:
    port = free_port()
    bench.spawn("sleep", "1000", ready={"tcp": port}, ready_timeout=0.2)
    fault = (await bench.hears(CommandFailed)).fault
    assert fault.summary == f"it was not ready after 200ms (tcp:{port}: connection refused)"
    assert (await bench.hears(CommandEnded)).how == "signal 15 (SIGTERM)"


async def test_an_answer_from_somebody_else_on_its_port_makes_nothing_ready(bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        bench.spawn("sleep", "1000", ready={"tcp": port}, ready_timeout=0.4)
        fault = (await bench.hears(CommandFailed)).fault
    assert fault.summary == f"it was not ready after 400ms (tcp:{port}: port {port} is answered by another process)"
    await bench.hears(CommandEnded)


async def test_a_port_that_somebody_else_gives_up_counts_once_it_is_its_own(bench) -> None:
    waits = """
        import socket, sys, time
        while True:
            try:
                server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
                break
            except OSError:
                time.sleep(0.02)
        time.sleep(1000)
    """
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        bench.spawn(*python(waits), str(port), ready={"tcp": port}, ready_timeout=10)
        await bench.hears(CommandStarted)
        other.close()
        await bench.hears(CommandReady)


async def test_a_line_of_output_makes_ready(bench) -> None:
    bench.spawn(
        "sh", "-c", "echo warming up; echo listening on port 80 >&2; exec sleep 1000", ready={"log": r"port \d+"}
    )
    await bench.hears(CommandReady)


async def test_a_program_makes_ready(bench, tmp_path) -> None:
    done = tmp_path / "done"
    bench.spawn("sleep", "1000", ready={"exec": ["test", "-e", str(done)]})
    await bench.hears(CommandStarted)
    assert bench.said(CommandReady) == []
    done.touch()
    await bench.hears(CommandReady)


async def test_a_datagram_makes_ready(bench) -> None:
    code = """
        import os, socket, time
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"STATUS=fine\\nREADY=1", os.environ["NOTIFY_SOCKET"])
        time.sleep(1000)
    """
    bench.spawn(*python(code), ready={"notify": True})
    await bench.hears(CommandReady)
    bench.commands.stop(WEB, 1, 5.0)
    await bench.hears(CommandEnded)
    assert [*bench.run_dir.iterdir()] == []


@pytest.mark.parametrize("probe", [{"tcp": "nowhere"}, {"log": "("}, {"knock": 1}, {"exec": []}, "http://x:port/"])
async def test_a_probe_that_is_none_fails_the_start(bench, probe) -> None:
    bench.spawn("sleep", "1000", ready=probe)
    assert (await bench.hears(CommandFailed)).fault.kind is FaultKind.NOT_STARTED
    assert of_plant(bench.token).keys() & marked(bench) == set()


async def test_health_is_asked_again_and_again(bench, tmp_path) -> None:
    sick = tmp_path / "sick"
    check = {"exec": ["test", "!", "-e", str(sick)]}
    bench.spawn("sleep", "1000", ready={"exec": ["true"]}, check=check, check_interval=0.02)
    await bench.hears(Probed, 2)
    assert bench.said(Probed)[0] == Probed(WEB, 1, healthy=True)
    sick.touch()
    await until(lambda: bench.said(Probed)[-1] == Probed(WEB, 1, healthy=False, reason="`test` ended: exit 1"))


async def test_another_policy_holds_for_the_process_that_runs(bench, tmp_path) -> None:
    code = "import signal, sys, time; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(1000)"
    first = CommandLaunch(WEB, 1, tuple(python(code)), str(tmp_path), ready={"log": "up"}, check={"exec": ["true"]})
    bench.commands.spawn(first)
    await bench.hears(CommandReady)
    bench.commands.tell(replace(first, check={"exec": ["false"]}, check_interval=0.02, stop_signal="USR1"))
    await until(lambda: bench.said(Probed) and bench.said(Probed)[-1].reason == "`false` ended: exit 1")
    bench.commands.stop(WEB, 1, 15.0)
    assert (await bench.hears(CommandEnded)).how == "exit 7"
    assert len(bench.said(CommandStarted)) == 1


async def test_a_policy_that_cannot_be_followed_is_named_and_the_one_before_stays(bench, tmp_path) -> None:
    check = {"exec": ["true"]}
    first = CommandLaunch(WEB, 1, ("sleep", "1000"), str(tmp_path), ready=check, check=check, check_interval=0.02)
    bench.commands.spawn(first)
    await bench.hears(CommandReady)
    bench.commands.tell(replace(first, check={"tcp": "nowhere"}))
    assert any("its new policy cannot be followed" in line for line in bench.texts(WEB))
    count = len(bench.said(Probed))
    await bench.hears(Probed, count + 2)
    assert all(one.healthy for one in bench.said(Probed))


async def test_a_check_that_hangs_is_a_bad_one_and_is_killed(bench) -> None:
    bench.spawn(
        "sleep",
        "1000",
        ready={"exec": ["true"]},
        check={"exec": ["sleep", "77"]},
        check_interval=0.01,
        check_timeout=0.1,
    )
    assert await bench.hears(Probed) == Probed(WEB, 1, healthy=False, reason="no answer within 100ms")
    bench.commands.stop(WEB, 1, 1.0)
    await bench.hears(CommandEnded)
    await until(lambda: marked(bench) == set())


# --- output -----------------------------------------------------------------------------------------------------------


async def test_secrets_in_output_are_masked_everywhere(bench) -> None:
    bench.spawn("sh", "-c", "echo my password; exit 1", oneshot=True)
    assert (await bench.hears(CommandEnded)).tail == "my ********"
    assert bench.texts(WEB) == ["my ********"]


async def test_a_flood_is_counted_and_suppressed_by_name_and_never_stops_the_command(bench) -> None:
    bench.spawn(*python("for n in range(300_000): print('line', n)"), oneshot=True)
    ended = await bench.hears(CommandEnded)
    assert (ended.how, ended.tail.splitlines()[-1]) == ("exit 0", "line 299999")
    lines = bench.texts(WEB)
    assert "web@gateway wrote more than 1,000 lines a second: " in lines[-1]
    dropped = sum(
        int(line.split(": ")[1].split()[0].replace(",", "")) for line in lines if line.startswith("web@gateway")
    )
    assert dropped + sum(line.startswith("line ") for line in lines) == 300_000


async def test_a_long_line_is_split_and_marked(bench) -> None:
    bench.spawn(*python("print('ä' * 200_000, end='')"), oneshot=True)
    await bench.hears(CommandEnded)
    *pieces, last = bench.texts(WEB)
    assert len(pieces) == 3
    assert all(piece.endswith(" …") for piece in pieces)
    assert "".join(piece.removesuffix(" …") for piece in pieces) + last == "ä" * 200_000


async def test_a_secret_where_a_long_line_is_cut_is_not_shown_in_halves(bench) -> None:
    bench.spawn(*python("print('x' * (64 * 1024 - 4) + 'password' + 'y' * 70000)"), oneshot=True)
    await bench.hears(CommandEnded)
    assert "pass" not in "".join(bench.texts(WEB))


async def test_output_that_is_no_text_is_shown_as_far_as_it_is(bench) -> None:
    bench.spawn(*python(r"import os; os.write(1, b'\xff\xfe ok\r\n')"), oneshot=True)
    await bench.hears(CommandEnded)
    assert bench.texts(WEB) == ["\ufffd\ufffd ok"]


# --- stop: after it no process of the command exists --------------------------------------------------------------------

STUBBORN = {
    "ignores TERM": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); up()",
    "is stopped": "up(); import signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "forked twice into sessions": """
        for _ in range(2):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0: import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)
                os._exit(0)
        up()
    """,
    "a grandchild holds the pipe": "import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True); up()",
    "has 40 children": "import subprocess; [subprocess.Popen(['sleep', '1000']) for _ in range(40)]; up()",
    "forks on TERM": """
        import signal
        def fork(*_):
            if os.fork() == 0: os.setsid()
        signal.signal(signal.SIGTERM, fork)
        up()
    """,
    "closes all descriptors": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); up(); os.closerange(0, 64)",
    "ends and leaves one behind": """
        if os.fork() == 0: import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.setsid(); up(); time.sleep(1000)
        time.sleep(1000)
    """,
}
PRELUDE = """
import os, sys, time
def up(): print("up", flush=True)
"""


@pytest.mark.parametrize("kind", STUBBORN)
async def test_after_a_stop_no_process_of_it_exists(bench, kind) -> None:
    code = PRELUDE + textwrap.dedent(STUBBORN[kind]) + "\nwhile True: time.sleep(1000)"
    bench.spawn(sys.executable, "-c", code, ready={"log": "up"})
    await bench.hears(CommandReady)
    bench.commands.stop(WEB, 1, 0.2)
    await bench.hears(CommandEnded)
    assert marked(bench) == set()


async def test_one_without_its_marker_is_found_through_its_session(bench) -> None:
    bench.spawn("sh", "-c", "trap '' TERM; env -i sleep 1000 & echo up; wait", ready={"log": "up"})
    pid = (await bench.hears(CommandStarted)).pid
    await bench.hears(CommandReady)
    family = kin.kin_of(kin.process_table(), held=[pid])
    assert len(family) == 2
    bench.commands.stop(WEB, 1, 0.1)
    await bench.hears(CommandEnded)
    assert [one for one in family if kin.identity_of(one.pid) == one] == []


async def test_what_a_crashed_command_left_behind_is_ended_before_its_end_is_told(bench) -> None:
    bench.spawn("sh", "-c", "sleep 1000 & setsid sleep 1000 & exit 7")
    assert (await bench.hears(CommandEnded)).code == 7
    assert marked(bench) == set()


async def test_a_second_stop_shortens_the_grace(bench) -> None:
    bench.spawn("sh", "-c", "trap '' TERM; echo up; while true; do sleep 1; done", ready={"log": "up"})
    await bench.hears(CommandReady)
    bench.commands.stop(WEB, 1, 1000.0)
    bench.commands.stop(WEB, 1, 0.0)
    assert (await bench.hears(CommandEnded)).how == "signal 9 (SIGKILL)"


async def test_the_stop_signal_is_the_declared_one(bench) -> None:
    bench.spawn(
        "sh",
        "-c",
        "trap 'exit 9' HUP; echo up; while true; do sleep 0.01; done",
        ready={"log": "up"},
        stop_signal="HUP",
    )
    await bench.hears(CommandReady)
    bench.commands.stop(WEB, 1, 10.0)
    assert (await bench.hears(CommandEnded)).code == 9


async def test_orphans_of_a_living_command_are_waited_for(bench) -> None:
    of_others = _zombies()  # this process adopts orphans, those of tests before this one, too
    bench.spawn(
        "sh",
        "-c",
        "for n in 1 2 3; do (setsid sh -c 'sleep 0.01' &); done; echo up; exec sleep 1000",
        ready={"log": "up"},
    )
    await bench.hears(CommandReady)
    await until(lambda: _zombies() <= of_others)


def _zombies() -> set[int]:
    return {pid for pid in kin.children_of(os.getpid()) if pid not in kin.process_table()}


async def test_a_stop_signal_that_is_none_starts_nothing_and_holds_nobody_else_up(bench) -> None:
    bench.spawn("sleep", "1000", stop_signal="NONSENSE")
    bench.spawn("sleep", "1000", address="next@gateway")
    assert (await bench.hears(CommandFailed)).fault.summary == "there is no signal `NONSENSE`"
    assert (await bench.hears(CommandStarted)).address == "next@gateway"
    assert marked(bench) == set()


async def test_a_host_name_that_cannot_be_is_not_ready_in_time(bench) -> None:
    bench.spawn("sleep", "1000", ready=f"http://{'a' * 70}.example:1/", ready_timeout=0.2)
    assert "label" in (await bench.hears(CommandFailed)).fault.summary
