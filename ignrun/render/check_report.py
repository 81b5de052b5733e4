"""Turns the checks of a plant's lifecycle into text, public JSON and JUnit XML."""

from typing import Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from ignrun.render.names import short_names
from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral
from ignrun.terms.duration import show_duration

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

CATEGORIES: Final = ("creation", "configuration", "lifecycle", "health", "configuration backup")
"""What is checked of every instance, in this order."""


class Check(msgspec.Struct, frozen=True):
    """One thing that was to hold of one instance; `detail` says what was seen, or what was missing."""

    category: str
    address: str
    passed: bool
    detail: str = ""


class CheckReport(msgspec.Struct, frozen=True):
    """All checks of one plant; `seconds` is how long they took together."""

    format_version: str
    plant: str
    passed: bool
    seconds: float
    checks: tuple[Check, ...]


def check_report(plant: str, checks: tuple[Check, ...], seconds: float) -> CheckReport:
    """Put the checks of a plant together: it has passed when each of them has, and there are any."""
    passed = bool(checks) and all(check.passed for check in checks)
    return CheckReport(FORMAT_VERSION, plant, passed, round(seconds, 3), checks)


def check_text(report: CheckReport, paint: Paint = plain) -> str:
    """Write a line for each category and below it each check that failed, then the sum."""
    short = short_names(check.address for check in report.checks)
    lines: list[str] = []
    for category in CATEGORIES:
        checks = [check for check in report.checks if check.category == category]
        good = sum(1 for check in checks if check.passed)
        mark = paint("good", "ok  ") if good == len(checks) else paint("bad", "FAIL")
        lines.append(f"{mark} {category:<22}{good} of {len(checks)}")
        lines += [f"       {short(one.address)}: {neutral(one.detail)}" for one in checks if not one.passed]
    failed = sum(1 for check in report.checks if not check.passed)
    end = f"{failed} failed" if failed else "all passed"
    lines.append(f"plant `{report.plant}`: {len(report.checks)} checks, {end}, {show_duration(report.seconds)}")
    return "\n".join(lines) + "\n"


def check_json(report: CheckReport) -> bytes:
    """Write the public JSON form."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def check_junit(report: CheckReport) -> str:
    """Write JUnit XML: a suite for each category, a case for each instance."""
    failed = sum(1 for check in report.checks if not check.passed)
    head = f'name={quoteattr(report.plant)} tests="{len(report.checks)}" failures="{failed}" time="{report.seconds}"'
    suites = "".join(_suite(report, category) for category in CATEGORIES)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites {head}>\n{suites}</testsuites>\n'


def _suite(report: CheckReport, category: str) -> str:
    checks = [check for check in report.checks if check.category == category]
    failed = sum(1 for check in checks if not check.passed)
    cases = "".join(_case(check) for check in checks)
    return (
        f'  <testsuite name={quoteattr(category)} tests="{len(checks)}" failures="{failed}">\n{cases}  </testsuite>\n'
    )


def _case(check: Check) -> str:
    head = f"    <testcase classname={quoteattr(check.category)} name={quoteattr(check.address)}"
    if check.passed:
        return f"{head}/>\n"
    detail = neutral(check.detail)
    return f"{head}>\n      <failure message={quoteattr(detail)}>{escape(detail)}</failure>\n    </testcase>\n"
