"""Turns a ruling over a plan into public JSON and text."""

from typing import TYPE_CHECKING, Final

import msgspec

from ignrun.render.paint import Paint, plain
from ignrun.render.terminal import neutral

if TYPE_CHECKING:
    from ignrun.planner.reader.ruled import Ruling

FORMAT_VERSION: Final = "1.0"
_WORDS: Final = {"mandatory": "refused", "advisory": "warned"}


class FindingReport(msgspec.Struct, frozen=True):
    """What one rule has against the plan; `level` is `mandatory` or `advisory`."""

    rule: str
    level: str
    message: str


class PolicyReport(msgspec.Struct, frozen=True):
    """A ruling as data; `refused` where a mandatory rule found something."""

    format_version: str
    refused: bool
    rules: tuple[str, ...]
    findings: tuple[FindingReport, ...]


def policy_report(ruling: "Ruling") -> PolicyReport:
    """Describe a ruling for the public."""
    findings = tuple(FindingReport(one.rule, one.level, one.message) for one in ruling.findings)
    return PolicyReport(FORMAT_VERSION, ruling.refuses, ruling.rules, findings)


def encode_policy(report: PolicyReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=2) + b"\n"


def policy_text(report: PolicyReport, paint: Paint = plain) -> str:
    """Write a line for each finding, and one that counts."""
    lines = [
        f"{paint('gone' if one.level == 'mandatory' else 'change', _WORDS[one.level])} "
        f"by {neutral(one.rule)}: {neutral(one.message)}"
        for one in report.findings
    ]
    verdict = "the plan is refused" if report.refused else "the plan may be applied"
    return (
        "\n".join(
            [*lines, f"{_counted(len(report.rules), 'rule')}, {_counted(len(report.findings), 'finding')}: {verdict}"]
        )
        + "\n"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
