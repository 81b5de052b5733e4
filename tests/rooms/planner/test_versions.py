"""One version of each definition is chosen for the whole plant, so that every requirement is satisfied, highest first."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.planner.catalog.resolve import Ask, Clash, resolve
from ignrun.planner.catalog.versions import satisfies
from ignrun.terms.spans import Span
from tests.rooms.planner.reading import accepted, complaints, read, write


def define(folder, identifier, version, slots="", more=""):
    write(folder, "defs/job.py", "class Job: ...\n")
    text = f"kind: Module\nmetadata: {{id: {identifier}, name: N, version: {version}}}\nentry: job:Job\n{more}"
    write(folder, f"defs/{identifier}-{version}/module.yaml", text + (f"requires: {{{slots}}}\n" if slots else ""))


def chosen(found):
    return {name.partition("@")[0]: one.metadata.version for name, one in found.graph.instances.items()}


@pytest.fixture
def line(tmp_path):
    """Lay out three definitions in several versions, the newest of the line being too new for the old tags."""
    define(tmp_path, "com.acme.tags", "1.0.0")
    define(tmp_path, "com.acme.tags", "1.5.0")
    define(tmp_path, "com.acme.tags", "2.0.0rc1")
    define(tmp_path, "com.acme.line", "1.0.0", 'tags: {uses: com.acme.tags, version: ">=1"}')
    define(tmp_path, "com.acme.line", "2.0.0", 'tags: {uses: com.acme.tags, version: ">=1.5"}')
    return tmp_path


PLANT = "sources: [{{path: defs}}]\nmodules:\n  tags: {{uses: com.acme.tags{tags}}}\n  line: {{uses: com.acme.line}}\n"


def test_the_highest_set_is_chosen_without_prereleases(line):
    assert chosen(accepted(line, PLANT.format(tags=""))) == {"tags": "1.5.0", "line": "2.0.0"}


def test_a_prerelease_is_chosen_for_all_when_one_asks_for_it(line):
    found = accepted(line, PLANT.format(tags=', version: ">=2.0.0rc1"'))
    assert chosen(found) == {"tags": "2.0.0rc1", "line": "2.0.0"}


def test_a_lower_version_is_taken_where_the_highest_asks_for_too_much(line):
    assert chosen(accepted(line, PLANT.format(tags=', version: "<1.5"'))) == {"tags": "1.0.0", "line": "1.0.0"}


def test_a_slot_whose_definition_no_module_uses_chooses_nothing(line):
    [missing] = complaints(line, "sources: [{path: defs}]\nmodules: {line: {uses: com.acme.line}}\n")
    assert "IGN310" in missing


def test_two_modules_cannot_have_two_versions_of_one_definition(line):
    manifest = """\
        sources: [{path: defs}]
        modules:
          a: {uses: com.acme.tags, version: "1.0.0"}
          b: {uses: com.acme.tags, version: "1.5.0"}
        """
    [told] = complaints(line, manifest)
    assert told.startswith(
        "3:37 IGN330 no set of versions satisfies everybody: `com.acme.tags` is wanted as `1.0.0` and"
    )


def test_a_clash_names_those_alone_who_are_part_of_it(line):
    define(line, "com.acme.other", "1.0.0", 'tags: {uses: com.acme.tags, version: ">=1"}')
    define(line, "com.acme.late", "1.0.0", 'tags: {uses: com.acme.tags, version: ">=1.5"}')
    reading = read(
        line,
        """\
        sources: [{path: defs}]
        modules:
          other: {uses: com.acme.other}
          late: {uses: com.acme.late}
          line: {uses: com.acme.line}
          tags: {uses: com.acme.tags, version: "<1.5"}
        """,
    )
    [told] = reading.verdict.diagnostics
    notes = [note.text for note in told.notes]
    assert notes == [
        "module `late` uses `com.acme.late`",
        "module `tags` uses `com.acme.tags` <1.5",
        "`com.acme.late` 1.0.0 asks for `com.acme.tags` >=1.5",
        "there is `com.acme.tags` 1.0.0, 1.5.0, 2.0.0rc1",
    ]


def test_a_version_that_needs_another_ignrun_is_passed_over_for_one_that_does_not(line):
    define(line, "com.acme.tags", "9.0.0", more='requires_ignrun: ">=99"\n')
    assert chosen(accepted(line, PLANT.format(tags="")))["tags"] == "1.5.0"
    told = complaints(line, PLANT.format(tags=', version: ">=9"'))
    assert told == ["4:18 IGN313 `com.acme.tags` 9.0.0 needs ignrun >=99; this is 0.1.0"]


def test_requires_ignition_is_checked_against_the_platform_that_the_manifest_names(line):
    define(line, "com.acme.tags", "9.0.0", more='requires_ignition: ">=8.3"\n')
    on = lambda version: f"platform: {{ignition: {version!r}}}\n" + PLANT.format(tags=', version: ">=9"')
    assert chosen(accepted(line, PLANT.format(tags=', version: ">=9"')))["tags"] == "9.0.0"
    assert chosen(accepted(line, on("8.3.1")))["tags"] == "9.0.0"
    assert complaints(line, on("8.1.2")) == [
        "4:20 IGN313 `com.acme.tags` 9.0.0 needs Ignition >=8.3; the platform is 8.1.2"
    ]


@pytest.mark.parametrize("identifier", ["com.inductiveautomation.vision", "fpmi", "rept", "xopc"])
def test_what_the_platform_provides_is_not_missing(tmp_path, identifier):
    define(tmp_path, "com.acme.panel", "1.0.0", f"screens: {{uses: {identifier}}}")
    accepted(tmp_path, "sources: [{path: defs}]\nmodules: {panel: {uses: com.acme.panel}}\n")


def test_a_module_of_an_old_name_is_found_under_its_new_one(tmp_path):
    define(tmp_path, "com.inductiveautomation.opcua", "1.0.0")
    define(tmp_path, "com.acme.panel", "1.0.0", "source: {uses: xopc}")
    found = accepted(tmp_path, "sources: [{path: defs}]\nmodules: {panel: {uses: com.acme.panel}, o: {uses: xopc}}\n")
    [edge] = found.graph.edges
    assert (edge.slot, edge.provider) == ("source", "o@gateway")


def test_a_part_of_the_platform_is_no_module_of_a_manifest(tmp_path):
    [told] = complaints(tmp_path, "modules: {v: {uses: com.inductiveautomation.vision}}\n")
    assert "IGN302 `com.inductiveautomation.vision` is part of the platform" in told


NOWHERE = Span("plant.yaml", 1, 1, 2)


class _Definition:
    """As much of a definition as a resolver looks at."""

    def __init__(self, identifier, version, slots):
        self.metadata = type("M", (), {"id": identifier, "version": version})
        self.slots = [type("S", (), {"uses": i, "version": v, "span": NOWHERE}) for i, v in slots]


IDS = ("a", "b", "c", "d")
VERSIONS = ("1.0", "1.5", "2.0")
wishes = st.sampled_from(("", ">=1", ">=1.5", "<2", "<1.5", "==2.0"))


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(IDS), st.sampled_from(VERSIONS)),
        st.lists(st.tuples(st.sampled_from(IDS), wishes), max_size=2),
        min_size=1,
    ),
    st.dictionaries(st.sampled_from(IDS), wishes, min_size=1),
)
def test_a_chosen_set_satisfies_everybody_and_a_clash_leaves_none_that_would(world, modules):
    versions: dict = {}
    for (identifier, version), slots in world.items():
        versions.setdefault(identifier, {})[version] = _Definition(identifier, version, slots)
    roots = [Ask(i, v, f"m-{i}", NOWHERE) for i, v in modules.items() if i in versions]
    result = resolve(roots, versions, {})
    every = list(_sets(sorted({one.id for one in roots}), versions))
    good = [one for one in every if _is_good(one, roots, versions)]
    if isinstance(result, Clash):
        assert good == []
        assert result.asks
    else:
        assert result in good


def _sets(ids, versions):
    if not ids:
        yield {}
        return
    for rest in _sets(ids[1:], versions):
        for version in versions[ids[0]]:
            yield {ids[0]: version} | rest


def _is_good(one, roots, versions):
    asks = [(ask.id, ask.version) for ask in roots]
    asks += [(slot.uses, slot.version) for i, v in one.items() for slot in versions[i][v].slots if slot.uses in one]
    return all(satisfies(one[i], wish) for i, wish in asks)


def test_a_deep_clash_is_explained_in_a_moment():
    versions: dict = {
        f"m{n}": {f"{v}.0": _Definition(f"m{n}", f"{v}.0", [(f"m{n + 1}", f">={v}")]) for v in range(1, 8)}
        for n in range(8)
    }
    versions["m8"] = {"1.0": _Definition("m8", "1.0", [])}
    roots = [Ask(f"m{n}", "", f"m{n}", NOWHERE) for n in range(1, 9)] + [Ask("m0", ">=2", "m0", NOWHERE)]
    began = time.perf_counter()
    result = resolve(roots, versions, {})
    assert isinstance(result, Clash)
    assert time.perf_counter() - began < 5
    assert result.asks[0].id == "m0"
