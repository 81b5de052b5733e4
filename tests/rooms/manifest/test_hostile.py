"""No text, however it was made, costs more than a moment or ends in anything but a diagnostic."""

import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ignrun.manifest.compose import MAX_COMPLAINTS, compose
from ignrun.manifest.files import MAX_BYTES, TextFile
from ignrun.manifest.inputs import Inputs
from ignrun.manifest.read import read_manifest
from ignrun.terms.codes import CODES
from ignrun.terms.verdict import Accepted, Rejected, examined

TEN = ", ".join(["*a{}"] * 10)
ALIAS_BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{TEN.replace('{}', str(n - 1))}]\n" for n in range(1, 12))
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{TEN.replace('{}', str(n - 1))}]}}\n" for n in range(1, 12)
)
DEEP_BY_ALIAS = "a0: &a0 " + "[" * 60 + "]" * 60 + "\n" + "".join(f"a{n}: &a{n} [[*a{n - 1}]]\n" for n in range(1, 40))
TEXTS = {
    "alias bomb": (ALIAS_BOMB, "IGN114"),
    "merge bomb": (MERGE_BOMB, "IGN122"),
    "levels by aliases": (DEEP_BY_ALIAS, "IGN113"),
    "brackets": ("[" * 100_000, "IGN113"),
    "braces": ("{a: " * 100_000, "IGN113"),
    "brackets under a refused key": ("1: " + "[" * 100_000, "IGN113"),
    "nodes": ("- a\n" * 1_000_001, "IGN114"),
    "the same key, often": ("a: 1\n" * 200_000, "IGN120"),
    "keys that are numbers": ("".join(f"{n}: 1\n" for n in range(200_000)), "IGN121"),
    "a digit, often": ("a: " + "9" * 1_000_000, "IGN125"),
    "tag bomb": ("a: !!python/object/apply:os.system [exit 1]\n", "IGN123"),
    "quotes": ('"' * 99_999, "IGN110"),
    "anchors": ("a: " + "&a " * 50_000, "IGN110"),
    "question marks": ("? " * 50_000, "IGN113"),
    "dashes": ("- " * 50_000, "IGN113"),
    "percent": ("%" * 100_000, "IGN110"),
    "documents": ("---\n" * 100_000, "IGN112"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_refused_in_no_time(name: str) -> None:
    text, code = TEXTS[name]
    began = time.process_time()
    verdict = compose(TextFile("hostile.yaml", text, ""))
    assert time.process_time() - began < 2
    assert isinstance(verdict, Rejected)
    assert code in {one.code for one in verdict.diagnostics}
    assert len(verdict.diagnostics) <= MAX_COMPLAINTS + 1


def test_a_bomb_costs_no_memory() -> None:
    tracemalloc.start()
    compose(TextFile("hostile.yaml", ALIAS_BOMB, ""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


def test_a_scalar_of_ten_megabytes_is_too_large(tmp_path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("a: " + "x" * 10_000_000)
    verdict = read_manifest(Inputs(str(file), "", str(tmp_path), ""))
    assert [one.code for one in verdict.diagnostics] == ["IGN104"]
    assert str(verdict.diagnostics[0].span) == f"{file}:1:1"


def test_a_line_of_four_megabytes_is_shown_in_part(tmp_path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("modulez: " + "x" * (MAX_BYTES - 100))
    verdict = read_manifest(Inputs(str(file), "", str(tmp_path), ""))
    assert [one.code for one in verdict.diagnostics] == ["IGN204"]
    assert len(verdict.diagnostics[0].excerpt) < 2000


@given(st.text(st.sampled_from("abc:-[]{},&*!|>'\"%@`#?<~ \n\t\\x00\x01\u20281e9")))
def test_whatever_is_written_ends_in_a_verdict(text: str) -> None:
    verdict = compose(TextFile("p.yaml", text, ""))
    if isinstance(verdict, Rejected):
        assert verdict.diagnostics
    for one in verdict.diagnostics:
        assert one.code in CODES
        assert one.span.line >= 1 and one.span.column >= 1


_KEYS = st.sampled_from(["modules", "metadata", "name", "plc", "uses", "entry", "command", "requires", "lifecycle", "restart", "health", "check", "secrets", "x-a", "env", "ready", "defaults", "apply", "kind", "oneshot", "config"])  # fmt: skip
_LEAVES = st.sampled_from(
    [None, True, 0, -1, 2.5, "", "a", "a.b:C", "30s", "tcp:80", "plc", "Module", "${x}", "always"]
)
_ANY = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4))


@given(_ANY, _ANY)
def test_whatever_a_document_says_ends_in_a_verdict_and_the_judges_agree(module, rest) -> None:
    import json

    from ignrun.manifest.explain import explain
    from ignrun.manifest.free import without_free_keys
    from ignrun.manifest.judge import shaped
    from ignrun.manifest.shape import ManifestText

    tree = {**(rest if isinstance(rest, dict) else {}), "modules": {"plc": module}}
    verdict = compose(TextFile("p.yaml", json.dumps(tree), ""))
    document = examined(verdict)
    assert document is not None
    valid = shaped(without_free_keys(tree), ManifestText) is not None
    assert valid == (not explain(document, "manifest"))


@given(_ANY, _ANY)
def test_whatever_a_manifest_says_is_read_without_an_exception(tmp_path_factory, module, rest) -> None:
    import json

    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(json.dumps({**(rest if isinstance(rest, dict) else {}), "modules": {"plc": module}}))
    verdict = read_manifest(Inputs(str(file), "", "", ""))
    assert isinstance(verdict, Accepted) or verdict.diagnostics


_BLOCK_KEYS = st.sampled_from(["command", "entry", "uses", "extends", "for_each", "config", "requires", "ready", "health", "labels", "files", "x-a", "lifecycle", "env", "reload", "enabled"])  # fmt: skip
_VALUES = st.sampled_from([None, True, 1, "a", "b", "x-a", "a.b:C", "30s", ["a"], ["a", "b", 1], [None], {}, {"a": None}, {"a": 1}, {"log": "a"}, {"tcp": 1}, {"signal": "HUP"}, {"a": {"text": "a"}}, {"a": {"module": "b"}}, {"check": {"tcp": 1}}])  # fmt: skip
_BLOCK = st.none() | st.just({"command": ["a"]}) | st.dictionaries(_BLOCK_KEYS, _VALUES, max_size=4)
_PLANT = st.fixed_dictionaries(
    {"modules": st.dictionaries(st.sampled_from(["a", "b", "a-a", "x-b"]), _BLOCK, max_size=4)},
    optional={
        "x-a": _BLOCK,
        "vars": _VALUES,
        "secrets": _VALUES,
        "python": _VALUES,
        "alerts": _VALUES,
        "env_files": _VALUES,
    },
)


@given(_PLANT, _PLANT, _PLANT)
def test_whatever_files_and_modes_say_together_is_read_without_an_exception(tmp_path_factory, one, two, over) -> None:
    import json

    folder = tmp_path_factory.getbasetemp() / "together"
    (folder / "modes").mkdir(parents=True, exist_ok=True)
    (folder / "one.yaml").write_text(json.dumps({"include": ["two.yaml"], **one}))
    (folder / "two.yaml").write_text(json.dumps(two))
    (folder / "modes/over.yaml").write_text(json.dumps(over))
    verdict = read_manifest(Inputs(str(folder / "one.yaml"), "", str(folder), "", modes=("over",)))
    assert isinstance(verdict, Accepted) or verdict.diagnostics
    for found in verdict.diagnostics:
        assert found.code in CODES
        assert found.code != "IGN210"
        assert found.span.file.startswith(str(folder))
    manifest = examined(verdict)
    assert manifest is not None
    for spec in manifest.modules.values():
        document = manifest.documents[spec.where.document]
        assert document.value_span(spec.where.path).line == 1
        bodies = [spec.uses, spec.entry, spec.command]
        assert not isinstance(verdict, Accepted) or sum(body is not None for body in bodies) == 1


@given(_PLANT)
@example({"modules": {"a": {"lifecycle": {"typo": None}}}})
@example({"modules": {"a": {"health": {"check": {"typo": None}}, "env": {"X": None}}}})
@example({"typo": None})
def test_whatever_an_overlay_says_the_judges_agree(over) -> None:
    from ignrun.manifest.document import Document
    from ignrun.manifest.explain import explain
    from ignrun.manifest.free import without_free_keys
    from ignrun.manifest.judge import shaped
    from ignrun.manifest.shape import ManifestText, OverlayText

    valid = shaped(without_free_keys(over), OverlayText) is not None
    assert valid == (not explain(Document("", "", over, b""), "overlay"))
    valid = shaped(without_free_keys(over), ManifestText) is not None
    assert valid == (not explain(Document("", "", over, b""), "manifest"))
