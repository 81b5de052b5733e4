"""Holds the forms of diagnostics for programs to the parsers of those who read them."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Failure, JUnitXml, TestSuite

from ignrun.render.diagnostics import Diagnosis, diagnosis, diagnosis_json
from ignrun.render.diagnostics_github import diagnostics_github
from ignrun.render.diagnostics_junit import diagnostics_junit
from ignrun.render.diagnostics_sarif import diagnostics_sarif
from ignrun.terms.codes import CODES
from ignrun.terms.diagnostics import Note, Severity, diagnose, has_errors, warnings_denied
from ignrun.terms.spans import Span

MANIFEST = "/srv/line 4/plant.yaml"
ERROR = diagnose(
    Span(MANIFEST, 14, 7, 16),
    "IGN204",
    "unknown key `intervall`",
    hint="did you mean `interval`?",
    excerpt="      intervall: 2s",
    notes=[Note("declared here", Span("/opt/defs/module.yaml", 31, 5, 9)), Note("no place")],
)
WARNING = diagnose(Span(MANIFEST, 3, 1, 6), "IGN293", "not yet: 100%, or so", severity=Severity.WARNING)
REMARK = diagnose(Span("/srv/line 4/.env", 1, 1, 2), "IGN506", "known at apply", severity=Severity.REMARK)
ALL = (ERROR, WARNING, REMARK)


def below(path: str) -> str:
    return path.removeprefix("/srv/line 4/")


# --- any diagnostic at all --------------------------------------------------------------------------------------------

texts = st.text(max_size=40)
spans = st.builds(lambda file, line, column, width: Span(file, line, column, column + width),
                  texts, st.integers(1, 10**6), st.integers(1, 200), st.integers(0, 50))  # fmt: skip
any_diagnostic = st.builds(
    diagnose,
    spans,
    st.sampled_from([*CODES]),
    texts,
    hint=texts,
    severity=st.sampled_from(Severity),
    notes=st.lists(st.builds(Note, texts, st.none() | spans), max_size=2),
    excerpt=texts,
)
any_diagnosis = st.lists(any_diagnostic, max_size=4).map(diagnosis)


# --- github -----------------------------------------------------------------------------------------------------------

COMMAND = re.compile(r"::(?P<command>[a-z-]+)(?: (?P<properties>[^\r\n]*?))?::(?P<data>[^\r\n]*)\Z")


def workflow_commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as a workflow's runner does: a line each, `%XX` stands for what would end a part."""
    found = []
    for line in text.splitlines():
        match = COMMAND.match(line)
        assert match, line
        pairs = [pair.split("=", 1) for pair in (match["properties"] or "").split(",") if pair]
        properties = {
            name: unescaped(value, ("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")) for name, value in pairs
        }
        found.append((match["command"], properties, unescaped(match["data"], ("%0D", "\r"), ("%0A", "\n"))))
    return found


def unescaped(text: str, *table: tuple[str, str]) -> str:
    for written, letter in table:
        text = text.replace(written, letter)
    return text.replace("%25", "%")


def test_each_diagnostic_is_a_workflow_command_at_its_place() -> None:
    error, warning, notice = workflow_commands(diagnostics_github(diagnosis(ALL).diagnostics, below))
    assert error == (
        "error",
        {
            "file": "plant.yaml",
            "line": "14",
            "endLine": "14",
            "col": "7",
            "endColumn": "15",
            "title": "IGN204: unknown key `intervall`",
        },
        "unknown key `intervall`\nhint: did you mean `interval`?\ndeclared here (/opt/defs/module.yaml:31)\nno place",
    )
    assert (warning[0], warning[1]["title"]) == ("warning", "IGN293: not yet: 100%, or so")
    assert (notice[0], notice[1]["file"]) == ("notice", ".env")


@given(any_diagnosis)
def test_no_text_of_a_diagnostic_breaks_out_of_its_workflow_command(found: Diagnosis) -> None:
    commands = workflow_commands(diagnostics_github(found.diagnostics))
    assert len(commands) == len(found.diagnostics)
    for (_, properties, _), one in zip(commands, found.diagnostics, strict=True):
        assert properties.keys() == {"file", "line", "endLine", "col", "endColumn", "title"}
        assert properties["line"] == str(one.place.line)


# --- junit ------------------------------------------------------------------------------------------------------------


def junit(found: Diagnosis, tmp: Path) -> JUnitXml:
    file = tmp / "report.xml"
    file.write_text(diagnostics_junit(found, MANIFEST, below), encoding="utf-8")
    return JUnitXml.fromfile(str(file))


def test_an_error_is_a_failed_case_and_the_rest_have_passed(tmp_path) -> None:
    report = junit(diagnosis(ALL), tmp_path)
    cases = [(suite.name, case.classname, case.name, case.is_passed) for suite in report for case in suite]
    assert cases == [
        ("plant.yaml", "IGN204", "plant.yaml:14:7 unknown key `intervall`", False),
        ("plant.yaml", "IGN293", "plant.yaml:3:1 not yet: 100%, or so", True),
        (".env", "IGN506", ".env:1:1 known at apply", True),
    ]
    (failed,) = next(iter(next(iter(report)))).result
    assert isinstance(failed, Failure)
    assert (failed.type, failed.message) == ("IGN204", "unknown key `intervall`")
    assert failed.text is not None and "14 |       intervall: 2s\n   |       ^^^^^^^^^" in failed.text


def test_a_valid_manifest_is_a_report_of_one_case_that_passed(tmp_path) -> None:
    report = junit(diagnosis(()), tmp_path)
    assert [case.name for suite in report for case in suite] == ["manifest is valid"]
    assert (report.tests, report.failures) == (1, 0)


@given(any_diagnosis)
def test_junit_counts_what_it_holds_and_is_xml_whatever_was_found(found: Diagnosis) -> None:
    text = diagnostics_junit(found, MANIFEST)
    ET.fromstring(text)
    report = JUnitXml.fromstring(text.encode())
    assert (report.tests, report.failures) == (len(found.diagnostics) + found.valid, found.errors)
    for suite in report:
        assert isinstance(suite, TestSuite)
        cases = [*suite]
        assert suite.tests == len(cases)
        assert suite.failures == sum(1 for case in cases if not case.is_passed)


# --- sarif and json ---------------------------------------------------------------------------------------------------


def sarif(found: Diagnosis) -> dict:
    log: dict = json.loads(diagnostics_sarif(found.diagnostics, "/srv/line 4", below))
    return log


def test_sarif_names_place_level_and_rule_of_each_result() -> None:
    (run,) = sarif(diagnosis(ALL))["runs"]
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("IGN204", "error"),
        ("IGN293", "warning"),
        ("IGN506", "note"),
    ]
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///srv/line%204/"
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "plant.yaml", "uriBaseId": "%SRCROOT%"}
    assert (place["region"]["startLine"], place["region"]["startColumn"], place["region"]["endColumn"]) == (14, 7, 16)
    (beside,) = run["results"][0]["relatedLocations"]
    assert beside["physicalLocation"]["artifactLocation"] == {"uri": "file:///opt/defs/module.yaml"}
    assert [rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]] == [
        CODES[code].title for code in ("IGN204", "IGN293", "IGN506")
    ]


@given(any_diagnosis)
def test_the_rule_of_a_result_is_the_one_at_its_index(found: Diagnosis) -> None:
    (run,) = sarif(found)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[one["ruleIndex"]] for one in run["results"]] == [one.code for one in found.diagnostics]
    assert len(rules) == len({*rules})


@given(any_diagnosis)
@settings(max_examples=50)
def test_json_is_read_back_as_what_was_written(found: Diagnosis) -> None:
    assert msgspec.json.decode(diagnosis_json(found), type=Diagnosis) == found


@pytest.mark.parametrize("file", ["/srv/\udcff.yaml", "/srv/\x1b[2J.yaml", "/srv/a,b:c%.yaml"])
def test_a_file_of_any_name_can_be_told(file: str) -> None:
    found = diagnosis([diagnose(Span(file, 1, 1, 2), "IGN101", f"there is no `{file}`", hint=file)])
    diagnosis_json(found).decode()
    diagnostics_sarif(found.diagnostics, "/srv").decode()
    for text in (diagnostics_github(found.diagnostics), diagnostics_junit(found, file)):
        assert "\x1b" not in text
        text.encode()


# --- warnings ---------------------------------------------------------------------------------------------------------


def test_a_denied_warning_is_an_error_in_every_form_and_a_remark_is_none() -> None:
    denied = warnings_denied((WARNING, REMARK))
    assert has_errors(denied) and not has_errors((WARNING, REMARK))
    assert [one.severity for one in denied] == [Severity.ERROR, Severity.REMARK]
    assert denied[0].notes[-1].text == "a warning, and warnings are denied"
