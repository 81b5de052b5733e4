"""Kills a whole runner at calls that write its journal, in an apply and in a rollback: the next one starts the plant, once, and has lost nothing."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.stories.plant import Plant, new_plant, settled, until
from tests.torture.keeper import STRACE, UNTRACED

pytestmark = [
    pytest.mark.torture,
    pytest.mark.skipif(
        UNTRACED, reason="strace is missing: what a kill or an error at every call leaves is NOT tested"
    ),
    pytest.mark.timeout(1800),
]

MANIFEST = """
apply: {{soak: 0s}}
modules:
  tags: {{command: [sleep, "{value}"]}}
  bystander: {{command: [sleep, "1000"]}}
"""
ATTACHED = "strace: Process"


def kill_at(runner: int, call: str, number: int, wal: Path) -> subprocess.Popen[str]:
    """Have strace kill a runner at the so-manieth of such calls on its WAL from now on."""
    how = ("-f", "-P", str(wal), "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
    process = subprocess.Popen(
        [str(STRACE), *how, "-p", str(runner)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "attached" in process.stderr.readline()
    return process


def generations(plant: Plant) -> list[tuple[int, str]]:
    found = json.loads(plant.ignrun("history", "-o", "json", "--lines", "1000").out)["generations"]
    return [(one["number"], one["result"]) for one in found][::-1]


def flaws_after(plant: Plant, before: list[tuple[int, str]]) -> list[str]:
    """Start the plant as people do and say what is not as promised."""
    flaws = []
    plant.ignrun("apply", "-d")
    instances = plant.wait_for(settled)
    after = generations(plant)
    if after[: len(before)] != before:
        flaws.append(f"generations were {before} and are {after}")
    if any(result not in {"committed", "interrupted"} for _, result in after):
        flaws.append(f"not every generation has its result: {after}")
    lines = plant.ignrun("events", "-o", "json", "--lines", "100000").out.splitlines()
    numbers = [json.loads(line)["seq"] for line in lines]
    if numbers != list(range(1, len(numbers) + 1)):
        flaws.append("numbers of events are missing")
    sleeping = [command for command in plant.processes().values() if command.startswith("sleep ")]
    if len(sleeping) != len(instances):
        flaws.append(f"running: {sleeping}")
    if plant.status()["plant"]["note"]:
        flaws.append(plant.status()["plant"]["note"])
    return flaws


@pytest.mark.parametrize("verb", ["apply", "rollback"])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_runner_killed_at_any_write_of_its_journal_has_lost_nothing(tmp_path, verb, call) -> None:
    flaws: list[str] = []
    kills = 0
    with new_plant(tmp_path) as plant:
        for number in range(1, 60):
            for value in (1000, 2000):
                plant.write(MANIFEST.format(value=value + number))
                plant.ignrun("apply", "-d")
            before = generations(plant)
            runner = plant.status()["plant"]["pid"]
            tracer = kill_at(runner, call, number, plant.state_folder() / "journal.sqlite-wal")
            plant.write(MANIFEST.format(value=3000 + number))
            plant.ignrun(*((verb, "-d") if verb == "apply" else (verb, "--yes")), code=None)
            is_dead = runner not in plant.processes()
            kills += is_dead
            tracer.kill()  # it lets go of whom it traces, and would wait for a dead runner that nobody reaps
            tracer.communicate(timeout=10)
            if is_dead:
                until(lambda: not plant.processes())
                flaws += [f"{call} {number}: {flaw}" for flaw in flaws_after(plant, before)]
            else:
                break
        plant.ignrun("down", code=None)
    assert flaws == []
    assert kills
    print(f"runner killed, {verb}, {call}: {kills} kills, 0 flaws")
