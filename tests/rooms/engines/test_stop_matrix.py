"""Holds a stop to its promise: whatever a command does, no process of it is left afterwards, and nobody else is touched."""

import os
import subprocess
import sys
import time

import pytest

from ignrun.runtime.engines.groups import Groups
from ignrun.runtime.engines.workshop import Workshop
from ignrun.runtime.supervise.messages import CommandEnded
from ignrun.terms.names import Address
from tests.rooms.engines.conftest import until
from tests.rooms.engines.nasty import NASTY, program
from tests.rooms.engines.test_commands import marked

GRACE = 0.3


@pytest.fixture
def bystander():
    """Run a process that nobody may touch."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


async def left_after_stop(bench, name: str, *, grace: float = GRACE, sudden: bool = False) -> tuple[int, float]:
    """Start a nasty child, stop it once it is up (or before, `sudden`); give what is left of it and the seconds that it took."""
    bench.spawn(sys.executable, "-c", program(name), stop_grace=grace)
    address = Address("web@gateway")
    if not sudden:
        await until(lambda: "up" in bench.texts(address))
    began = time.monotonic()
    bench.commands.stop(address, 1, grace)
    await bench.hears(CommandEnded)
    return len(marked(bench)), time.monotonic() - began


@pytest.mark.parametrize("name", NASTY)
async def test_nothing_is_left_of_a_nasty_child(bench, bystander, name) -> None:
    left, seconds = await left_after_stop(bench, name)
    assert left == 0
    assert seconds < GRACE + 5
    assert bystander.poll() is None


@pytest.mark.parametrize("name", NASTY)
async def test_nothing_is_left_of_a_nasty_child_that_is_stopped_while_it_begins(bench, name) -> None:
    assert (await left_after_stop(bench, name, sudden=True))[0] == 0


@pytest.mark.parametrize("name", ["ignores-term", "setsid", "many", "forks-on-term"])
async def test_nothing_is_left_where_there_is_no_grace_at_all(bench, name) -> None:
    assert (await left_after_stop(bench, name, grace=0.0))[0] == 0


@pytest.mark.parametrize("name", ["double-fork", "setsid", "pipe-held", "forks-on-term"])
async def test_the_matrix_catches_a_build_that_does_not_look_for_what_is_left(bench, monkeypatch, name) -> None:
    monkeypatch.setattr(Workshop, "left_of", lambda *_: frozenset())
    monkeypatch.setattr(Groups, "kill", lambda *_: None)
    monkeypatch.setattr("ignrun.runtime.engines.incarnation.signal_group", _signal_the_leader_only)
    assert (await left_after_stop(bench, name))[0] > 0


def _signal_the_leader_only(child, number: int) -> None:
    os.kill(child.pid, number)
