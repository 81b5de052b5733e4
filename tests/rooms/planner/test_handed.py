"""A reading that was made for a runner before it began answers once, for the very same question, as long as it holds."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ignrun.manifest.inputs import Inputs
from ignrun.planner.graph.model import Graph
from ignrun.planner.proposal import Base, Reading
from ignrun.planner.reader import ResidentReader, propose
from ignrun.planner.reader.handed import HandedReading
from ignrun.planner.reader.noting import noting
from ignrun.runtime.watch.look import is_as_seen
from ignrun.terms.verdict import Accepted
from tests.rooms.planner.reading import inputs, write

PLAIN = "modules:\n  a: {command: [echo]}\n"
SECRET = "modules:\n  a: {command: [echo], config: {pw: '${secret:PW}'}}\n"
KEY, OTHER = b"k" * 32, b"o" * 32


class Reader(ResidentReader):
    """Says of every reading that it makes itself that it did."""

    def __init__(self, handed: HandedReading) -> None:
        super().__init__()
        self.read = 0
        self.still_holds = _holds
        self.lay_by(msgspec.msgpack.decode(msgspec.msgpack.encode(handed), type=HandedReading))

    async def _answer(self, asked: tuple[Inputs, Base, object]) -> Reading:
        self.read += 1
        return _read(asked[0], asked[1])


async def _holds(seen) -> bool:
    return is_as_seen(seen)


def _read(asked: Inputs, base: Base) -> Reading:
    return noting(asked, lambda: propose(asked, base))


def _kept(asked: Inputs) -> list[str]:
    """Name the parses that are kept."""
    return [one.name for one in Path(asked.state_dir, "cache").glob("*") if not one.name.startswith(".")]


def _graph(reading: Reading) -> Graph:
    assert isinstance(reading.verdict, Accepted)
    return reading.verdict.value.graph


def _asked(tmp_path: Path, text: str = PLAIN, **more) -> Inputs:
    return inputs(write(tmp_path, "plant.yaml", text), for_apply=True, fingerprint_key=KEY, **more)


async def test_what_was_read_already_is_not_read_again_but_only_once(tmp_path):
    asked = _asked(tmp_path)
    made = _read(asked, Base())
    reader = Reader(HandedReading(asked, Base(), made))
    assert await reader.ask(asked, Base()) == made
    assert reader.read == 0
    assert await reader.ask(asked, Base()) == made
    assert reader.read == 1


async def test_a_manifest_that_was_edited_since_is_read_again(tmp_path):
    asked = _asked(tmp_path)
    reader = Reader(HandedReading(asked, Base(), _read(asked, Base())))
    write(tmp_path, "plant.yaml", PLAIN + "  b: {command: [echo]}\n")
    found = await reader.ask(asked, Base())
    assert reader.read == 1
    assert {*_graph(found).instances} == {"a@gateway", "b@gateway"}


@pytest.mark.parametrize("change", [{"sets": ("modules.a.restart=never",)}, {"environment": {"HOME": "/"}}])
async def test_another_question_has_another_answer(tmp_path, change):
    asked = _asked(tmp_path)
    reader = Reader(HandedReading(asked, Base(), _read(asked, Base())))
    await reader.ask(replace(asked, **change), Base())
    assert reader.read == 1


async def test_what_was_compared_with_something_else_is_read_again(tmp_path):
    asked = _asked(tmp_path)
    graph = _graph(_read(asked, Base()))
    reader = Reader(HandedReading(asked, Base(), _read(asked, Base())))
    await reader.ask(asked, Base(last=graph))
    assert reader.read == 1


@pytest.mark.parametrize(("text", "again"), [(PLAIN, 0), (SECRET, 1)])
async def test_fingerprints_of_secrets_are_made_with_the_plants_own_key(tmp_path, text, again):
    asked = _asked(tmp_path, text, environment={"PW": "hush"})
    other = replace(asked, fingerprint_key=OTHER)
    reader = Reader(HandedReading(other, Base(), _read(other, Base())))
    found = await reader.ask(asked, Base())
    assert reader.read == again
    assert _graph(found) == _graph(_read(asked, Base()))


async def test_a_plan_takes_nothing_away_from_the_apply(tmp_path):
    asked = _asked(tmp_path)
    reader = Reader(HandedReading(asked, Base(), _read(asked, Base())))
    await reader.ask(replace(asked, for_apply=False), Base())
    await reader.ask(asked, Base())
    assert reader.read == 1


def test_what_later_readings_need_is_kept_once_the_apply_is_over(tmp_path):
    asked = _asked(tmp_path)
    made = _read(asked, Base())
    Path(asked.state_dir).mkdir(parents=True, exist_ok=True)
    reader = ResidentReader()
    reader.start()

    async def apply() -> None:
        reader.still_holds = _holds
        reader.lay_by(HandedReading(asked, Base(), made))
        assert await reader.ask(asked, Base()) == made
        assert not _kept(asked)
        reader.warm(asked, Base())
        async with asyncio.timeout(20):
            while not _kept(asked):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)

    try:
        asyncio.run(apply())
    finally:
        reader.close()
