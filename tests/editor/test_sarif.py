"""Holds the SARIF that is written to the schema of SARIF 2.1.0 itself."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator

from ignrun.cli.main import run as run_cli
from ignrun.render.diagnostics import diagnosis
from ignrun.render.diagnostics_sarif import diagnostics_sarif
from tests.rooms.render.pages import MANIFESTS
from tests.rooms.render.test_diagnostics_forms import ALL, any_diagnosis


@pytest.fixture(scope="module")
def judge(node_modules):
    schema = json.loads((node_modules / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json").read_text())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def test_the_judge_sees_a_mistake(judge) -> None:
    log = json.loads(diagnostics_sarif(diagnosis(ALL).diagnostics, "/srv"))
    log["runs"][0]["results"][0]["level"] = "remark"
    assert not judge.is_valid(log)


@given(any_diagnosis)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_told_is_sarif(judge, found) -> None:
    judge.validate(json.loads(diagnostics_sarif(found.diagnostics, "/srv/line 4")))


def test_what_the_command_writes_of_a_refused_manifest_is_sarif(judge, capfd) -> None:
    for folder in sorted((MANIFESTS / "rejected").glob("IGN2*")):
        if not (folder / "plant.yaml").is_file():
            continue
        assert run_cli(["validate", str(folder / "plant.yaml"), "--format", "sarif"]) == 3
        judge.validate(json.loads(capfd.readouterr().out))
