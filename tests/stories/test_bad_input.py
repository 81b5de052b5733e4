"""Tells how each mistake ends: one clear message with its place, the documented code, nothing left running, nothing half written."""

import ctypes
import os
import re

import pytest

from tests.stories.plant import Plant, new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

INVALID, HELD, STATE_FOLDER = 3, 11, 5

CODE = """
from ignrun import Module

class Good(Module): ...
"""
GOOD = "  good: {entry: plant_code:Good}\n"


@pytest.fixture
def coded(plant):
    plant.write(CODE, "plant_code.py")
    return plant


def errors(said: str) -> list[str]:
    return re.findall(r"^error.*$", said, re.MULTILINE)


def nothing_written(plant: Plant) -> None:
    """No process, no published state and no temporary file: as if nothing had been asked."""
    plant.nothing_left()
    left = [path for path in plant.folder.rglob("*") if path.name == "current" or path.name.endswith(".tmp")]
    assert left == []


# --- what is wrong in the text ----------------------------------------------------------------------------------------

TEXTS = {
    "invalid YAML": ("modules:\n  a: {entry: [\n", r"ignrun\.yaml:\d+:\d+", ""),
    "a duplicate key": ("modules:\n  a: {entry: plant_code:Good, entry: x:y}\n", r"ignrun\.yaml:2:\d+", "entry"),
    "an unknown key": ("modules:\n  a: {entry: plant_code:Good, intervall: 2s}\n", r"ignrun\.yaml:2:31", "`intervall`"),
    "a misspelt key": ("modules:\n  a: {entry: plant_code:Good, confg: {}}\n", r"ignrun\.yaml:2:31", "did you mean `config`?"),
    "a wrong type": ("modules:\n  a: {entry: plant_code:Good, requires: 7}\n", r"ignrun\.yaml:2:\d+", "requires"),
    "a list of modules": ("modules: [a, b]\n", r"ignrun\.yaml:1:\d+", "modules"),
    "no module at all": ("moduls: {}\n", r"ignrun\.yaml:1:1", "did you mean `modules`?"),
    "a file that does not exist": ("modules:\n  a: {entry: plant_cod:Good}\n", r"ignrun\.yaml:2:\d+", "plant_cod"),
    "a class that does not exist": ("modules:\n  a: {entry: plant_code:Goood}\n", r"ignrun\.yaml:2:\d+", "did you mean `Good`?"),
    "a dependency that does not exist": (f"modules:\n{GOOD}  a: {{entry: plant_code:Good, requires: [goood]}}\n", r"ignrun\.yaml:3:\d+", "did you mean `good`?"),
    "a cycle": ("modules:\n  a: {entry: plant_code:Good, requires: [b]}\n  b: {entry: plant_code:Good, after: [a]}\n", r"ignrun\.yaml:[23]:\d+", "cycle"),
    "an unset variable": ("modules:\n  a: {entry: plant_code:Good, config: {x: '${env:NOT_SET_AT_ALL}'}}\n", r"ignrun\.yaml:2:\d+", "NOT_SET_AT_ALL"),
    "an unset secret": ("modules:\n  a: {entry: plant_code:Good, config: {x: '${secret:NOT_SET_AT_ALL}'}}\n", r"ignrun\.yaml:2:\d+", "NOT_SET_AT_ALL"),
    "a definition that does not exist": ("modules:\n  a: {uses: org.ignrun.tagz}\n", r"ignrun\.yaml:2:\d+", "did you mean `org.ignrun.tags`?"),
    "config that the schema refuses": ("modules:\n  a: {uses: org.ignrun.tags, config: {intervall: 2s}}\n", r"ignrun\.yaml:2:\d+", "did you mean `interval`?"),
    "config of the wrong type": ("modules:\n  a: {uses: org.ignrun.tags, config: {groups: 7}}\n", r"ignrun\.yaml:2:\d+", "groups"),
    "a command that does not exist": ("modules:\n  a: {command: [no-such-program-at-all]}\n", r"ignrun\.yaml:2:\d+", "no-such-program-at-all"),
    "two kinds of module at once": ("modules:\n  a: {entry: plant_code:Good, command: ['true']}\n", r"ignrun\.yaml:2:\d+", "`command`"),
    "a word of a later version": ("modules:\n  a: {entry: plant_code:Good, replicas: 3}\n", r"ignrun\.yaml:2:\d+", "replicas"),
    "an empty file": ("", r"ignrun\.yaml:1:1", ""),
    "bytes that are no text": ("modules: \udcff\n", r"ignrun\.yaml:1:\d+", ""),
}  # fmt: skip


@pytest.mark.parametrize("what", TEXTS)
def test_a_mistake_in_the_text_is_named_at_its_place_and_nothing_is_touched(coded: Plant, what) -> None:
    text, place, words = TEXTS[what]
    coded.manifest.write_bytes(text.encode(errors="surrogateescape"))
    done = coded.ignrun("apply", "-d", code=INVALID)
    assert re.search(place, done.err), done.err
    assert words in done.err, done.err
    assert len(errors(done.err)) == 1, done.err
    nothing_written(coded)


def test_seven_mistakes_are_named_in_one_run(coded: Plant) -> None:
    coded.write(
        "metadata: {name: Plant}\n"
        "modules:\n"
        "  a: {entry: plant_code:Goood}\n"
        "  b: {entry: plant_code:Good, intervall: 2s}\n"
        "  c: {entry: plant_code:Good, requires: [nobody]}\n"
        "  d: {entry: plant_code:Good, lifecycle: {start_timeout: soon}}\n"
        "  e: {command: [no-such-program-at-all]}\n"
        "  f: {uses: org.ignrun.tags, config: {interval: often}}\n"
    )
    done = coded.ignrun("validate", code=INVALID)
    assert len(errors(done.said)) == 7, done.said
    assert {int(line) for line in re.findall(r"ignrun\.yaml:(\d+):\d+", done.said)} >= {1, 3, 4, 5, 6, 7, 8}


# --- what is wrong with files and folders -----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["apply", "validate", "plan", "graph", "run"])
def test_a_file_that_is_missing_is_named(plant: Plant, verb) -> None:
    done = plant.ignrun(verb, "nowhere/plant.yaml", code=INVALID)
    assert "nowhere/plant.yaml" in done.said and len(errors(done.said)) == 1
    nothing_written(plant)


def test_a_folder_in_place_of_a_manifest_is_named(plant: Plant) -> None:
    (plant.folder / "plant.yaml").mkdir()
    done = plant.ignrun("apply", "plant.yaml", "-d", code=INVALID)
    assert "plant.yaml" in done.err and len(errors(done.err)) == 1


def without_power() -> None:
    """Let the system's rights count for root as well: without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    if os.getuid() == 0:
        for capability in (1, 2):
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_a_folder_that_may_not_be_read_is_named(plant: Plant) -> None:
    private = plant.folder / "private"
    private.mkdir()
    (private / "plant.yaml").write_text(f"modules:\n{GOOD}")
    private.chmod(0)
    try:
        done = plant.ignrun("validate", str(private / "plant.yaml"), code=INVALID, preexec_fn=without_power)
    finally:
        private.chmod(0o700)
    assert "private/plant.yaml" in done.said and len(errors(done.said)) == 1


def test_a_state_folder_that_cannot_be_one_is_named(coded: Plant) -> None:
    coded.write(f"modules:\n{GOOD}")
    (coded.folder / "state").write_text("a file")
    done = coded.ignrun("apply", "-d", "--state-dir", "state", code=STATE_FOLDER)
    assert "state" in done.err and len(errors(done.err)) == 1
    nothing_written(coded)


def test_an_env_file_that_is_missing_is_named(coded: Plant) -> None:
    coded.write(f"env_files: [plant.env]\nmodules:\n{GOOD}")
    done = coded.ignrun("apply", "-d", code=INVALID)
    assert "plant.env" in done.err and "ignrun.yaml:1:" in done.err
    nothing_written(coded)


# --- what is wrong in module code -------------------------------------------------------------------------------------

FAILURES = {
    "raises": 'raise RuntimeError("the valve is stuck")',
    "hangs": "await __import__('asyncio').sleep(1000)",
    "blocks": "__import__('time').sleep(1000)",
    "exits": "__import__('os')._exit(3)",
    "asks to exit": "raise SystemExit(3)",
}
MANIFEST = """
modules:
  good: {{entry: plant_code:Good}}
  bad:
    entry: bad_code:Bad
    isolation: {isolation}
    lifecycle: {{initialize_timeout: 700ms, start_timeout: 700ms, stop_timeout: 700ms, restart: never}}
    health: {{interval: 200ms, timeout: 500ms, failures: 1}}
  behind: {{entry: plant_code:Good, requires: [bad]}}
"""


def bad(plant: Plant, callback: str, how: str, isolation: str = "process") -> None:
    plant.write(
        f"from ignrun import Module\nclass Bad(Module):\n    async def {callback}(self):\n        {FAILURES[how]}\n",
        "bad_code.py",
    )
    plant.write(MANIFEST.format(isolation=isolation))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('no licence')", "no licence"),
        ("import no_such_package_at_all", "no_such_package_at_all"),
        ("import os; os._exit(3)", "exit 3"),
        ("raise SystemExit(3)", "sys.exit(3)"),
        ("while True: pass", "bad_code.py:1"),
        ("class Bad: ...", "AbstractIgnitionModule"),
    ],
)
def test_code_that_cannot_be_imported_rejects_the_apply_before_anything_starts(coded: Plant, text, words) -> None:
    later = "" if text.startswith("class") else "\nfrom ignrun import Module\nclass Bad(Module): ...\n"
    coded.write(text + later, "bad_code.py")
    coded.write(MANIFEST.format(isolation="process"))
    done = coded.ignrun("apply", "-d", code=INVALID, seconds=90)
    assert words in done.out and "bad" in done.out, done.said
    nothing_written(coded)


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("callback", ["initialize", "startup"])
def test_a_module_that_fails_to_start_is_held_with_its_reason_and_the_rest_runs(coded: Plant, callback, how) -> None:
    bad(coded, callback, how)
    done = coded.ignrun("apply", "-d", code=HELD)
    instances = coded.instances()
    assert "bad" in done.out and (callback in done.out or how in {"exits", "blocks"}), done.said
    assert instances["good@gateway"]["state"] == "running" and instances["good@gateway"]["health"] == "healthy"
    assert instances["bad@gateway"]["state"] == "error" and instances["bad@gateway"]["health"] != "healthy"
    assert instances["behind@gateway"]["state"] != "running"
    assert "upstream" in coded.ignrun("status", *coded.aim(), code=None).out
    coded.ignrun("down", *coded.aim())
    coded.nothing_left()


@pytest.mark.parametrize("how", ["raises", "hangs", "exits"])
def test_a_module_whose_check_fails_is_held_as_unhealthy(coded: Plant, how) -> None:
    bad(coded, "check_health", how)
    done = coded.ignrun("apply", "-d", code=HELD)
    assert "bad" in done.out
    assert coded.instances()["bad@gateway"]["health"] != "healthy"
    coded.ignrun("down", *coded.aim())
    coded.nothing_left()


@pytest.mark.parametrize("how", ["raises", "blocks", "exits", "asks to exit"])
def test_a_main_loop_that_fails_is_a_fault_that_status_shows(coded: Plant, how) -> None:
    bad(coded, "run", how)
    done = coded.ignrun("apply", "-d", code=None)
    assert done.code in {0, HELD}
    until(lambda: coded.instances()["bad@gateway"]["health"] != "healthy", 20)
    assert coded.instances()["good@gateway"]["state"] == "running"
    coded.ignrun("down", *coded.aim())
    coded.nothing_left()


@pytest.mark.parametrize("how", FAILURES)
def test_a_module_that_fails_to_stop_does_not_keep_the_plant_up(coded: Plant, how) -> None:
    bad(coded, "shutdown", how)
    coded.ignrun("apply", "-d")
    coded.ignrun("down", *coded.aim())
    coded.nothing_left()
    assert "bad" in coded.ignrun("events", *coded.aim()).out


def test_neighbours_of_a_module_that_kills_its_process_come_back(coded: Plant) -> None:
    bad(coded, "startup", "exits", isolation="shared")
    coded.ignrun("apply", "-d", code=HELD)
    coded.wait_for(lambda now: now["good@gateway"]["state"] == "running")
    coded.ignrun("down", *coded.aim())
    coded.nothing_left()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("[python, -c, 'raise SystemExit(4)']", "exit 4"),
        ("[python, -c, 'import os; os.kill(os.getpid(), 9)']", "signal 9"),
        ("[sleep, '1000'], ready: 'tcp:1'", "ready"),
    ],
)
def test_a_command_that_does_not_come_up_is_held_with_its_reason(coded: Plant, command, words) -> None:
    coded.write(f"modules:\n{GOOD}  bad: {{command: {command}, lifecycle: {{start_timeout: 1s, restart: never}}}}\n")
    done = coded.ignrun("apply", "-d", code=HELD)
    assert "bad" in done.out and words in done.out, done.said
    assert coded.instances()["good@gateway"]["state"] == "running"
    coded.ignrun("down", *coded.aim())
    coded.nothing_left()


def test_a_hook_that_crashes_is_a_failed_start_and_not_a_healthy_module(coded: Plant) -> None:
    code = """
from ignrun import Module

class Hook:
    def setup(self, context): ...
    def startup(self): raise RuntimeError("the hook is broken")
    def shutdown(self): ...

class Bad(Module):
    def create_gateway_hook(self): return Hook()
"""
    coded.write(code, "bad_code.py")
    coded.write(MANIFEST.format(isolation="shared"))
    done = coded.ignrun("apply", "-d", code=HELD)
    assert "the hook is broken" in done.out
    one = coded.instances()["bad@gateway"]
    assert one["state"] == "error" and one["health"] != "healthy" and one["statistics"]["error_count"] >= 1


def test_a_held_plant_is_repaired_by_the_next_apply(coded: Plant) -> None:
    bad(coded, "startup", "raises")
    coded.ignrun("apply", "-d", code=HELD)
    good = coded.instances()["good@gateway"]["pid"]
    coded.write("from ignrun import Module\nclass Bad(Module): ...\n", "bad_code.py")
    coded.ignrun("apply")
    instances = coded.instances()
    assert {one["health"] for one in instances.values()} == {"healthy"} and instances["good@gateway"]["pid"] == good


def test_the_message_of_a_module_that_raises_shows_no_secret(tmp_path) -> None:
    canary = "canary-41d8cd98"
    with new_plant(tmp_path, PASSWORD=canary) as plant:
        plant.write(
            "from ignrun import Module\nclass Bad(Module):\n    async def startup(self):\n"
            "        print('printed', self.config['password'].reveal())\n"
            "        self.log.error('logged %s', self.config['password'].reveal())\n"
            "        raise RuntimeError('refused: ' + self.config['password'].reveal())\n",
            "bad_code.py",
        )
        plant.write(
            "modules: {bad: {entry: bad_code:Bad, config: {password: '${secret:PASSWORD}'}, lifecycle: {restart: never}}}"
        )
        plant.ignrun("apply", "-d", code=HELD)
        state = plant.state_folder()
        for args in (["status"], ["status", "-o", "json"], ["events"], ["logs"], ["plan"]):
            plant.ignrun(*args, *plant.aim(), code=None)
        plant.ignrun("down", *plant.aim())
        assert [done.said for done in plant.heard if canary in done.said] == []
        assert [str(one) for one in state.rglob("*") if one.is_file() and canary.encode() in one.read_bytes()] == []
