"""Holds the report of a lifecycle check to its checks, in each of its forms."""

from xml.etree import ElementTree as ET

import msgspec

from ignrun.render.check_report import CATEGORIES, Check, check_json, check_junit, check_report, check_text

GOOD = tuple(Check(category, "web@gateway", True, "seen") for category in CATEGORIES)
BAD = (*GOOD[:2], Check("lifecycle", "web@gateway", False, 'exit 1: <"no">'), *GOOD[3:])


def test_a_report_without_checks_has_not_passed() -> None:
    assert not check_report("line", (), 1.0).passed


def test_the_text_counts_each_category_and_names_what_failed() -> None:
    assert check_text(check_report("line", BAD, 1.25)) == (
        "ok   creation              1 of 1\n"
        "ok   configuration         1 of 1\n"
        "FAIL lifecycle             0 of 1\n"
        '       web: exit 1: <"no">\n'
        "ok   health                1 of 1\n"
        "ok   configuration backup  1 of 1\n"
        "plant `line`: 5 checks, 1 failed, 1.25s\n"
    )


def test_junit_has_a_suite_for_each_category_and_a_failure_with_its_text() -> None:
    suites = ET.fromstring(check_junit(check_report("line", BAD, 1.0)))
    assert [suite.get("name") for suite in suites] == list(CATEGORIES)
    failure = suites.find(".//failure")
    assert failure is not None
    assert failure.text == 'exit 1: <"no">'
    assert suites.get("failures") == "1"


def test_the_json_form_is_versioned() -> None:
    form = msgspec.json.decode(check_json(check_report("line", GOOD, 1.0)))
    assert (form["format_version"], form["passed"], len(form["checks"])) == ("1.0", True, 5)
