"""Layers of config: their order, what each remembers, run-time values and what they hide, values in the making."""

import json
from pathlib import Path

import msgspec
import pytest

from ignrun.manifest.inputs import Trial
from ignrun.planner.config.run_time import STAMPS
from ignrun.planner.proposal import Base
from ignrun.planner.reader import propose
from ignrun.terms.diagnostics import Severity
from ignrun.terms.verdict import Accepted, Rejected
from tests.rooms.planner.reading import accepted, complaints, inputs, lines, read, write

DEFINITION = """\
kind: Module
metadata: {id: com.acme.historian, version: 1.0.0}
entry: acme.historian:Historian
config: {flush: 6s, path: /definition}
config_schema:
  type: object
  additionalProperties: false
  properties:
    flush: {x-ignrun-type: duration, default: 7s}
    path: {type: string}
    live: {type: boolean, default: false}
    count: {type: integer}
    password: {type: string, x-ignrun-secret: true}
    opc.port: {x-ignrun-type: port, default: 4840}
    list: {type: array, items: {type: string}}
    nested: {type: object, additionalProperties: false, properties: {deep: {type: integer}, flat: {type: string}}}
"""
PLANT = """\
sources: [{path: lib}]
modules:
  historian-1:
    uses: com.acme.historian
    config: {flush: 5s, path: /config}
"""


@pytest.fixture
def plant(tmp_path):
    write(tmp_path, "lib/historian/module.yaml", DEFINITION)
    write(tmp_path, "lib/acme/__init__.py", "")
    write(tmp_path, "lib/acme/historian.py", "class Historian:\n    pass\n")
    write(tmp_path, "modes/prod.yaml", "kind: Overlay\nmodules: {historian-1: {config: {flush: 4s}}}\n")
    return tmp_path


def run_time(folder, values, module="historian-1"):
    return write(folder, f".state/config/{module}.json", json.dumps(values, indent=2))


def origin(found, *path):
    return next(one for one in found.graph.instances["historian-1@gateway"].origins if one.path == path)


def config(found):
    return found.graph.instances["historian-1@gateway"].config.plain


def test_each_layer_lies_over_the_one_before(plant):
    stamp = {STAMPS: {"flush": {"by": "ann", "at": "2026-11-23T16:00:00Z"}}}
    steps: list[tuple[dict, str, float, str]] = [
        ({}, "config", 5.0, "plant.yaml:5:21"),
        ({"modes": ("prod",)}, "overlay", 4.0, "modes/prod.yaml:2:41"),
        ({"run_time": {"flush": "3s", **stamp}}, "run-time", 3.0, ".state/config/historian-1.json:2:12"),
        ({"environment": {"IGN_HISTORIAN_1__FLUSH": "2s"}}, "environment", 2.0, "$IGN_HISTORIAN_1__FLUSH:1:1"),
        ({"sets": ("historian-1.flush=1s",)}, "set", 1.0, "--set:1:1"),
    ]
    said: dict = {}
    for more, layer, value, place in steps:
        said |= more
        if "run_time" in said:
            run_time(plant, said.pop("run_time"))
        found = accepted(plant, PLANT, **said)
        assert config(found)["flush"] == value
        assert origin(found, "flush").layer == layer
        assert str(origin(found, "flush").span).removeprefix(f"{plant}/") == place
    stacks = read(plant, PLANT, explain="historian-1", **said).stacks
    [flush] = [one for one in stacks if one.path == ("flush",)]
    layers = [(one.layer, one.value, str(one.span).removeprefix(f"{plant}/")) for one in flush.held]
    assert layers == [
        ("default", "7s", "lib/historian/module.yaml:9:47"),
        ("definition", "6s", "lib/historian/module.yaml:4:17"),
        ("config", "5s", "plant.yaml:5:21"),
        ("overlay", "4s", "modes/prod.yaml:2:41"),
        ("run-time", "3s", ".state/config/historian-1.json:2:12"),
        ("environment", "2s", "$IGN_HISTORIAN_1__FLUSH:1:1"),
        ("set", "1s", "--set:1:1"),
    ]
    assert (flush.held[4].stamp.by, flush.held[4].stamp.at) == ("ann", "2026-11-23T16:00:00Z")


def test_a_definition_sets_values_that_its_modules_may_change(plant):
    found = accepted(plant, PLANT.replace("flush: 5s, path: /config", "path: /config"))
    assert config(found)["flush"] == 6.0
    assert origin(found, "flush").layer == "definition"
    assert origin(found, "live").layer == "default"


def test_null_takes_away_what_lies_below_and_the_stack_says_so(plant):
    run_time(plant, {"path": None})
    reading = read(plant, PLANT, explain="historian-1")
    assert "path" not in config(reading.verdict.value)
    [path] = [one for one in reading.stacks if one.path == ("path",)]
    assert [(one.layer, one.value) for one in path.held] == [
        ("definition", "/definition"),
        ("config", "/config"),
        ("run-time", None),
    ]


def test_run_time_values_count_as_inputs_and_carry_references(plant):
    write(plant, "where.txt", "/file")
    path = run_time(plant, {"path": "${file:where.txt}", "flush": "${env:FLUSH}"})
    found = accepted(plant, PLANT, environment={"FLUSH": "9s"})
    assert (config(found)["path"], config(found)["flush"]) == ("/file", 9.0)
    assert str(path) in [file.path for file in found.files if file.role == "run-time"]


def test_a_run_time_value_of_the_wrong_type_is_told_at_its_own_place(plant):
    run_time(plant, {"count": "nope"})
    [told] = read(plant, PLANT).verdict.diagnostics
    assert (told.code, Path(told.span.file).name, told.span.line) == ("IGN220", "historian-1.json", 2)


# --- a file that is damaged -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ['{\n  "flush": ', "", "[1]", '"x"', "{", '{"flush": "3s"', "\0\0\0"])
def test_a_damaged_file_is_told_with_its_cause_and_the_backup_before_it_holds(plant, damage):
    write(plant, ".state/config/historian-1.json", damage)
    [told] = read(plant, PLANT).verdict.diagnostics
    assert (told.code, told.severity) == ("IGN509", Severity.ERROR)
    assert told.summary.startswith("the run-time values of `historian-1` are damaged: ")
    assert told.hint.startswith("`ignrun config rollback historian-1`")
    write(plant, ".state/config/backups/historian-1.000001.json", '{"flush": "2s"}')
    write(plant, ".state/config/backups/historian-1.000002.json", '{"flush": "3s"}')
    write(plant, ".state/config/backups/historian-1.000003.json", '{"flus')
    write(plant, ".state/config/backups/historian.000009.json", '{"flush": "9s"}')
    verdict = read(plant, PLANT).verdict
    assert isinstance(verdict, Accepted)
    assert config(verdict.value)["flush"] == 3.0
    [told] = [one for one in verdict.diagnostics if one.code == "IGN509"]
    assert told.severity is Severity.WARNING
    assert told.summary.endswith("`historian-1.000002.json`, the values before them, is used")


# --- variables --------------------------------------------------------------------------------------------------------


def test_every_key_has_a_variable_that_a_shell_can_set(plant):
    found = accepted(
        plant, PLANT, environment={"IGN_HISTORIAN_1__OPC_PORT": "4841", "IGN_HISTORIAN_1__NESTED__DEEP": "3"}
    )
    assert config(found)["opc.port"] == 4841
    assert config(found)["nested"] == {"deep": 3}
    assert found.environment == {"IGN_HISTORIAN_1__OPC_PORT": "4841", "IGN_HISTORIAN_1__NESTED__DEEP": "3"}
    assert {"IGN_HISTORIAN_1__OPC_PORT", "IGN_HISTORIAN_1__NESTED__DEEP"} <= {*found.names}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("COUNT", "7", 7),
        ("LIVE", "true", True),
        ("PATH", "7", "7"),
        ("PATH", "true", "true"),
        ("LIST", '["a", "b"]', ["a", "b"]),
        ("FLUSH", "250ms", 0.25),
        ("PATH", "${env:HOME}", "${env:HOME}"),
    ],
)
def test_a_variable_is_typed_by_the_schema_and_never_parsed_again(plant, name, value, told):
    found = accepted(plant, PLANT, environment={f"IGN_HISTORIAN_1__{name}": value, "HOME": "/home"})
    assert config(found)[name.lower()] == told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("COUNT", "many", "IGN220 `count` in config of module `historian-1` is to be an integer, not a string"),
        ("LIVE", "yes", "IGN220 `live` in config of module `historian-1` is to be a boolean, not a string"),
        ("FLSH", "1s", "IGN204 unknown key `flsh` in config of module `historian-1` (did you mean `flush`?)"),
        ("NESTED__DEP", "1", "IGN204 unknown key `dep` in config of module `historian-1` (did you mean `deep`?)"),
    ],
)
def test_a_variable_that_does_not_fit_is_told(plant, name, value, told):
    [line] = complaints(plant, PLANT, environment={f"IGN_HISTORIAN_1__{name}": value})
    assert line.split(" ", 1)[1].replace("`nested.dep`", "`dep`") == told


def test_a_variable_for_a_key_that_a_module_without_schema_does_not_have_is_an_error(tmp_path):
    text = "modules: {web: {command: [echo], config: {port: 1, deep: {a: 1}}}}\n"
    told = complaints(tmp_path, text, environment={"IGN_WEB__PROT": "2", "IGN_WEB__DEEP__B": "2", "IGN_WEBB__X": "2"})
    assert told == [
        "1:1 IGN204 unknown key `deep.b` in config of module `web`",
        "1:1 IGN204 unknown key `prot` in config of module `web` (did you mean `port`?)",
    ]
    found = accepted(tmp_path, text, environment={"IGN_WEB__PORT": "2", "IGN_WEB__DEEP__A": "3"})
    assert found.graph.instances["web@gateway"].config.plain == {"port": 2, "deep": {"a": 3}}


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_the_text_of_a_secret_is_refused_in_every_layer_also_where_it_is_hidden(plant):
    run_time(plant, {"password": "${secret:PW}"})
    reading = read(plant, PLANT.replace("path: /config", "password: canary-1"), explain="historian-1")
    [told] = [one for one in reading.verdict.diagnostics if one.severity is Severity.ERROR]
    assert (told.code, told.span.line, told.span.column) == ("IGN224", 5, 35)
    assert "canary" not in repr(reading)
    run_time(plant, {"password": "canary-2"})
    assert isinstance(read(plant, PLANT).verdict, Rejected)
    assert "canary" not in repr(read(plant, PLANT, explain="historian-1"))
    trial = Trial("historian-1", {}, "config set historian-1.password", ("password",), "canary-3")
    assert "canary" not in repr(read(plant, PLANT, trial=trial, explain="historian-1").verdict)


# --- values in the making ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "typed"),
    [
        (("flush",), "2s", "2s"),
        (("count",), "7", 7),
        (("path",), "7", "7"),
        (("live",), "true", True),
        (("list",), '["a"]', ["a"]),
        (("nested", "deep"), "3", 3),
        (("path",), "${env:HOME}", "${env:HOME}"),
        (("path",), "null", None),
    ],
)
def test_a_run_time_change_is_tried_with_the_type_that_the_schema_asks_for(plant, path, text, typed):
    run_time(plant, {"flush": "nonsense"})  # what is tried stands for the file
    reading = read(plant, PLANT, trial=Trial("historian-1", {"live": False}, "config set", path, text))
    assert isinstance(reading.verdict, Accepted), lines(reading.verdict.diagnostics)
    at = reading.tried
    for key in path:
        at = at[key]
    assert at == typed
    assert "live" in reading.tried


def test_a_run_time_change_that_does_not_fit_is_refused_in_the_words_of_the_command(plant):
    trial = Trial("historian-1", {}, "config set historian-1.count", ("count",), "many")
    [told] = read(plant, PLANT, trial=trial).verdict.diagnostics
    assert (told.code, told.span.file) == ("IGN220", "config set historian-1.count")


# --- run-time values that hide an edit --------------------------------------------------------------------------------


def hidden(folder, text, base=None, **more):
    verdict = propose(inputs(write(folder, "plant.yaml", text), **more), base or Base()).verdict
    found = [one for one in verdict.diagnostics if one.code == "IGN510"]
    return verdict, [(one.severity.value, one.summary, one.notes[0].text) for one in found]


WARNING = (
    "warning",
    "the run-time value of `historian-1.flush` hides what is written here",
    "set by ann at 2026-11-23T16:00:00Z",
)


def test_an_edit_that_a_run_time_value_hides_is_told_with_who_and_when(plant):
    stamp = {STAMPS: {"flush": {"by": "ann", "at": "2026-11-23T16:00:00Z"}}}
    before = Base(1, accepted(plant, PLANT).graph)
    run_time(plant, {"flush": "3s", **stamp})
    verdict, told = hidden(plant, PLANT, before)
    assert told == []  # setting it is the change, nothing has been edited
    running = Base(2, verdict.value.graph)
    edited = PLANT.replace("5s", "8s")
    verdict, told = hidden(plant, edited, running)
    assert told == [WARNING]
    assert verdict.value.plan.is_empty
    assert hidden(plant, PLANT.replace("5s", "5000ms"), running)[1] == []
    assert hidden(plant, PLANT.replace("5s", "3s"), running)[1] == []  # what is in effect anyway
    assert hidden(plant, f"apply: {{runtime_config: allow}}\n{edited}", running)[1] == []
    verdict, told = hidden(plant, f"apply: {{runtime_config: deny}}\n{edited}", running)
    assert told == [("error", *WARNING[1:])]
    assert isinstance(verdict, Rejected)
    assert hidden(plant, edited, Base())[1] == []  # compared with nothing, nothing is an edit
    assert hidden(plant, edited, Base(last=running.graph))[1] == [WARNING]
    kept = msgspec.json.decode(msgspec.json.encode(running), type=Base)
    assert hidden(plant, edited, kept)[1] == [WARNING]


def test_a_stronger_layer_than_run_time_hides_without_a_word(plant):
    run_time(plant, {"flush": "3s"})
    running = Base(1, accepted(plant, PLANT).graph)
    assert hidden(plant, PLANT.replace("5s", "8s"), running, sets=("historian-1.flush=1s",))[1] == []
