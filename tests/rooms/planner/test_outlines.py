"""Code that was read once is not parsed again; what is kept of it says exactly what the code says."""

import ast
from pathlib import Path

import pytest

import ignrun
from ignrun.manifest.cache import ParseCache
from ignrun.planner.catalog.locate import digest_of
from ignrun.planner.catalog.outlines import NAME, Outlines
from ignrun.planner.proposal import Base
from ignrun.planner.reader import propose
from tests.rooms.planner.reading import inputs, write

OWN = sorted(Path(ignrun.__file__).parent.glob("**/*.py"))
CODE = b"""\
from ignrun import Module, provides, update
from elsewhere import Far as Near

class Job(Module, Near, some.where.Else):
    class Config:
        period: Annotated[float, update("restart")]
    async def run(self): ...
    @provides
    async def rows(self): ...

async def poll(ctx): ...
"""


@pytest.fixture
def cache(tmp_path):
    return ParseCache(str(tmp_path / "cache"), keeps=True)


def said(cache, *contents):
    """Let one reading ask for these files, and keep what they say."""
    outlines = Outlines(cache)
    found = [outlines.of(digest_of(content), content) for content in contents]
    outlines.keep()
    return found


def test_all_code_of_ignrun_says_the_same_from_the_cache(cache):
    contents = [file.read_bytes() for file in OWN]
    assert said(cache, *contents) == said(cache, *contents) == said(None, *contents)


def test_what_is_kept_spares_the_parsing(cache, monkeypatch):
    said(cache, CODE)
    monkeypatch.setattr(ast, "parse", lambda _: pytest.fail("parsed again"))
    (found,) = said(cache, CODE)
    assert found.outline.names == {"Module", "provides", "update", "Near", "Job", "poll"}


def test_another_byte_is_another_code(cache):
    said(cache, CODE)
    (found,) = said(cache, CODE.replace(b"Job", b"Jab"))
    assert "Jab" in found.outline.bodies


def test_only_what_the_latest_reading_asked_for_is_kept(cache, monkeypatch):
    said(cache, CODE, b"x = 1\n")
    said(cache, CODE)
    monkeypatch.setattr(ast, "parse", lambda _: pytest.fail("parsed again"))
    said(cache, CODE)
    with pytest.raises(pytest.fail.Exception):
        said(cache, b"x = 1\n")


def test_who_only_looks_writes_nothing(cache):
    said(ParseCache(cache.folder), CODE)
    assert not Path(cache.folder).exists()


@pytest.mark.parametrize("damage", [b"", b"????", b"x" * 100])
def test_what_is_damaged_is_read_anew(cache, damage):
    first = said(cache, CODE)
    (Path(cache.folder) / NAME).write_bytes(damage)
    assert said(cache, CODE) == first


def test_what_is_no_python_is_told_every_time(cache):
    for _ in range(2):
        with pytest.raises(SyntaxError):
            said(cache, b"class Job(:\n")


def test_a_plant_is_proposed_the_same_with_what_is_kept_and_without(tmp_path):
    write(tmp_path, "jobs.py", "from ignrun import Module\n\nclass Job(Module):\n    async def run(self): ...\n")
    asked = inputs(write(tmp_path, "plant.yaml", "modules:\n  a: {entry: jobs:Job}\n"), for_apply=True)
    Path(asked.state_dir).mkdir(parents=True, exist_ok=True)
    first = propose(asked, Base())
    assert (Path(asked.state_dir) / "cache" / NAME).exists()
    assert propose(asked, Base()) == first
