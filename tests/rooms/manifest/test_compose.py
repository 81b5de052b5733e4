"""A document holds what its text says, and every place leads to the text of its scalar."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ignrun.manifest.compose import compose
from ignrun.manifest.document import Document
from ignrun.manifest.files import TextFile
from ignrun.terms.leaves import Path
from ignrun.terms.verdict import Accepted, examined

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff\ufffe\uffff")),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc<-é\"'", max_size=4), inner, max_size=4),
)


def _document(text: str) -> Document:
    verdict = compose(TextFile("plant.yaml", text, "digest"))
    assert isinstance(verdict, Accepted), verdict.diagnostics
    assert verdict.value is not None
    return verdict.value


def _plain(value: Any) -> str:
    """Write a scalar so that the core schema reads it back: texts in quotes, the rest plain."""
    return json.dumps(value, ensure_ascii=False)


def _block(tree: Any, depth: int = 0) -> str:
    """Write a tree as block YAML, the simplest way there is."""
    lead = "  " * depth
    if isinstance(tree, dict) and tree:
        return "".join(f"\n{lead}{_plain(key)}: {_block(value, depth + 1)}" for key, value in tree.items())
    if isinstance(tree, list) and tree:
        return "".join(f"\n{lead}- {_block(value, depth + 1)}" for value in tree)
    return _plain(tree)


def _scalars(tree: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    if isinstance(tree, dict):
        return [one for key, value in tree.items() for one in _scalars(value, (*path, key))]
    if isinstance(tree, list):
        return [one for number, value in enumerate(tree) for one in _scalars(value, (*path, number))]
    return [(path, tree)]


def _written(document: Document, span: Any) -> str:
    return document.line(span.line)[span.column - 1 : span.end - 1]


@given(TREES)
def test_a_tree_that_is_written_is_read_back(tree: Any) -> None:
    assert _document("--- " + _block(tree) + "\n").tree == tree
    assert _document("--- " + _plain(tree) + "\n").tree == tree


@given(TREES)
def test_every_place_is_that_of_its_scalar_and_of_its_key(tree: Any) -> None:
    document = _document("--- " + _block(tree) + "\n")
    for path, value in _scalars(tree):
        assert _written(document, document.value_span(path)) == _plain(value)
        if path and isinstance(path[-1], str):
            assert _written(document, document.key_span(path)) == _plain(path[-1])


def test_an_alias_repeats_what_is_marked_and_places_lead_to_both() -> None:
    document = _document("a: &a {b: [1, 2]}\nc: *a\nd: 3\n")
    assert document.tree == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": 3}
    assert str(document.value_span(("c",))) == "plant.yaml:2:4"
    assert str(document.value_span(("c", "b", 1))) == "plant.yaml:1:15"
    assert str(document.value_span(("d",))) == "plant.yaml:3:4"


def test_places_stay_right_behind_keys_that_are_refused() -> None:
    document = examined(compose(TextFile("p", "a: {b: 1}\na: {c: [2]}\n1: {x: y}\n? [k]\n: v\nd: 4\n", "")))
    assert document is not None
    assert document.tree == {"a": {"b": 1}, "d": 4}
    assert str(document.value_span(("d",))) == "p:6:4"


def test_lines_are_counted_as_the_scanner_counts_them() -> None:
    document = _document("a: 1\r\nb: 2\rc: 3\n# \x85d: 4\n# \u2028e: 5\n")
    for key, value in document.tree.items():
        assert _written(document, document.value_span((key,))) == str(value)


def test_a_text_of_many_lines_is_placed_at_its_first() -> None:
    document = _document("a: |\n  one\n  two\nb: 'x\n  y'\n")
    assert document.tree == {"a": "one\ntwo\n", "b": "x y"}
    assert _written(document, document.value_span(("a",))) == "|"
    assert _written(document, document.value_span(("b",))) == "'x"


def test_a_document_survives_a_round_trip() -> None:
    document = _document("a: {b: [1, null]}\n")
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(document), type=Document)
    assert again == document
    assert again.value_span(("a", "b", 1)) == document.value_span(("a", "b", 1))


def test_a_byte_order_mark_shifts_nothing(tmp_path) -> None:
    from ignrun.manifest.read import read_document

    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    document = examined(read_document(str(file)))
    assert document is not None
    assert document.value_span(("a",)).column == 4
