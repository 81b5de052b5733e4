"""Holds `ignrun config` to what users see: layers, values that are proven before they are written, backups, no secrets."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ignrun.runtime.journal.overlays import KEPT, Overlays
from tests.rooms.cli.scripted import serving

PLANT = """\
metadata: {name: line}
modules:
  historian:
    command: [sleep, "1000"]
    config_schema:
      type: object
      additionalProperties: false
      properties:
        flush: {x-ignrun-type: duration, default: 7s}
        count: {type: integer}
        path: {type: string}
        password: {type: string, x-ignrun-secret: true}
        nested: {type: object, properties: {deep: {type: integer}}}
    config: {flush: 5s, path: "${env:WHERE:-/here}", password: "${secret:PW}"}
  off: {command: [sleep, "1"], enabled: false}
"""
CANARY = "canary-77"


@pytest.fixture(autouse=True)
def plant(place) -> None:
    (place / "ignrun.yaml").write_text(PLANT)


@pytest.fixture
def overlay(place):
    return place / ".ignrun" / "line" / "config" / "historian.json"


def values(overlay: Path) -> dict:
    return {key: one for key, one in json.loads(overlay.read_text()).items() if key != "x-ignrun-set"}


# --- looking ----------------------------------------------------------------------------------------------------------


def test_show_lists_each_value_with_its_layer_and_place(ignrun) -> None:
    ended = ignrun("config", "show", "historian")
    assert [line.split() for line in ended.out.splitlines()] == [
        ["flush", "5.0", "config", "ignrun.yaml:14:21"],
        ["path", "/here", "config", "ignrun.yaml:14:31"],
        ["password", "(secret)", "config", "ignrun.yaml:14:64"],
    ]
    form = json.loads(ignrun("config", "show", "historian.flush", "-o", "json").out)
    assert form["format_version"] == "1.0"
    assert [(one["path"], one["value"], one["layer"]) for one in form["values"]] == [("flush", 5.0, "config")]


def test_get_gives_the_bare_value(ignrun) -> None:
    assert ignrun("config", "get", "historian.path").out == "/here\n"
    assert ignrun("config", "get", "historian.flush").out == "5.0\n"
    assert ignrun("config", "get", "historian.path", "-o", "json").out == '"/here"\n'
    assert json.loads(ignrun("config", "get", "historian").out)["password"] == "(secret)"


def test_explain_prints_the_stack_with_the_winner_marked(ignrun, place, monkeypatch) -> None:
    (place / "modes").mkdir()
    (place / "modes" / "prod.yaml").write_text("kind: Overlay\nmodules: {historian: {config: {flush: 4s}}}\n")
    assert ignrun("config", "set", "historian.flush", "3s").code == 0
    monkeypatch.setenv("IGN_HISTORIAN__FLUSH", "2s")
    ended = ignrun("config", "explain", "historian.flush", "--mode", "prod", "--set", "historian.flush=1s")
    shown = re.sub(r"set by \S+ \S+Z", "set by SOMEBODY", ended.out)
    assert (
        shown
        == """\
historian.flush = 1.0
   default      7s  ignrun.yaml:9:51
   config       5s  ignrun.yaml:14:21
   overlay      4s  modes/prod.yaml:2:39
   run-time     3s  .ignrun/line/config/historian.json:2:12  set by SOMEBODY
   environment  2s  $IGN_HISTORIAN__FLUSH
*  set          1s  --set
"""
    )
    form = json.loads(ignrun("config", "explain", "historian.flush", "--mode", "prod", "-o", "json").out)
    [flush] = form["values"]
    assert [(one["layer"], one["wins"]) for one in flush["layers"]][-2:] == [("run-time", False), ("environment", True)]
    assert flush["layers"][3]["by"]


def test_an_invalid_manifest_is_told_and_its_layers_are_shown_all_the_same(ignrun, place) -> None:
    (place / "ignrun.yaml").write_text(PLANT.replace("flush: 5s", "flush: 5x"))
    ended = ignrun("config", "explain", "historian.flush")
    assert ended.code == 3
    assert "error[IGN220]" in ended.err
    assert "*  config   5x  ignrun.yaml:14:21" in ended.out
    assert ignrun("config", "show", "historian").code == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "historan"], "there is no active module `historan`\nhint: did you mean `historian`?"),
        (["get", "off.x"], "there is no active module `off`\nhint: a disabled module has no config in effect"),
        (["get", "historian.flsh"], "`historian` has no value `flsh`\nhint: did you mean `flush`?"),
        (["explain", "historian.flsh"], "`historian` has no value `flsh`"),
        (["show", "historian.nested"], "`historian` has no value `nested`"),
        (["set", "historian", "1"], "`historian` names a module, not a value"),
        (["set", "historian..x", "1"], "`historian..x` names no config value"),
        (["unset", "historian.flush"], "no run-time value of `historian.flush` is set"),
        (["rollback", "historian"], "there is nothing to go back to for `historian`"),
    ],
)
def test_what_is_not_there_is_said_plainly(ignrun, arguments, told) -> None:
    ended = ignrun("config", *arguments)
    assert ended.code == 1
    assert told in ended.err


# --- setting ----------------------------------------------------------------------------------------------------------


def test_set_writes_pretty_private_json_with_who_and_when(ignrun, overlay) -> None:
    ended = ignrun("config", "set", "historian.flush", "2s")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "`historian.flush` is set, in effect with the next apply\n"
    assert overlay.stat().st_mode & 0o777 == 0o600
    assert overlay.parent.stat().st_mode & 0o777 == 0o700
    assert overlay.read_text().startswith('{\n  "flush": "2s",\n  "x-ignrun-set": {\n')
    assert set(json.loads(overlay.read_text())["x-ignrun-set"]["flush"]) == {"by", "at"}
    assert ignrun("config", "get", "historian.flush").out == "2.0\n"
    assert "is so already" in ignrun("config", "set", "historian.flush", "2s").err
    assert len(Overlays(overlay.parent).backups("historian")) == 1


@pytest.mark.parametrize(
    ("path", "text", "held"),
    [
        ("count", "7", 7),
        ("count", "-7", -7),
        ("path", "7", "7"),
        ("nested.deep", "3", {"deep": 3}),
        ("nested", '{"deep": 4}', {"deep": 4}),
    ],
)
def test_a_value_is_read_as_the_schema_asks(ignrun, overlay, path, text, held) -> None:
    assert ignrun("config", "set", f"historian.{path}", text).code == 0
    assert values(overlay)[path.split(".")[0]] == held


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("flush", "soon", "IGN220"),
        ("count", "many", "IGN220"),
        ("flsh", "1s", "IGN204"),
        ("path", "${env:}", "IGN308"),
        ("password", CANARY, "IGN224"),
        ("nested", CANARY, "IGN220"),
    ],
)
def test_the_new_value_is_proven_and_a_failed_set_leaves_nothing_behind(ignrun, place, path, text, code) -> None:
    before = {*place.rglob("*")}
    ended = ignrun("config", "set", f"historian.{path}", text)
    assert ended.code == 3
    assert f"error[{code}]" in ended.err
    assert ended.err.endswith("nothing was written\n")
    assert {*place.rglob("*")} == before
    if code == "IGN224":
        assert CANARY not in ended.err
        assert "hint: write `${secret:HISTORIAN_PASSWORD}`" in ended.err
    assert ignrun("config", "set", "historian.flush", "2s").code == 0
    kept = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
    assert ignrun("config", "set", f"historian.{path}", text).code == 3
    assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == kept


def test_a_secret_is_set_as_a_reference(ignrun, overlay) -> None:
    assert ignrun("config", "set", "historian.password", "${secret:OTHER}").code == 0
    assert values(overlay) == {"password": "${secret:OTHER}"}
    assert ignrun("config", "get", "historian.password").out == "(secret)\n"


def test_a_manifest_that_is_invalid_takes_no_new_value_but_lets_one_go(ignrun, place, overlay) -> None:
    ignrun("config", "set", "historian.flush", "2s")
    ignrun("config", "set", "historian.count", "1")
    (place / "ignrun.yaml").write_text(PLANT.replace("path: {type: string}", "path: {type: integer}"))
    assert ignrun("config", "set", "historian.count", "2").code == 3
    assert ignrun("config", "unset", "historian.count").code == 0
    assert values(overlay) == {"flush": "2s"}


def test_unset_takes_one_value_or_all(ignrun, overlay) -> None:
    for path, text in (("flush", "2s"), ("nested.deep", "1"), ("count", "1")):
        ignrun("config", "set", f"historian.{path}", text)
    assert ignrun("config", "unset", "historian.nested.deep").code == 0
    assert values(overlay) == {"flush": "2s", "count": 1}
    assert set(json.loads(overlay.read_text())["x-ignrun-set"]) == {"flush", "count"}
    assert ignrun("config", "unset", "historian").code == 0
    assert json.loads(overlay.read_text()) == {}


def test_a_module_without_a_schema_takes_what_yaml_would_make_of_it(ignrun, place) -> None:
    (place / "ignrun.yaml").write_text(
        "metadata: {name: line}\nmodules: {web: {command: [sleep, '1'], config: {a: 1}}}\n"
    )
    assert ignrun("config", "set", "web.a", "2").code == 0
    assert ignrun("config", "set", "web.b", "no").code == 0
    assert json.loads(ignrun("config", "get", "web").out) == {"a": 2, "b": "no"}


# --- backups ----------------------------------------------------------------------------------------------------------


def test_rolling_back_twice_goes_back_twice_and_each_step_is_proven(ignrun, overlay) -> None:
    for text in ("1s", "2s", "3s"):
        ignrun("config", "set", "historian.flush", text)
    listed = json.loads(ignrun("config", "backups", "historian", "-o", "json").out)["backups"]
    assert [(one["number"], one["paths"]) for one in listed] == [(1, []), (2, ["flush"]), (3, ["flush"])]
    for held in ({"flush": "2s"}, {"flush": "1s"}, {}):
        assert ignrun("config", "rollback", "historian").code == 0
        assert values(overlay) == held
    assert ignrun("config", "rollback", "historian").code == 1
    assert "have never been changed" in ignrun("config", "backups", "historian").err


def test_a_rollback_to_what_no_longer_fits_is_refused(ignrun, place, overlay) -> None:
    ignrun("config", "set", "historian.count", "1")
    ignrun("config", "unset", "historian.count")
    (place / "ignrun.yaml").write_text(PLANT.replace("count: {type: integer}", "counts: {type: integer}"))
    ended = ignrun("config", "rollback", "historian")
    assert ended.code == 3
    assert "IGN204" in ended.err
    assert json.loads(overlay.read_text()) == {}


def test_many_changes_within_a_second_are_all_kept_apart(ignrun, overlay) -> None:
    for number in range(KEPT + 3):
        assert ignrun("config", "set", "historian.count", str(number)).code == 0
    assert len(json.loads(ignrun("config", "backups", "historian", "-o", "json").out)["backups"]) == KEPT


def test_a_damaged_file_has_its_cause_told_and_can_be_left(ignrun, overlay) -> None:
    ignrun("config", "set", "historian.flush", "2s")
    ignrun("config", "set", "historian.flush", "3s")
    overlay.write_text('{\n  "flush": ')
    shown = ignrun("config", "show", "historian.flush")
    assert "2.0" in shown.out  # the newest backup
    refused = ignrun("config", "set", "historian.flush", "4s")
    assert refused.code == 5
    assert "`ignrun config rollback historian` goes back to the values before" in refused.err
    assert ignrun("config", "rollback", "historian").code == 0
    assert values(overlay) == {"flush": "2s"}


def test_changes_at_the_same_time_lose_nothing(place, overlay) -> None:
    overlays = Overlays(overlay.parent)
    overlay.parent.mkdir(parents=True)

    def change(number: int) -> None:
        with overlays.changing():
            overlays.write("historian", {**overlays.read("historian"), f"n{number}": number})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(24)))
    assert len(overlays.read("historian")) == 24


# --- a plant that runs ------------------------------------------------------------------------------------------------


def test_with_a_runner_a_set_waits_for_the_next_apply_unless_it_is_asked_for(ignrun, plant_running_with_lock) -> None:
    record, lock = plant_running_with_lock("line")
    Path(record.manifest).write_text(PLANT)
    os.environ["PW"] = CANARY
    try:
        with serving(record, lock) as runner:
            aim = ("-m", record.manifest)
            assert "in effect with the next apply" in ignrun("config", "set", "historian.flush", "2s", *aim).err
            assert runner.asked == []
            ended = ignrun("config", "set", "historian.flush", "3s", "--apply", *aim)
            assert ended.code == 0
            assert CANARY not in ended.out + ended.err
            assert [type(one).__name__ for one in runner.asked] == ["ApplyRequest"]
    finally:
        del os.environ["PW"]


def test_without_a_runner_there_is_nobody_to_apply_it_and_nothing_is_written(ignrun, overlay) -> None:
    assert ignrun("config", "set", "historian.flush", "3s", "--apply").code == 13
    assert not overlay.exists()
