"""Tells what is asked on a terminal before something is deleted, and what each answer leads to."""

import os
import pty
import subprocess
import sys

import pytest

from tests.stories.plant import Plant, new_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

MANIFEST = """
modules:
  a: {command: [sleep, "1000"]}
  b: {command: [sleep, "1000"]}
  c: {command: [sleep, "1000"]}
"""
FEWER = MANIFEST.replace('  c: {command: [sleep, "1000"]}\n', "")


@pytest.fixture
def fewer(tmp_path):
    with new_plant(tmp_path) as plant:
        plant.write(MANIFEST)
        plant.ignrun("apply", "-d", "--soak", "0s")
        plant.write(FEWER)
        yield plant


def answered(plant: Plant, answer: bytes, *words: str) -> tuple[int, str]:
    """Run a command on a terminal of its own and type `answer` there; gives its exit code and all that it wrote."""
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    command = [sys.executable, "-m", "ignrun", *words]
    environment = plant.environment | {"TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen(
        command, cwd=plant.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        said = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return process.returncode, said.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # so Linux says that nobody holds the other end any more
        return b""


def test_no_ends_with_1_and_nothing_was_touched(fewer: Plant) -> None:
    before = fewer.instances()
    code, said = answered(fewer, b"n\n", "apply", "--soak", "0s")
    assert code == 1, said
    assert "error: not confirmed: nothing was touched" in said
    assert fewer.instances().keys() == before.keys()


@pytest.mark.parametrize(("answer", "words"), [(b"y\n", ()), (b"", ("--yes",))])
def test_yes_or_the_option_goes_on(fewer: Plant, answer, words) -> None:
    code, said = answered(fewer, answer, "apply", "--soak", "0s", *words)
    assert code == 0, said
    assert ("Go on? [y/N]" in said) == (not words)
    assert set(fewer.instances()) == {"a@gateway", "b@gateway"}


def test_nobody_is_asked_who_cannot_answer(fewer: Plant) -> None:
    fewer.ignrun("apply", "--soak", "0s")
    assert set(fewer.instances()) == {"a@gateway", "b@gateway"}
