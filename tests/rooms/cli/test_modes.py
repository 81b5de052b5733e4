"""Holds modes, variables and their checks to what users see of them."""

import json

import pytest

PLANT = """\
vars: {seconds: 1}
modules:
  tags: {command: [sleep, "${var:seconds}"]}
"""
PROD = """\
kind: Overlay
modules:
  web: {command: [sleep, "2"], requires: [tags]}
"""


@pytest.fixture(autouse=True)
def plant(place) -> None:
    (place / "ignrun.yaml").write_text(PLANT)
    (place / "modes").mkdir()
    (place / "modes/prod.yaml").write_text(PROD)


def test_a_mode_adds_to_the_plant(ignrun) -> None:
    assert ignrun("validate").out == "ignrun.yaml is valid: 1 module\n"
    assert ignrun("validate", "--mode", "prod").out == "ignrun.yaml is valid: 2 modules\n"
    assert "new at modes/prod.yaml:3:3" in ignrun("plan", "--mode", "prod").out


def test_all_modes_are_checked_in_one_run(ignrun, place) -> None:
    (place / "modes/test.yaml").write_text("modules:\n  tags: {command: [no-such-program-at-all]}\n")
    ended = ignrun("validate", "--all-modes")
    assert ended.code == 3
    assert "modes/test.yaml:2:20" in ended.out and ended.out.count("error[") == 1
    assert ended.out.endswith(
        "ignrun.yaml is valid without a mode: 1 module\n"
        "ignrun.yaml is valid in mode `prod`: 2 modules\n"
        "ignrun.yaml is not valid in mode `test`\n"
    )
    assert json.loads(ignrun("validate", "--all-modes", "--format", "json").out)["errors"] == 1
    assert ignrun("validate", "--all-modes", "--mode", "prod").code == 2


def test_a_mode_that_nobody_wrote_is_named(ignrun) -> None:
    ended = ignrun("validate", "--mode", "prd")
    assert ended.code == 3
    assert "there is no mode `prd`" in ended.out and "did you mean `prod`?" in ended.out


def test_an_include_may_lie_below_a_folder_that_is_allowed(ignrun, place, tmp_path_factory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "more.yaml").write_text('modules:\n  more: {command: [sleep, "1"]}\n')
    (place / "ignrun.yaml").write_text(f"include: [{outside}/more.yaml]\n{PLANT}")
    refused = ignrun("validate")
    assert refused.code == 3 and "ignrun.yaml:1:11" in refused.out and "IGN107" in refused.out
    assert ignrun("validate", "--allow-path", str(outside)).out == "ignrun.yaml is valid: 2 modules\n"
