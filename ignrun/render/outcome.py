"""Turns the outcome of an apply into public JSON and into the sentences that people read."""

from typing import TYPE_CHECKING, Final

import msgspec

from ignrun.render.diagnostics import DiagnosticReport
from ignrun.render.status_report import FaultStatus

if TYPE_CHECKING:
    from ignrun.runtime.supervise.effects import Outcome

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""


class InstanceFault(msgspec.Struct, frozen=True):
    """One instance that did not arrive, and why."""

    address: str
    fault: FaultStatus


class OutcomeReport(msgspec.Struct, frozen=True):
    """How an apply ended: `result` is `committed`, `unchanged`, `held`, `rejected` or `refused`.

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
