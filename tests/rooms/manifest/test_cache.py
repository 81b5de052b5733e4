"""A text that was parsed once is not parsed again; what is kept is never trusted more than the text."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ignrun.manifest import cache as room
from ignrun.manifest.cache import ParseCache, parsed, use
from ignrun.manifest.files import TextFile
from ignrun.terms.verdict import Accepted

TEXT = "modules:\n  a: {command: [sleep, '1'], config: {n: 1, f: 2.5, t: null, x: [yes, true]}}\n"


def file(text=TEXT, digest="12" * 32):
    return TextFile("plant.yaml", text, digest)


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "cache"
    use(ParseCache(""))


def told(verdict):
    value = verdict.value
    return value.tree, value.places, value.lines, value.file, value.key_span(("modules", "a"))


def test_a_kept_parse_is_the_same_document(folder):
    use(ParseCache(str(folder), keeps=True))
    first = parsed(file())
    assert [one.name for one in folder.iterdir()] == ["12" * 32]
    assert told(parsed(file())) == told(first)


def test_a_kept_parse_spares_the_parsing(folder, monkeypatch):
    use(ParseCache(str(folder), keeps=True))
    parsed(file())
    monkeypatch.setattr("ignrun.manifest.compose.compose", lambda _: pytest.fail("parsed again"))
    assert isinstance(parsed(file()), Accepted)


def test_nothing_is_written_by_those_who_only_look(folder):
    use(ParseCache(str(folder)))
    parsed(file())
    assert not folder.exists()


def test_nothing_is_written_beside_a_state_folder_that_is_not_there(tmp_path):
    use(ParseCache(str(tmp_path / "gone" / "cache"), keeps=True))
    parsed(file())
    assert not (tmp_path / "gone").exists()
    use(ParseCache(""))


def test_a_text_with_mistakes_is_not_kept(folder):
    use(ParseCache(str(folder), keeps=True))
    parsed(file("a: 1\na: 2\n"))
    assert not folder.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_parse_is_parsed_anew(folder, at, bit, cut):
    use(ParseCache(str(folder), keeps=True))
    first = told(parsed(file()))
    kept = folder / ("12" * 32)
    data = bytearray(kept.read_bytes())
    if cut:
        del data[at % len(data) :]
    else:
        data[at % len(data)] ^= 1 << bit
    kept.write_bytes(data)
    assert told(parsed(file())) == first


def test_a_parse_of_another_release_is_parsed_anew(folder, monkeypatch):
    use(ParseCache(str(folder), keeps=True))
    parsed(file())
    monkeypatch.setattr(room, "FORMAT", "another")
    assert room._found(ParseCache(str(folder)), "12" * 32) is None


def test_the_oldest_parses_go_first(folder, monkeypatch):
    monkeypatch.setattr(room, "_MOST", 3)
    use(ParseCache(str(folder), keeps=True))
    for number in range(6):
        parsed(file(digest=f"{number:064}"))
    assert len(list(folder.iterdir())) == 3
    assert (folder / f"{5:064}").exists()
