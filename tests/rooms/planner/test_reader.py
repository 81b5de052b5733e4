"""The bounded reading: one run names every mistake, no input hurts the one who asks."""

import asyncio
import os
import subprocess
import sys

import pytest

from ignrun.planner.proposal import Base
from ignrun.planner.reader import ResidentReader, propose, propose_bounded
from ignrun.planner.reader.bounded import answer_of, decoded
from ignrun.planner.reader.limits import Limits, limits_for
from ignrun.planner.reader.noting import noting
from ignrun.terms.failure import ReaderFailure
from ignrun.terms.verdict import Accepted, Rejected
from tests.rooms.planner.reading import inputs, lines, write

SOUND = "modules:\n  a: {command: [echo], config: {pw: '${secret:PW}'}}\n  b: {command: [echo], requires: [a]}\n"
# A pattern that takes longer than the universe has: backtracking over every split of the text.
ENDLESS = """\
modules:
  fine: {command: [echo]}
  slow:
    command: [echo]
    config_schema: {properties: {x: {type: string, pattern: "^(a+)+$"}}}
    config: {x: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}
"""


def test_seven_mistakes_are_told_in_one_run_each_at_its_key(tmp_path):
    write(tmp_path, "job.py", "class Job: ...\n")
    manifest = write(
        tmp_path,
        "plant.yaml",
        """\
        modules:
          a: {command: [echo], comand: x}
          b: {command: [echo], isolation: 7}
          c: {command: [echo], requires: [nobody]}
          d: {command: [echo], requires: [e]}
          e: {command: [echo], requires: [d]}
          f: {entry: "job:Jbo"}
          g: {command: [echo], env: {HOME: "${env:NOT_SET}"}}
          h:
            command: [echo]
            config_schema: {additionalProperties: false, properties: {interval: {type: integer}}}
            config: {intervall: 2}
        """,
    )
    reading = propose_bounded(inputs(manifest, strict_env=True), Base())
    assert isinstance(reading.verdict, Rejected)
    assert [line.partition(" (")[0] for line in lines(reading.verdict.diagnostics)] == [
        "2:24 IGN204 unknown key `comand` in module `a`",
        "3:35 IGN205 `isolation` takes `shared` or `process`, not the number 7",
        "4:35 IGN301 there is no module `nobody`",
        "5:35 IGN401 cycle: `d` -> `e` -> `d`",
        "7:7 IGN305 `Jbo` of entry `job:Jbo` does not exist",
        "8:36 IGN501 the variable `NOT_SET` is not set",
        "12:14 IGN204 unknown key `intervall` in config of module `h`",
    ]


def test_the_child_answers_what_the_corridor_does(tmp_path):
    asked = inputs(write(tmp_path, "plant.yaml", SOUND), environment={"PW": "hunter2"}, for_apply=True)
    reading = propose_bounded(asked, Base())
    assert reading == noting(asked, lambda: propose(asked, Base()))
    assert isinstance(reading.verdict, Accepted)
    assert reading.secrets == {"PW": "hunter2"}


def test_a_manifest_that_does_not_exist_is_a_diagnostic(tmp_path):
    [told] = lines(propose_bounded(inputs(tmp_path / "gone.yaml"), Base()).verdict.diagnostics)
    assert told.startswith("1:1 IGN101")


@pytest.mark.parametrize("judged_by", ["", "type: object, "], ids=["by a validator", "by a type"])
def test_time_without_end_is_told_at_the_module_that_took_it(tmp_path, judged_by):
    asked = inputs(write(tmp_path, "plant.yaml", ENDLESS.replace("{properties", f"{{{judged_by}properties")))
    verdict = decoded(answer_of(asked, Base(), Limits(cpu=1))).verdict
    assert lines(verdict.diagnostics) == [
        "3:3 IGN115 reading took more than 1 s of processor time (the place is what was being worked on)"
    ]


def test_memory_without_end_is_told(tmp_path):
    much = ", ".join(f"item-{number}" for number in range(200_000))
    asked = inputs(write(tmp_path, "plant.yaml", f"modules: {{a: {{command: [echo], config: {{x: [{much}]}}}}}}"))
    [told] = lines(decoded(answer_of(asked, Base(), Limits(memory=1 << 20))).verdict.diagnostics)
    assert "IGN115 reading took more than 1 MiB of memory" in told


def test_a_program_that_keeps_a_secret_to_itself_is_not_waited_for_without_end(tmp_path):
    text = "secrets: {PW: {exec: [sleep, '60']}}\n" + SOUND
    asked = inputs(write(tmp_path, "plant.yaml", text), for_apply=True)
    [told] = lines(decoded(answer_of(asked, Base(), Limits(wall=0.3))).verdict.diagnostics)
    assert "IGN115 reading took longer than 0.3 s" in told


def test_the_time_allowed_grows_with_the_text(tmp_path):
    assert limits_for(str(write(tmp_path, "a.yaml", SOUND))).cpu == 2
    assert limits_for(str(write(tmp_path, "b.yaml", "#" * 2_000_000))).cpu == 6
    assert limits_for(str(tmp_path / "gone.yaml")).cpu == 2


def test_a_bug_in_the_child_is_raised_with_its_traceback_and_a_lost_answer_is_a_failure():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        decoded(b"BTraceback ... ZeroDivisionError")
    with pytest.raises(ReaderFailure, match="signal 9"):
        decoded(b"Fthe reading process ended with signal 9")


# --- resident ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def resident():
    reader = ResidentReader()
    reader.start()
    yield reader
    reader.close()


def test_a_resident_reader_is_started_before_any_loop_and_answers_in_one(tmp_path, resident):
    asked = inputs(write(tmp_path, "plant.yaml", SOUND), environment={"PW": "x"}, for_apply=True)
    first = asyncio.run(resident.ask(asked, Base()))
    assert first == noting(asked, lambda: propose(asked, Base()))
    base = Base(1, first.verdict.value.graph)
    again = asyncio.run(resident.ask(asked, base))
    assert again.verdict.value.plan.is_empty


async def test_requests_wait_for_their_turn_and_one_that_is_given_up_does_not_spoil_the_next(tmp_path, resident):
    sound = inputs(write(tmp_path, "plant.yaml", SOUND))
    broken = inputs(write(tmp_path, "broken.yaml", "modules: {a: {command: [echo], requires: [x]}}\n"))
    one, other = await asyncio.gather(resident.ask(sound, Base()), resident.ask(broken, Base()))
    assert isinstance(one.verdict, Accepted)
    assert isinstance(other.verdict, Rejected)
    given_up = asyncio.create_task(resident.ask(broken, Base()))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert isinstance((await resident.ask(sound, Base())).verdict, Accepted)


async def test_a_resident_that_is_gone_is_a_failure_and_one_that_was_closed_too(tmp_path, resident):
    asked = inputs(write(tmp_path, "plant.yaml", SOUND))
    os.kill(resident.pid, 9)
    with pytest.raises(ReaderFailure, match="gone"):
        await resident.ask(asked, Base())
    resident.close()
    with pytest.raises(ReaderFailure, match="not been started"):
        await resident.ask(asked, Base())


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_reading_a_small_plant_imports_only_what_it_uses(tmp_path):
    manifest = write(tmp_path, "plant.yaml", "modules: {a: {command: [echo]}}\n")
    program = f"""
import sys
from ignrun.planner.reader import propose
from ignrun.planner.proposal import Base
from ignrun.manifest.inputs import Inputs
reading = propose(Inputs({str(manifest)!r}, "/s", "/", sys.executable, environment={{"PATH": "/bin"}}), Base())
assert not reading.verdict.diagnostics, reading
print(*(name for name in ("jsonschema", "dotenv", "importlib.metadata", "packaging", "asyncio", "difflib") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_plant_in_many_files_has_the_time_that_all_of_them_justify():
    program = (
        "import resource\n"
        "from ignrun.planner.reader.limits import Limits, allow_for, impose\n"
        "impose(Limits())\n"
        "for size in (1000, 2_000_000, 500_000):\n"
        "    allow_for(size)\n"
        "    print(resource.getrlimit(resource.RLIMIT_CPU)[0])\n"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == ["2", "6", "6"]


def test_all_texts_of_a_plant_count_for_its_time(tmp_path):
    sizes: list[int] = []
    write(tmp_path, "lines/a.yaml", "#" * 1000 + "\nmodules: {}\n")
    plant = write(tmp_path, "plant.yaml", 'include: ["lines/*.yaml"]\n')
    propose(inputs(plant), Base(), sized=sizes.append)
    assert 1000 < sizes[0] < 1200


def test_an_apply_keeps_parses_and_a_plan_reads_them_and_writes_nothing(tmp_path):
    manifest = write(tmp_path, "plant.yaml", "modules: {a: {command: [sleep, '1']}}\n")
    state = tmp_path / ".state"
    state.mkdir()
    propose_bounded(inputs(manifest), Base())
    assert list(state.iterdir()) == []
    propose_bounded(inputs(manifest, for_apply=True), Base())
    [kept] = (state / "cache").iterdir()
    before = kept.stat().st_mtime_ns
    assert isinstance(propose_bounded(inputs(manifest), Base()).verdict, Accepted)
    assert kept.stat().st_mtime_ns == before
