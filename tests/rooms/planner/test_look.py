"""Holds the look around a manifest to what an author needs of it, while it is being written and wrong."""

from ignrun.planner.reader.look import look, look_bounded
from ignrun.terms.verdict import Accepted, Rejected, examined
from tests.rooms.planner.reading import inputs

DEFINITION = "kind: Module\nmetadata: {{id: com.acme.{id}, name: Tags, version: {version}}}\nentry: a:B\nconfig_schema: {schema}\n"


def define(folder, identifier: str, version: str, schema: str) -> None:
    folder.mkdir(parents=True)
    (folder / "module.yaml").write_text(DEFINITION.format(id=identifier, version=version, schema=schema))


def view_of(place, text: str):
    (place / "plant.yaml").write_text(text)
    found = examined(look(inputs(place / "plant.yaml")).verdict)
    assert found is not None
    return found


def test_definitions_of_the_sources_are_visible_highest_version_first_and_installed_ones_too(tmp_path) -> None:
    define(tmp_path / "defs" / "old", "tags", "1.9.0", "{type: object}")
    define(tmp_path / "defs" / "new", "tags", "1.10.0", "{type: object, title: new}")
    define(tmp_path / "defs" / "next", "tags", "2.0.0rc1", "{type: object}")
    view = view_of(tmp_path, "sources: [{path: defs}]\nmodules: {}\n")
    assert [one.version for one in view.offers if one.id == "com.acme.tags"] == ["1.10.0", "1.9.0", "2.0.0rc1"]
    assert "org.ignrun.tags" in {one.id for one in view.offers}


def test_a_schema_in_a_file_is_read_one_that_is_unsound_or_outside_is_left_out(tmp_path) -> None:
    define(tmp_path / "defs" / "a", "a", "1.0.0", "{$ref: a.json}")
    (tmp_path / "defs" / "a" / "a.json").write_text('{"type": "object", "title": "from a file"}')
    define(tmp_path / "defs" / "b", "b", "1.0.0", "{type: nothing}")
    define(tmp_path / "defs" / "c", "c", "1.0.0", "{$ref: ../a/a.json}")
    schemas = {one.id[9:]: one.schema for one in view_of(tmp_path, "sources: [{path: defs}]\nmodules: {}\n").offers}
    assert schemas["a"] == {"type": "object", "title": "from a file"}
    assert schemas["b"] is schemas["c"] is None


def test_modules_are_seen_with_what_they_use_and_a_schema_of_their_own(tmp_path) -> None:
    text = (
        "modules:\n  plc: {uses: org.ignrun.tags}\n  two: {extends: plc}\n"
        "  web: {command: [a], config_schema: {type: object}}\n"
    )
    seen = {one.name: (one.uses, one.schema) for one in view_of(tmp_path, text).modules}
    assert seen["plc"] == seen["two"] == ("org.ignrun.tags", None)
    assert seen["web"] == ("", {"type": "object"})


def test_a_manifest_with_mistakes_is_looked_at_all_the_same_and_they_are_told(tmp_path) -> None:
    (tmp_path / "plant.yaml").write_text("modules:\n  plc: {uses: org.ignrun.tags, confg: {}}\n")
    verdict = look(inputs(tmp_path / "plant.yaml")).verdict
    assert isinstance(verdict, Rejected) and verdict.sound is not None
    assert [one.code for one in verdict.diagnostics] == ["IGN204"]


def test_a_manifest_that_cannot_be_read_is_not_looked_at(tmp_path) -> None:
    verdict = look_bounded(inputs(tmp_path / "gone.yaml")).verdict
    assert isinstance(verdict, Rejected) and verdict.sound is None
    assert [one.code for one in verdict.diagnostics] == ["IGN101"]


def test_without_a_manifest_what_is_installed_is_seen() -> None:
    verdict = look_bounded(None).verdict
    assert isinstance(verdict, Accepted) and verdict.value
    assert {"org.ignrun.tags", "org.ignrun.basic"} <= {one.id for one in verdict.value.offers}
