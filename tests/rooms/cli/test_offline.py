"""Holds the verbs that only read a manifest to what users see of it, through the real reader."""

import json

import pytest

PLANT = """\
metadata: {name: line}
modules:
  tags: {command: [sleep, "1"]}
  web:
    command: [sleep, "2"]
    requires: [tags]
    config: {site: "${env:SITE:-here}"}
"""

BROKEN = """\
metadata: {name: line}
modules:
  tags: {command: [sleep, "1"], intervall: 2s}
  web: {command: [sleep, "2"], requires: [tag]}
  ring: {command: [sleep, "3"], requires: [rang]}
  rang: {command: [sleep, "3"], requires: [ring]}
"""


@pytest.fixture(autouse=True)
def plant(place) -> None:
    (place / "ignrun.yaml").write_text(PLANT)
    (place / "broken.yaml").write_text(BROKEN)


def test_validate_of_a_sound_manifest_is_one_line(ignrun) -> None:
    ended = ignrun("validate")
    assert (ended.code, ended.out, ended.err) == (0, "ignrun.yaml is valid: 2 modules\n", "")


def test_validate_tells_every_mistake_in_one_run_each_with_its_line(ignrun) -> None:
    ended = ignrun("validate", "broken.yaml")
    assert ended.code == 3
    assert "broken.yaml:3:33" in ended.out
    assert "^^^^^^^^^" in ended.out
    assert "broken.yaml:4:43" in ended.out
    assert "did you mean `tags`?" in ended.out
    assert "cycle" in ended.out
    assert ended.out.endswith("3 errors\n")


def test_validate_as_json_says_the_same(ignrun) -> None:
    form = json.loads(ignrun("validate", "broken.yaml", "--format", "json").out)
    assert (form["valid"], form["errors"]) == (False, 3)
    assert {one["code"] for one in form["diagnostics"]} == {"IGN204", "IGN301", "IGN401"}


def test_a_missing_manifest_is_a_diagnostic(ignrun) -> None:
    for verb in ("validate", "plan", "graph", "apply", "run", "test"):
        ended = ignrun(verb, "gone.yaml")
        assert ended.code == 3
        assert "error[IGN101]" in ended.out + ended.err
        assert "gone.yaml:1:1" in ended.out + ended.err


def test_plan_compares_with_nothing_and_writes_nothing(ignrun, place) -> None:
    ended = ignrun("plan")
    assert ended.code == 0
    assert ended.out == (
        "  + tags  create\n"
        "      new at ignrun.yaml:3:3\n"
        "  + web  create\n"
        "      new at ignrun.yaml:4:3\n"
        "\n"
        "Plan: 2 to add. 0 unchanged.\n"
    )
    assert ended.err == "compared with nothing: no generation of this plant is in force\n"
    assert sorted(path.name for path in place.iterdir()) == ["broken.yaml", "ignrun.yaml"]


def test_plan_as_json_is_byte_identical_and_may_end_with_10(ignrun) -> None:
    first = ignrun("plan", "-o", "json", "--detailed-exitcode")
    assert first.code == 10
    assert first.out == ignrun("plan", "-o", "json").out
    assert json.loads(first.out)["summary"]["create"] == 2


def test_plan_of_an_invalid_manifest_keeps_its_form(ignrun) -> None:
    ended = ignrun("plan", "broken.yaml", "-o", "json")
    form = json.loads(ended.out)
    assert (ended.code, form["changes"], len(form["diagnostics"])) == (3, [], 3)


def test_graph_is_drawn_in_each_form(ignrun) -> None:
    assert ignrun("graph").out == "web  (command)\n`- tags  (command)\n"
    assert ignrun("graph", "--format", "mermaid").out.startswith("flowchart LR\n")
    assert len(json.loads(ignrun("graph", "--format", "json").out)["edges"]) == 1


def test_an_invalid_manifest_starts_nothing(ignrun, place) -> None:
    for verb in ("apply", "run", "test"):
        ended = ignrun(verb, "broken.yaml")
        assert ended.code == 3
        assert ended.err.endswith("nothing was touched\n")
    assert not (place / ".ignrun").exists()


def test_an_unset_variable_stops_an_apply_and_not_a_validation(ignrun, place) -> None:
    (place / "ignrun.yaml").write_text(PLANT.replace(":-here", ""))
    assert ignrun("validate").code == 0
    assert ignrun("validate", "--strict-env").code == 3
    ended = ignrun("apply", "-d")
    assert ended.code == 3
    assert "error[IGN501]" in ended.err


def test_no_output_of_a_pipe_has_colours(ignrun) -> None:
    for verb in ("validate", "plan", "graph"):
        ended = ignrun(verb, "broken.yaml")
        assert "\x1b" not in ended.out + ended.err


def test_versions_that_clash_end_with_their_own_code(ignrun, place) -> None:
    (place / "plant.yaml").write_text("modules: {a: {uses: org.ignrun.tags, version: '>=99'}}\n")
    for verb in ("validate", "plan", "graph", "apply", "run"):
        ended = ignrun(verb, "plant.yaml")
        assert ended.code == 4
        assert "no version of `org.ignrun.tags` satisfies `>=99`" in ended.out + ended.err
