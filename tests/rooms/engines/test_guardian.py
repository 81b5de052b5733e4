"""Holds the guardian to its promise: a runner that is killed leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest

from ignrun.protocol import kin
from ignrun.runtime.engines.places import plant_token
from ignrun.runtime.engines.sweep import sweep
from tests.rooms.engines.conftest import ROOT, of_plant, until
from tests.rooms.engines.test_commands import PRELUDE, STUBBORN


class SmallRunner:
    """A runner in a process of its own, with everybody below it."""

    def __init__(
        self, folder, hosts=(), commands=(), grace: float = 0.3, *, slow_template: bool = False, python: str = ""
    ) -> None:
        self.token = plant_token(folder)
        codes = [PRELUDE + textwrap.dedent(code) + "\nwhile True: time.sleep(1000)" for code in commands]
        plan = json.dumps(
            {
                "hosts": [*hosts],
                "commands": codes,
                "grace": grace,
                "slow_template": slow_template,
                "python": python,
            }
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.rooms.engines.small_runner", str(folder), plan],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "up\n"
        me = kin.identity_of(self.process.pid)
        assert me
        self.family = kin.kin_of(kin.process_table(), [me], kin.of_plant(self.token))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def left(self) -> list[kin.Identity]:
        return [one for one in self.family if kin.identity_of(one.pid) == one and one.pid in kin.process_table()]

    def end(self) -> None:
        self.kill()
        for pid in of_plant(self.token):
            os.kill(pid, signal.SIGKILL)
        assert self.process.stdout
        self.process.stdout.close()


async def nothing_is_left(runner, seconds: float = 20.0) -> None:
    await until(lambda: of_plant(runner.token) == {} and runner.left() == [], seconds)


async def test_a_runner_that_is_killed_leaves_nothing_behind(runner_of) -> None:
    runner = runner_of(hosts=["gateway", "regex", "stopped", "deaf", "family"], commands=STUBBORN.values())
    assert len(runner.family) > 50
    runner.kill()
    await nothing_is_left(runner)


async def test_with_nobody_stubborn_everybody_is_gone_at_once(runner_of) -> None:
    runner = runner_of(hosts=["gateway"], commands=["up()"], grace=1000)
    runner.kill()
    began = time.monotonic()
    await nothing_is_left(runner)
    assert time.monotonic() - began < 2


async def test_a_command_is_asked_first_and_given_its_grace(runner_of, tmp_path) -> None:
    code = f"""
        import signal
        def leave(*_):
            time.sleep(0.3); open({str(tmp_path / "tidy")!r}, "w").close(); os._exit(0)
        signal.signal(signal.SIGTERM, leave); up()
    """
    runner = runner_of(commands=[code], grace=5)
    runner.kill()
    await nothing_is_left(runner)
    assert (tmp_path / "tidy").exists()


async def test_a_runner_that_is_stopped_is_not_taken_for_dead(runner_of) -> None:
    runner = runner_of(hosts=["gateway"], commands=["up()"])
    os.kill(runner.process.pid, signal.SIGSTOP)
    assert len(runner.left()) == len(runner.family)
    os.kill(runner.process.pid, signal.SIGCONT)
    assert runner.process.poll() is None


async def test_a_runner_that_is_killed_before_its_template_has_begun_leaves_nothing_behind(runner_of) -> None:
    runner = runner_of(commands=[STUBBORN["forked twice into sessions"]], slow_template=True)
    runner.kill()
    await nothing_is_left(runner)


@pytest.fixture
def stranger() -> Iterator:
    with subprocess.Popen(["sleep", "1000"], env={kin.MARKER: "another-plant/web@gateway/1"}) as process:
        yield process
        process.kill()


async def test_strangers_are_left_alone(runner_of, stranger) -> None:
    runner = runner_of(hosts=["gateway"], commands=["up()"])
    runner.kill()
    await nothing_is_left(runner)
    assert stranger.poll() is None


async def test_the_sweep_ends_what_runner_and_template_left_when_both_were_killed(runner_of) -> None:
    runner = runner_of(hosts=["stopped", "regex"], commands=[STUBBORN["ignores TERM"]])
    template = next(pid for pid, one in kin.process_table().items() if _is_template(one, runner.token))
    os.kill(runner.process.pid, signal.SIGSTOP)
    os.kill(template, signal.SIGKILL)
    runner.kill()
    assert runner.left() != []
    found = sweep(runner.token, grace=0.2)
    assert "c0@gateway/1" in found
    assert (of_plant(runner.token), runner.left()) == ({}, [])
    assert sweep(runner.token) == ()


async def test_the_sweep_waits_for_a_guardian_at_work(runner_of) -> None:
    runner = runner_of(hosts=["regex"], commands=[STUBBORN["ignores TERM"]], grace=0.5)
    runner.kill()
    sweep(runner.token, grace=0.0)
    assert (of_plant(runner.token), runner.left()) == ({}, [])


def test_the_sweep_spares_the_one_who_sweeps(tmp_path) -> None:
    token = plant_token(tmp_path)
    script = f"from ignrun.runtime.engines.sweep import sweep; print(sweep({token!r}))"
    env = {**os.environ, kin.MARKER: f"{token}/shell@gateway/1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "()\n"


def _is_template(process: kin.Process, token: str) -> bool:
    return process.name == kin.TEMPLATE_NAME and process.marker.startswith(token)
