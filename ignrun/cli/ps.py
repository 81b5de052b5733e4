"""Owns `ignrun ps`: lists the plants that run on this machine."""

import os
from datetime import UTC, datetime

import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import output_option, shown_file
from ignrun.cli.speech import paint_for, result, width
from ignrun.cli.verb import verb
from ignrun.runtime.journal.registry import RunnerRecord, live_runners, run_time_folder


class PlantsReport(msgspec.Struct, frozen=True):
    """The plants of one user that run on this machine."""

    format_version: str
    plants: tuple[RunnerRecord, ...]


_HEAD = ("PLANT", "PID", "UP", "VERSION", "MANIFEST")


@verb("ps", "ignrun ps")
@output_option("text", "json")
def command(output: str) -> ExitCode:
    """List the plants of this user that run on this machine."""
    records = live_runners(run_time_folder(os.environ))
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(PlantsReport("1.0", records)), indent=2) + b"\n")
    elif records:
        result(_table(records))
    else:
        result("no plant runs\n")
    return ExitCode.DONE


def _table(records: tuple[RunnerRecord, ...]) -> str:
    from ignrun.render.columns import columns
    from ignrun.terms.duration import show_duration

    now = datetime.now(UTC)
    rows = [
        (
            one.plant,
            str(one.pid),
            show_duration(max(0.0, (now - one.started).total_seconds())),
            one.version,
            shown_file(one.manifest),
        )
        for one in records
    ]
    return columns(_HEAD, rows, paint=paint_for(), width=width())
