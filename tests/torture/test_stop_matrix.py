"""Stops every nasty child fifty times, at random moments and with random grace: nothing may be left of any."""

import random
import sys

import pytest

from ignrun.runtime.supervise.messages import CommandEnded
from ignrun.terms.names import Address
from tests.rooms.engines.conftest import Bench, until
from tests.rooms.engines.nasty import NASTY, program
from tests.rooms.engines.test_commands import marked

pytestmark = pytest.mark.torture

TIMES = 50


@pytest.mark.parametrize("name", NASTY)
async def test_nothing_is_ever_left(tmp_path, name) -> None:
    chance = random.Random(name)
    bench = Bench(tmp_path)
    try:
        for epoch in range(1, TIMES + 1):
            bench.spawn(sys.executable, "-c", program(name), epoch=epoch)
            if chance.random() < 0.7:
                await until(lambda: "up" in bench.texts("web@gateway"))
            bench.lines.clear()
            bench.commands.stop(Address("web@gateway"), epoch, chance.choice((0.0, 0.05, 0.3)))
            await bench.hears(CommandEnded, epoch)
            assert marked(bench) == set(), (name, epoch)
    finally:
        await bench.close()
