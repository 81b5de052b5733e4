"""Holds hosts of another interpreter to what holds for those of ignrun's own, and an unusable interpreter to saying what to do."""

import asyncio
import os
import signal
import site
import sys
import venv
from pathlib import Path

import pytest

import ignrun
from ignrun.protocol import kin
from ignrun.protocol.reports import Hello
from ignrun.runtime.engines import template
from ignrun.runtime.supervise.messages import CommandEnded, HostEnded, HostLaunched, HostSaid
from ignrun.terms.names import HostId
from tests.rooms.engines.conftest import ROOT, Bench, of_plant, until
from tests.rooms.engines.test_guardian import nothing_is_left
from tests.rooms.engines.test_hosts import templates_of

ENV = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> Path:
    """Make an environment whose packages are those that these tests run with."""
    folder: Path = tmp_path_factory.mktemp("with") / "venv"
    venv.create(folder, symlinks=True)
    packages = next((folder / "lib").glob("python3*/site-packages"))
    (packages / "here.pth").write_text("\n".join([str(ROOT), *site.getsitepackages(), ""]))
    return folder


@pytest.fixture(scope="session")
def empty_environment(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("without") / "venv"
    venv.create(folder, symlinks=True)
    return folder


async def is_up(bench: Bench, host: str, python: str) -> int:
    bench.hosts.launch(HostId(host), 1, python)
    await until(lambda: any(said.host == host and isinstance(said.report, Hello) for said in bench.said(HostSaid)))
    return int(next(said.pid for said in bench.said(HostLaunched) if said.host == host))


def executable(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


async def test_a_host_runs_in_the_interpreter_that_was_asked_for(bench, environment) -> None:
    theirs = await is_up(bench, "other", str(environment))
    ours = await is_up(bench, "gateway", "")
    assert executable(theirs)[0] == str(environment / "bin/python")
    assert executable(ours)[0] == sys.executable
    assert len(templates_of(bench)) == 2


async def test_one_template_serves_all_hosts_of_an_interpreter_and_none_is_started_before_the_first(
    bench, environment
) -> None:
    await is_up(bench, "gateway", "")
    assert len(templates_of(bench)) == 1
    await is_up(bench, "one", str(environment))
    await is_up(bench, "two", str(environment / "bin/python"))
    assert len(templates_of(bench)) == 2


async def test_a_host_of_another_interpreter_ends_as_any_other_does(bench, environment) -> None:
    pid = await is_up(bench, "family", str(environment))
    os.kill(pid, signal.SIGKILL)
    assert await bench.hears(HostEnded) == HostEnded(HostId("family"), 1, "signal 9 (SIGKILL)")
    assert [one for one in of_plant(bench.token).values() if "/family/" in one] == []


async def test_when_a_template_of_another_interpreter_is_killed_its_hosts_live_on_and_the_next_gets_a_new_one(
    bench, environment
) -> None:
    await is_up(bench, "gateway", "")
    guardian = templates_of(bench)
    pid = await is_up(bench, "one", str(environment))
    (helper,) = templates_of(bench) - guardian
    os.kill(helper, signal.SIGKILL)
    await until(lambda: kin.identity_of(helper) is None)
    await is_up(bench, "two", str(environment))
    assert bench.said(HostEnded) == []
    os.kill(pid, signal.SIGTERM)
    assert (await bench.hears(HostEnded)).how == "signal 15 (SIGTERM)"


async def test_an_interpreter_without_ignrun_says_how_to_install_it(tmp_path, empty_environment) -> None:
    bench = Bench(tmp_path, env=ENV)
    python = empty_environment / "bin/python"
    bench.hosts.launch(HostId("gateway"), 1, str(empty_environment))
    assert (await bench.hears(HostEnded)).how == (
        f"`{python}` has no ignrun: install it with `{python} -m pip install ignrun=={ignrun.__version__}`"
    )
    await bench.close()


async def test_an_interpreter_that_is_not_there_says_how_to_make_it(bench, tmp_path) -> None:
    bench.hosts.launch(HostId("gateway"), 1, str(tmp_path / "gone" / "bin" / "python"))
    assert (await bench.hears(HostEnded)).how == (
        f"there is no interpreter `{tmp_path}/gone/bin/python`: make the environment with `python3 -m venv {tmp_path}/gone`"
    )


async def test_another_ignrun_in_the_interpreter_is_refused_by_its_version(bench, environment, tmp_path) -> None:
    folder = tmp_path / "venv"
    venv.create(folder, symlinks=True)
    packages = next((folder / "lib").glob("python3*/site-packages"))
    older = "import ignrun; ignrun.__version__ = '0.0.1'"
    (packages / "here.pth").write_text("\n".join([str(ROOT), *site.getsitepackages(), older, ""]))
    bench.hosts.launch(HostId("gateway"), 1, str(folder))
    how = (await bench.hears(HostEnded)).how
    assert how.startswith(
        f"`{folder}/bin/python` has ignrun 0.0.1, this runner is {ignrun.__version__}: install it with "
    )


async def test_a_program_that_is_no_interpreter_is_named_with_its_last_words(bench, tmp_path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho I am no snake >&2\nexit 5\n")
    program.chmod(0o755)
    bench.hosts.launch(HostId("gateway"), 1, str(program))
    how = (await bench.hears(HostEnded)).how
    assert how == f"`{program}` cannot run hosts: exit 5: I am no snake"


async def test_after_such_a_failure_hosts_of_the_own_interpreter_start_as_ever(bench, tmp_path) -> None:
    bench.hosts.launch(HostId("other"), 1, str(tmp_path / "nowhere"))
    await bench.hears(HostEnded)
    await is_up(bench, "gateway", "")


async def test_the_bin_folder_of_the_interpreter_leads_the_path_of_a_command(bench, environment) -> None:
    bench.spawn("sh", "-c", "command -v python", oneshot=True, python=str(environment))
    assert (await bench.hears(CommandEnded)).tail == str(environment / "bin/python")


async def test_when_the_runner_is_killed_hosts_of_another_interpreter_are_gone_with_it(runner_of, environment) -> None:
    runner = runner_of(hosts=["gateway", "stopped", "family"], python=str(environment))
    assert len(helpers_of(runner, environment)) == 1
    runner.kill()
    await nothing_is_left(runner)


async def test_the_guardian_ends_those_whose_own_template_was_killed_with_the_runner(runner_of, environment) -> None:
    runner = runner_of(hosts=["gateway", "stopped"], python=str(environment))
    (helper,) = helpers_of(runner, environment)
    os.kill(helper, signal.SIGKILL)
    runner.kill()
    await nothing_is_left(runner)


def helpers_of(runner, environment: Path) -> list[int]:
    named = [one.pid for one in runner.family if kin.process_table()[one.pid].name == kin.TEMPLATE_NAME]
    return [pid for pid in named if executable(pid)[0] == str(environment / "bin/python")]


async def test_an_interpreter_that_never_answers_is_given_up_with_what_it_started(bench, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(template, "PATIENCE", 0.5)
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho thinking\nsleep 1000\n")
    python.chmod(0o755)
    bench.hosts.launch(HostId("gateway"), 1, str(python))
    ended = await bench.hears(HostEnded)
    assert ended.how == f"`{python}` cannot run hosts: it did not answer within 500ms: thinking"
    await until(lambda: "sleep 1000" not in of_plant(bench.token).values())


async def test_going_down_does_not_wait_for_an_interpreter_that_never_answers(bench, tmp_path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nsleep 1000\n")
    python.chmod(0o755)
    bench.hosts.launch(HostId("gateway"), 1, str(python))
    async with asyncio.timeout(6.0):
        await bench.close()
    assert of_plant(bench.token) == {}
