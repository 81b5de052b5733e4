"""Holds what verbs write as JSON to the shipped schemas, for a plant that runs and for one that does not."""

import json

import jsonschema
import pytest

from ignrun.terms.events import LifecycleEvent
from ignrun.terms.states import ModuleState
from tests.rooms.cli.scripted import serving
from tests.rooms.render.outputs import file_of


def check(name: str, text: str) -> None:
    schema = json.loads(file_of(name).read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))


@pytest.fixture
def four(plant_running_with_lock, place):
    (place / "four.yaml").write_text("modules:\n  web: {command: [sleep, '9']}\n")
    with serving(*plant_running_with_lock("four")) as steering:
        steering.happens = [("web@gateway", LifecycleEvent(ModuleState.STARTING, ModuleState.RUNNING, "ready"))]
        yield steering


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status", "status -o json"),
        ("health", "health -o json"),
        ("ps", "ps -o json"),
        ("doctor", "doctor -o json"),
        ("apply", "apply four.yaml -y -o json"),
        ("plan", "plan four.yaml -o json"),
        ("validate", "validate four.yaml --format json"),
        ("config-show", "config show web -m four.yaml -o json"),
        ("config-explain", "config explain web -m four.yaml -o json"),
        ("config-backups", "config backups web -m four.yaml -o json"),
    ],
)
def test_json_is_as_its_schema_says(ignrun, four, name, words) -> None:
    done = ignrun(*words.split())
    assert done.out.startswith("{"), done.err
    check(name, done.out)


def test_a_status_of_nobody_is_as_its_schema_says(ignrun, plant_lying) -> None:
    plant_lying("four")
    check("status", ignrun("status", "-o", "json").out)
