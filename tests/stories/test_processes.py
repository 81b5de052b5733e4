"""Tells what a manifest says about processes: interpreters, limits, and files that a command takes anew without a restart."""

import os
import site
import venv
from pathlib import Path

import pytest

from tests.stories.plant import Plant, identity, settled, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

ROOT = Path(__file__).resolve().parents[2]

CODE = """
import sys
from ignrun import Module

class Says(Module):
    async def startup(self):
        self.export(executable=sys.executable)

class Greedy(Module):
    async def startup(self):
        self.held = bytearray(2**30)
"""

SERVER = """
import os, signal, time
def read(*_): print("serving", open("site.txt").read(), flush=True)
signal.signal(signal.SIGHUP, read)
read()
while True: time.sleep(1000)
"""


def serving(text: str, title: str = "") -> str:
    return f"""
modules:
  other: {{command: [sleep, "1000"]}}
  web:
    command: [python3, server.py]
    files: {{site.txt: {{text: "{text}"}}}}
    ready: {{log: "serving {title or text}"}}
    reload: {{signal: HUP}}
    lifecycle: {{reconfigure_timeout: 2s}}
apply: {{soak: 0s}}
"""


def test_changed_files_reach_a_command_without_a_restart(plant: Plant) -> None:
    plant.write(SERVER, "server.py")
    plant.write(serving("one", "[a-z]+"))
    plant.ignrun("apply", "-d")
    before = plant.wait_for(settled)
    plant.write(serving("two", "[a-z]+"))
    assert "%" in plant.ignrun("plan").out
    plant.ignrun("apply")
    now = plant.instances()
    assert [identity(now[name]) for name in sorted(now)] == [identity(before[name]) for name in sorted(now)]
    until(lambda: "serving two" in plant.ignrun("logs", "web").out)


def test_a_reload_that_is_not_acknowledged_is_taken_back(plant: Plant) -> None:
    plant.write(SERVER, "server.py")
    plant.write(serving("one", "(one|three)"))
    plant.ignrun("apply", "-d")
    before = plant.wait_for(settled)
    plant.write(serving("two", "(one|three)"))
    done = plant.ignrun("apply", code=None)
    assert done.code not in (0, 2)
    assert "it was not ready after 2s of `HUP`" in done.said
    now = plant.wait_for(settled)
    assert identity(now["other@gateway"]) == identity(before["other@gateway"])
    assert (plant.folder / "site.txt").read_text() == "one"


def test_python_modules_and_commands_find_the_interpreter_of_the_manifest(plant: Plant) -> None:
    folder = plant.folder / "env"
    venv.create(folder, symlinks=True)
    packages = next((folder / "lib").glob("python3*/site-packages"))
    (packages / "here.pth").write_text("\n".join([str(ROOT), *site.getsitepackages(), ""]))
    plant.write(CODE, "plant_code.py")
    says = (
        "modules:\n  says: {entry: plant_code:Says}\n  which: {command: [sh, -c, command -v python], oneshot: true}\n"
    )
    plant.write(f"python: env\n{says}")
    plant.ignrun("apply", "-d")
    now = plant.wait_for(settled)
    assert now["says@gateway"]["exports"] == {"executable": str(folder / "bin" / "python")}
    assert str(folder / "bin" / "python") in plant.ignrun("logs", "which").out


def test_an_environment_without_ignrun_says_how_it_gets_it(plant: Plant) -> None:
    folder = plant.folder / "env"
    venv.create(folder, symlinks=True)
    plant.environment.pop("PYTHONPATH", None)
    plant.write(CODE, "plant_code.py")
    plant.write("python: env\nmodules:\n  says: {entry: plant_code:Says}\n")
    done = plant.ignrun("apply", "-d", code=None)
    assert done.code not in (0, 2)
    python = folder / "bin" / "python"
    assert f"`{python}` has no ignrun: install it with `{python} -m pip install ignrun==" in done.said


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor cannot be divided")
def test_a_module_that_takes_too_much_memory_fails_alone_and_a_limit_that_holds_otherwise_is_told(plant: Plant) -> None:
    plant.write(CODE, "plant_code.py")
    plant.write(
        "modules:\n"
        "  says: {entry: plant_code:Says}\n"
        "  greedy: {entry: plant_code:Greedy, isolation: process, limits: {memory: 512MiB}, gate: none}\n"
        "  slow: {entry: plant_code:Says, isolation: process, limits: {cpu: 0.5}}\n"
    )
    plant.ignrun("apply", "-d", code=None)
    now = plant.wait_for(lambda seen: seen.get("greedy@gateway", {}).get("fault") and seen["slow@gateway"]["pid"])
    assert "MemoryError" in now["greedy@gateway"]["fault"]["summary"]
    assert now["says@gateway"]["state"] == now["slow@gateway"]["state"] == "running"
    (note,) = now["slow@gateway"]["notes"]
    assert note.startswith("`limits.cpu: 0.5` holds as 1 whole processor: ")
    assert note in plant.ignrun("why", "slow").out
    assert now["says@gateway"]["notes"] == []


def test_other_exports_hold_for_what_runs_and_whoever_was_started_with_the_old_ones_follows(plant: Plant) -> None:
    def told(url: str) -> str:
        return f"""
modules:
  web: {{command: [sleep, "1000"], exports: {{url: "{url}"}}}}
  reader: {{command: [sh, -c, "echo reads $URL; sleep 1000"], env: {{URL: "${{module:web.exports.url}}"}}}}
apply: {{soak: 0s}}
"""

    plant.write(told("http://a/"))
    plant.ignrun("apply", "-d")
    before = plant.wait_for(settled)
    plant.write(told("http://b/"))
    plant.ignrun("apply")
    now = plant.wait_for(settled)
    assert identity(now["web@gateway"]) == identity(before["web@gateway"])
    assert now["web@gateway"]["exports"] == {"url": "http://b/"}
    assert now["reader@gateway"]["pid"] != before["reader@gateway"]["pid"]
    until(lambda: "reads http://b/" in plant.ignrun("logs", "reader").out)


def test_a_limit_in_which_no_host_can_live_is_told_with_the_last_words_of_the_host(plant: Plant) -> None:
    plant.environment.pop("PYTHONWARNINGS")
    plant.write(CODE, "plant_code.py")
    plant.write("modules:\n  says: {entry: plant_code:Says, isolation: process, limits: {memory: 20MiB}}\n")
    done = plant.ignrun("apply", "-d", code=3)
    assert "host says@gateway ended while it was prepared: exit " in done.said
    assert "Error" in done.said.partition("was prepared: ")[2].splitlines()[0]


def test_what_a_manifest_declares_that_a_module_exports_is_there_for_who_shares_its_process(plant: Plant) -> None:
    plant.write(
        f"{CODE}\nclass Reads(Module):\n    async def startup(self): self.export(read=self.config['url'])\n",
        "plant_code.py",
    )
    plant.write(
        "modules:\n"
        '  says: {entry: plant_code:Says, exports: {url: "http://a/"}}\n'
        '  reads: {entry: plant_code:Reads, config: {url: "${module:says.exports.url}"}}\n'
    )
    plant.ignrun("apply", "-d")
    now = plant.wait_for(settled)
    assert now["says@gateway"]["exports"].keys() == {"url", "executable"}
    assert now["reads@gateway"]["exports"] == {"read": "http://a/"}
