"""Holds the reload of a command to its acknowledgement: files all or none, the signal, the proof, and what breaks it off."""

import asyncio
import json
import os
import sys
import textwrap

import pytest
from msgspec.structs import replace

from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.supervise.messages import CommandEnded, CommandReady, CommandReloaded, CommandStarted, Probed
from ignrun.terms.fault import FaultKind
from tests.rooms.engines.conftest import Bench, until
from tests.rooms.engines.test_commands import SERVER, WEB, free_port, python

READS = """
    import os, signal, sys, time
    def read(*_): print("serving", open("site.txt").read(), flush=True)
    signal.signal(signal.SIGHUP, read)
    read()
    while True: time.sleep(1000)
"""
SERVING = {"log": "serving"}


def site(text: str, path: str = "site.txt") -> tuple[dict, ...]:
    return ({"path": path, "text": text},)


def launch_of(bench: Bench, *argv: str, epoch: int = 1, **more) -> CommandLaunch:
    more = {"cwd": str(bench.folder), "reload_signal": "HUP", "reload_timeout": 10.0, "stop_grace": 0.5} | more
    return CommandLaunch(WEB, epoch, argv, **more)  # type: ignore[arg-type]


async def started(bench: Bench, *argv: str, **more) -> CommandLaunch:
    launch = launch_of(bench, *argv, **more)
    bench.commands.spawn(launch)
    await bench.hears(CommandReady)
    return launch


async def reloaded(bench: Bench, launch: CommandLaunch, change: int = 7) -> CommandReloaded:
    count = len(bench.said(CommandReloaded)) + 1
    bench.commands.reload(launch, change)
    said: CommandReloaded = await bench.hears(CommandReloaded, count)
    return said


async def test_a_line_of_output_after_the_signal_shows_that_it_took_its_files(bench) -> None:
    await started(bench, *python(READS), ready=SERVING, files=site("one"))
    said = await reloaded(bench, launch_of(bench, *python(READS), ready=SERVING, files=site("two")))
    assert said == CommandReloaded(WEB, 1, 7)
    assert bench.texts(WEB) == ["serving one", "serving two"]
    assert [type(one) for one in bench.heard] == [CommandStarted, CommandReady, CommandReloaded]


async def test_a_line_from_before_the_signal_shows_nothing(bench) -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('serving', flush=True)"
    await started(bench, *python(code + "\nimport time; time.sleep(1000)"), ready=SERVING, files=site("one"))
    said = await reloaded(bench, launch_of(bench, ready=SERVING, files=site("two"), reload_timeout=0.3))
    assert said.fault
    assert (said.fault.kind, said.fault.summary) == (
        FaultKind.TIMED_OUT,
        "it was not ready after 300ms of `HUP` (log: no answer)",
    )


async def test_after_a_reload_that_was_not_acknowledged_the_old_files_are_back(bench, tmp_path) -> None:
    code = "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('serving', flush=True); time.sleep(1000)"
    old = ({"path": "site.txt", "text": "one", "mode": "0640"},)
    await started(bench, *python(code), ready=SERVING, files=old)
    new = (*site("two"), *site("new", "more.txt"))
    assert (await reloaded(bench, launch_of(bench, ready=SERVING, files=new, reload_timeout=0.2))).fault
    assert (tmp_path / "site.txt").read_text() == "one"
    assert (tmp_path / "site.txt").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == ["site.txt"]


async def test_a_reload_is_answered_also_when_the_old_files_cannot_be_put_back(bench, monkeypatch) -> None:
    def refuse(_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ignrun.runtime.engines.reloading.put_back", refuse)
    code = "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('serving', flush=True); time.sleep(1000)"
    await started(bench, *python(code), ready=SERVING, files=site("one"))
    fault = (await reloaded(bench, launch_of(bench, ready=SERVING, files=site("two"), reload_timeout=0.2))).fault
    assert fault
    assert fault.kind is FaultKind.TIMED_OUT
    assert fault.summary.endswith("; its files could not be put back: No space left on device")


async def test_files_that_cannot_be_written_touch_neither_the_others_nor_the_process(bench, tmp_path) -> None:
    (tmp_path / "taken").mkdir()
    await started(bench, *python(READS), ready=SERVING, files=site("one"))
    new = (*site("two"), *site("three", "new.txt"), *site("x", "taken"))
    fault = (await reloaded(bench, launch_of(bench, ready=SERVING, files=new))).fault
    assert fault
    assert (fault.kind, "directory" in fault.summary) == (FaultKind.NOT_STARTED, True)
    assert (tmp_path / "site.txt").read_text() == "one"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["site.txt"]
    assert bench.texts(WEB) == ["serving one"]


async def test_without_an_acknowledgement_the_signal_is_enough(bench, tmp_path) -> None:
    launch = await started(bench, *python(READS), ready=SERVING, files=site("one"))
    del launch
    assert (await reloaded(bench, launch_of(bench, files=site("two"), reload_ack="none"))).fault is None
    await until(lambda: bench.texts(WEB) == ["serving one", "serving two"])


NOTIFIES = """
    import os, signal, socket, sys, time
    to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    def say(text): to.sendto(text, os.environ["NOTIFY_SOCKET"])
    signal.signal(signal.SIGHUP, lambda *_: [say(word.encode()) for word in sys.argv[1:]])
    say(b"READY=1")
    while True: time.sleep(1000)
"""


async def test_a_command_that_notifies_says_that_it_reloads_and_then_that_it_is_ready(bench) -> None:
    await started(bench, *python(NOTIFIES), "RELOADING=1\nMONOTONIC_USEC=1", "READY=1", ready={"notify": True})
    assert (await reloaded(bench, launch_of(bench, ready={"notify": True}))).fault is None


async def test_ready_alone_does_not_say_that_it_reloaded(bench) -> None:
    await started(bench, *python(NOTIFIES), "READY=1", ready={"notify": True})
    said = await reloaded(bench, launch_of(bench, ready={"notify": True}, reload_timeout=0.3))
    assert said.fault
    assert said.fault.summary == "it was not ready after 300ms of `HUP` (notify: no answer)"


@pytest.mark.parametrize("probe", ["http://127.0.0.1:{}/good", "tcp:{}"])
async def test_a_server_that_answers_after_the_signal_took_its_files(bench, probe) -> None:
    port = free_port()
    code = "import signal; signal.signal(signal.SIGHUP, lambda *_: None)\n" + textwrap.dedent(SERVER)
    ready = probe.format(port)
    await started(bench, sys.executable, "-c", code, str(port), ready=ready)
    assert (await reloaded(bench, launch_of(bench, ready=ready))).fault is None


async def test_a_server_that_answers_badly_after_the_signal_did_not(bench) -> None:
    port = free_port()
    code = textwrap.dedent(SERVER).replace('"/good": 204', '"/good": state[0]')
    code = (
        "import signal\nstate = [204]\ndef spoil(*_): state[0] = 500\nsignal.signal(signal.SIGHUP, spoil)\nsignal.siginterrupt(signal.SIGHUP, False)\n"
        + code
    )
    ready = f"http://127.0.0.1:{port}/good"
    await started(bench, sys.executable, "-c", code, str(port), ready=ready)
    said = await reloaded(bench, launch_of(bench, ready=ready, reload_timeout=0.5))
    assert said.fault
    assert said.fault.summary == f"it was not ready after 500ms of `HUP` ({ready}: status 500)"


async def test_one_that_dies_of_the_signal_faults_before_its_end_is_told(bench) -> None:
    await started(bench, "sleep", "1000", ready={"exec": ["true"]})
    said = await reloaded(bench, launch_of(bench, ready={"exec": ["true"]}))
    assert said.fault
    assert (said.fault.kind, said.fault.summary) == (
        FaultKind.EXITED,
        "it ended before it was done: signal 1 (SIGHUP)",
    )
    await bench.hears(CommandEnded)
    kinds = [type(one) for one in bench.heard]
    assert kinds.index(CommandReloaded) < kinds.index(CommandEnded)


async def test_a_stop_breaks_a_reload_off(bench) -> None:
    code = "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('serving', flush=True); time.sleep(1000)"
    await started(bench, *python(code), ready=SERVING)
    bench.commands.reload(launch_of(bench, ready=SERVING), 7)
    bench.commands.stop(WEB, 1, 5.0)
    assert (await bench.hears(CommandReloaded)).fault.summary == "it was stopped before it was done"
    await bench.hears(CommandEnded)
    assert len(bench.said(CommandReloaded)) == 1


async def test_another_reload_breaks_the_first_one_off_and_each_is_answered_once(bench) -> None:
    await started(bench, *python(READS), ready=SERVING, files=site("one"))
    for change, text in enumerate(("two", "three", "four")):
        bench.commands.reload(launch_of(bench, ready=SERVING, files=site(text)), change)
    await bench.hears(CommandReloaded, 3)
    answers = {said.change: said.fault and said.fault.summary for said in bench.said(CommandReloaded)}
    broken = "another reload came before it was done"
    assert answers == {0: broken, 1: broken, 2: None}
    assert bench.texts(WEB)[-1] == "serving four"


@pytest.mark.parametrize(
    ("more", "summary"),
    [
        ({"reload_signal": None}, "it declares no `reload`"),
        ({"reload_signal": "NONSENSE"}, "there is no signal `NONSENSE`"),
        ({"epoch": 2}, "it does not run"),
        ({"ready": {"notify": True}}, "it was started without a socket to notify on"),
        ({"ready": {"log": "("}}, "`log` is no log probe: missing ), unterminated subpattern at position 0"),
        ({"files": ({"path": "x", "text": "", "mode": "rwx"},)}, "`rwx` is no file mode in octal"),
    ],
)
async def test_what_cannot_be_reloaded_is_left_as_it_is(bench, more, summary) -> None:
    await started(bench, *python(READS), ready=SERVING, files=site("one"))
    said = await reloaded(bench, launch_of(bench, **({"ready": SERVING, "files": site("two")} | more)))
    assert said.fault
    assert (said.fault.kind, said.fault.summary) == (FaultKind.NOT_STARTED, summary)
    assert bench.texts(WEB) == ["serving one"]
    assert bench.said(CommandEnded) == []


async def test_the_config_is_offered_anew(bench) -> None:
    code = """
        import json, os, signal, time
        def read(*_): print("serving", json.load(open(os.environ["IGNRUN_CONFIG"])), flush=True)
        signal.signal(signal.SIGHUP, read)
        read()
        while True: time.sleep(1000)
    """
    await started(bench, *python(code), ready=SERVING, config={"port": 1})
    assert (await reloaded(bench, launch_of(bench, ready=SERVING, config={"port": 2}))).fault is None
    assert bench.texts(WEB) == ["serving {'port': 1}", "serving {'port': 2}"]
    (config,) = bench.run_dir.iterdir()
    assert (json.loads(config.read_text()), config.stat().st_mode & 0o777) == ({"port": 2}, 0o600)
    bench.commands.stop(WEB, 1, 5.0)
    await bench.hears(CommandEnded)
    assert [*bench.run_dir.iterdir()] == []


async def test_after_a_reload_health_is_asked_as_the_new_spec_says(bench, tmp_path) -> None:
    await started(bench, *python(READS), ready=SERVING, files=site("one"))
    new = launch_of(
        bench, ready=SERVING, files=site("two"), check={"exec": ["test", "-e", "well"]}, check_interval=0.02
    )
    await reloaded(bench, new)
    assert (await bench.hears(Probed)).healthy is False
    (tmp_path / "well").touch()
    await until(lambda: bench.said(Probed)[-1].healthy)


async def test_a_file_that_is_not_declared_any_more_is_taken_away_with_the_reload(bench, tmp_path) -> None:
    files = (*site("one"), *site("mine", "old.txt"), *site("changed", "edited.txt"), *site("both", "shared.txt"))
    launch = await started(bench, *python(READS), ready=SERVING, files=files)
    bench.spawn("sleep", "1000", address="other@gateway", files=site("both", "shared.txt"))
    await bench.hears(CommandReady, 2)
    (bench.folder / "edited.txt").write_text("by hand")
    assert (await reloaded(bench, replace(launch, files=site("two")))).fault is None
    await until(lambda: not (bench.folder / "old.txt").exists())
    assert (bench.folder / "edited.txt").read_text() == "by hand"
    assert [(bench.folder / name).read_text() for name in ("site.txt", "shared.txt")] == ["two", "both"]
    await until(lambda: any("old.txt` is not declared any more, and was taken away" in t for t in bench.texts(WEB)))


async def test_a_reload_that_fails_takes_nothing_away(bench) -> None:
    files = (*site("one"), *site("mine", "old.txt"))
    launch = await started(bench, *python(READS), ready=SERVING, files=files)
    gone = replace(launch, files=site("two"), ready={"log": "never"}, reload_timeout=0.2)
    assert (await reloaded(bench, gone)).fault
    assert [(bench.folder / name).read_text() for name in ("site.txt", "old.txt")] == ["one", "mine"]


async def test_what_the_next_start_does_not_declare_is_gone_before_it_begins(bench) -> None:
    await started(bench, "sleep", "1000", files=site("mine", "old.txt"))
    bench.commands.stop(WEB, 1, 0.0)
    await bench.hears(CommandEnded)
    bench.commands.spawn(launch_of(bench, "sleep", "1000", epoch=2))
    await bench.hears(CommandReady, 2)
    assert not (bench.folder / "old.txt").exists()


async def test_a_policy_that_comes_during_a_reload_holds_after_it(bench) -> None:
    slow = READS.replace("print(", "time.sleep(0.5); print(")
    launch = await started(bench, *python(slow), ready=SERVING, files=site("one"))
    bench.commands.reload(replace(launch, files=site("two")), 7)
    bench.commands.tell(replace(launch, stop_signal="KILL", stop_grace=30.0))
    said = await bench.hears(CommandReloaded)
    assert said.fault is None
    bench.commands.stop(WEB, 1, 30.0)
    ended = await bench.hears(CommandEnded)
    assert ended.how == "signal 9 (SIGKILL)"


async def test_a_stop_while_files_are_written_is_an_end(bench) -> None:
    launch = launch_of(bench, "sleep", "1000", files=site("one"))
    bench.commands.spawn(launch)
    asyncio.get_running_loop().call_soon(bench.commands.stop, WEB, 1, 5.0)  # right after it was begun
    assert await bench.hears(CommandEnded) == CommandEnded(WEB, 1, None, "never started")
    assert len(bench.heard) == 1


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough


async def test_a_hundred_reloads_leave_no_descriptor_and_no_file_behind(bench, tmp_path) -> None:
    await started(bench, *python(READS), ready=SERVING, files=site("one"))
    await reloaded(bench, launch_of(bench, ready=SERVING, files=site("first")))
    before = descriptors()
    for number in range(100):
        assert (await reloaded(bench, launch_of(bench, ready=SERVING, files=site(str(number))), number)).fault is None
    assert descriptors() == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["site.txt"]
