"""Turns the outcome of an apply into public JSON and into the sentences that people read."""

import re
from typing import TYPE_CHECKING, Final

import msgspec

from ignrun.render.diagnostics import DiagnosticReport, diagnostic_report
from ignrun.render.names import ShortName
from ignrun.render.status_report import FaultStatus
from ignrun.render.terminal import neutral, neutral_lines
from ignrun.terms.fault import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ignrun.runtime.supervise.effects import Outcome
    from ignrun.terms.diagnostics import Diagnostic

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""


class InstanceFault(msgspec.Struct, frozen=True):
    """One instance that did not arrive, and why."""

    address: str
    fault: FaultStatus


class OutcomeReport(msgspec.Struct, frozen=True):
    """How an apply ended.

    `result` is `committed`, `unchanged`, `held`, `rejected`, `refused`, `unkept`, `rolled-back`, `rollback-partial`, `superseded` or `interrupted`;
    `generation` is the one in force afterwards; `diagnostics` those of the manifest (all of them, when it was invalid).
    """

    format_version: str
    transaction: int
    result: str
    generation: int
    summary: str
    faults: tuple[InstanceFault, ...] = ()
    diagnostics: tuple[DiagnosticReport, ...] = ()


def outcome_report(outcome: "Outcome", diagnostics: tuple[DiagnosticReport, ...] = ()) -> OutcomeReport:
    """Describe an outcome for the public."""
    from ignrun.render.status import fault_status

    faults = tuple(InstanceFault(address, fault_status(fault)) for address, fault in outcome.faults.items())
    return OutcomeReport(
        FORMAT_VERSION,
        outcome.transaction,
        outcome.result.value,
        outcome.generation,
        outcome.summary,
        faults,
        diagnostics,
    )


def invalid_report(generation: int, diagnostics: "Iterable[Diagnostic]") -> OutcomeReport:
    """Describe the outcome of an apply whose manifest is invalid: `generation` stays in force."""
    found = tuple(diagnostic_report(one) for one in diagnostics)
    return OutcomeReport(FORMAT_VERSION, 0, "rejected", generation, "the manifest is invalid", (), found)


def encode_outcome(report: OutcomeReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


_SENTENCES: Final = {
    "committed": "Applied.",
    "unchanged": "Nothing to do: generation {generation} is in force.",
    "held": "Held: generation {generation} is in force, but not everything has arrived.",
    "rejected": "Rejected.",
    "refused": "Refused.",
    "unkept": "Not kept: generation {generation} is in force, but a restart would go back to the one before.",
    "rolled-back": "Rolled back: generation {generation} is in force again.",
    "rollback-partial": "Rolled back in part: generation {generation} is in force again, but not all of it could be restored.",
    "superseded": "Superseded: a later change took its place.",
    "interrupted": "Interrupted: the runner ended in the middle of it.",
}
_ONCE_MORE: Final = "`ignrun apply --retry` tries the same once more"
_HINTS: Final = {
    "held": "`ignrun status` shows every module, `ignrun logs MODULE` what it said; correct the manifest and apply again, or `ignrun down`",
    "rejected": "correct what is named above and apply again",
    "refused": "`ignrun status` says what the runner is doing",
    "unkept": "make the state folder writable again: the journal goes on trying by itself",
    "rolled-back": f"correct what is named above and apply again; {_ONCE_MORE}",
    "rollback-partial": "`ignrun status` shows what is not as it was; correct the manifest and apply again",
}


def outcome_text(report: OutcomeReport, short: ShortName = str) -> str:
    """Write how an apply ended: the sentence, each instance that did not arrive with its reason, and what to do."""
    lines = [_SENTENCES.get(report.result, report.result).format(generation=report.generation)]
    if report.result == "committed" and report.summary:
        lines = [f"Applied: {neutral(report.summary)}."]
    elif report.summary and report.result != "unchanged":
        lines.append(neutral(report.summary))
    for one in report.faults:
        lines += _fault_lines(one, short)
    if hint := _ONCE_MORE if report.result == "rolled-back" and not report.faults else _HINTS.get(report.result, ""):
        lines.append(f"hint: {hint}")
    return "\n".join(lines) + "\n"


def _fault_lines(one: InstanceFault, short: ShortName) -> list[str]:
    fault = one.fault
    if fault.kind == FaultKind.UPSTREAM.value:
        return [f"  {short(one.address)}: skipped: upstream {neutral(short(fault.upstream))}"]
    where = f" in `{neutral(fault.callback)}`" if fault.callback and f"`{fault.callback}`" not in fault.summary else ""
    return [f"  {short(one.address)}: {neutral(fault.summary)}{where}", *detail_lines(fault)]


def detail_lines(fault: FaultStatus) -> list[str]:
    """Show the tail of a command's output; of a traceback the last place outside installed packages, all of it stands in the status's JSON."""
    if not fault.detail.startswith("Traceback"):
        return [f"    | {line}" for line in neutral_lines(fault.detail)[-_DETAIL:] if fault.detail]
    every = re.findall(r'^  File "(.+)", line (\d+)', fault.detail, re.MULTILINE)
    places = [place for place in every if not _INSTALLED.search(place[0])] or every
    return (
        [f"    --> {neutral(places[-1][0])}:{places[-1][1]}"] if places and places[-1][0] not in fault.summary else []
    )


_INSTALLED: Final = re.compile(r"/lib/python3[^/]*/")
_DETAIL: Final = 12
