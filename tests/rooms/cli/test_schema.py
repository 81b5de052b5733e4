"""Holds `ignrun schema` to what users see of it."""

import json

PLANT = "modules:\n  tags: {uses: org.ignrun.tags}\n"


def test_it_prints_the_manifest_schema_with_the_config_of_what_is_installed(ignrun) -> None:
    ended = ignrun("schema")
    assert (ended.code, ended.err) == (0, "")
    made = json.loads(ended.out)
    assert "interval" in made["$defs"]["config.org.ignrun.tags@1.0.0"]["properties"]
    assert made["properties"]["modules"]["description"]


def test_it_reads_the_manifest_of_this_folder(ignrun, place) -> None:
    (place / "ignrun.yaml").write_text("modules:\n  web: {command: [a], config_schema: {type: object, title: own}}\n")
    assert json.loads(ignrun("schema").out)["$defs"]["config.web"]["title"] == "own"


def test_it_writes_a_file_whole_and_says_so(ignrun, place) -> None:
    (place / "plant.yaml").write_text(PLANT)
    ended = ignrun("schema", "-m", "plant.yaml", "--out", "made/manifest.schema.json")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith("made/manifest.schema.json: ") and ended.err.endswith(" definitions\n")
    assert json.loads((place / "made" / "manifest.schema.json").read_text())["title"] == "ignrun manifest"
    assert [one.name for one in (place / "made").iterdir()] == ["manifest.schema.json"]


def test_a_manifest_with_mistakes_still_has_a_schema_beside_them(ignrun, place) -> None:
    (place / "plant.yaml").write_text("modules:\n  tags: {uses: org.ignrun.tags, confg: {}}\n")
    ended = ignrun("schema", "-m", "plant.yaml")
    assert ended.code == 0
    assert "error[IGN204]" in ended.err
    assert json.loads(ended.out)


def test_a_manifest_that_is_not_there_is_a_diagnostic(ignrun) -> None:
    ended = ignrun("schema", "-m", "gone.yaml")
    assert (ended.code, ended.out) == (3, "")
    assert "error[IGN101]" in ended.err


def test_a_file_that_cannot_be_written_is_one_plain_message(ignrun, place) -> None:
    (place / "file").write_text("")
    ended = ignrun("schema", "--out", "file/schema.json")
    assert ended.code == 1
    assert ended.err.startswith("error: `file/schema.json` cannot be written: ")


def test_schemas_of_the_other_kinds_are_printed_too(ignrun) -> None:
    for kind in ("module", "overlay"):
        made = json.loads(ignrun("schema", "--kind", kind).out)
        assert made["$id"].endswith(f"{kind}.schema.json")
