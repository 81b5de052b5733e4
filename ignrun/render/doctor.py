"""Turns the findings of `ignrun doctor` into text that people read; owns their public form."""

from typing import Final

import msgspec

from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

_STYLES: Final = {"ok": "good", "warning": "warn", "bad": "bad"}


class Finding(msgspec.Struct, frozen=True):
    """What one check found: `standing` is `ok`, `warning` (works, but may hurt later) or `bad` (something does not work)."""

    check: str
    standing: str
    text: str
    hint: str = ""


class DoctorReport(msgspec.Struct, frozen=True):
    """What was checked, and whether nothing is bad."""

    format_version: str
    healthy: bool
    findings: tuple[Finding, ...]


def doctor_report(findings: tuple[Finding, ...]) -> DoctorReport:
    """Sum the findings up."""
    return DoctorReport(FORMAT_VERSION, all(one.standing != "bad" for one in findings), findings)


def encode_doctor(report: DoctorReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def doctor_text(report: DoctorReport, paint: Paint = plain) -> str:
    """Write a line for each finding, its hint below it, and the sum."""
    width = max(len(one.check) for one in report.findings)
    lines: list[str] = []
    for one in report.findings:
        mark = paint(_STYLES[one.standing], f"{one.standing:<7}")
        lines.append(f"{mark}  {one.check:<{width}}  {neutral(one.text)}")
        if one.hint and one.standing != "ok":
            lines.append(f"{' ' * (width + 11)}hint: {neutral(one.hint)}")
    bad = sum(1 for one in report.findings if one.standing == "bad")
    warnings = sum(1 for one in report.findings if one.standing == "warning")
    lines.append(f"{bad} bad, {warnings} to look at, {len(report.findings) - bad - warnings} ok")
    return "\n".join(lines) + "\n"
