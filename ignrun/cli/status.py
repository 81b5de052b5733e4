"""Owns `ignrun status`: shows every instance of a plant, and says honestly when nobody runs it."""

from datetime import UTC, datetime, timedelta

import click
import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import find_plant
from ignrun.cli.since import SINCE
from ignrun.cli.speech import paint_for, result, say, width
from ignrun.cli.verb import verb
from ignrun.render.status_report import StatusReport, encode_status, report_of_nothing
from ignrun.terms.failure import NoRunner

_MOST = 50


@verb("status", "ignrun status", "ignrun status -n demo -o json", "ignrun status --history --since 2h")
@aims_at_plant
@click.option("--history", is_flag=True, help="Show what became of each module, and what its process took.")
@click.option("--since", type=SINCE, help="How far --history goes back: `10m`, `2h`, or a time; an hour if not said.")
@click.option("--all", "every", is_flag=True, help="Show every module of a large plant, on a terminal too.")
@output_option("text", "json")
def command(*, aim: Aim, history: bool, since: datetime | None, every: bool, output: str) -> ExitCode:
    """Show every module of a plant: state, health, process and why it is as it is.

    On a terminal a plant of more than 50 instances shows those that want to be looked at, and counts the others. Ends with 13 when the plant has no runner, and says how the last one ended. With --history nothing needs to run.
    """
    if history:
        return _history(aim, since or datetime.now(UTC) - timedelta(hours=1), output)
    if since:
        raise click.UsageError("--since goes with --history")
    try:
        plant = find_plant(aim, looking=True)
        record = plant.runner
        if record is None:
            from ignrun.cli.absence import report_of_absent

            show(report_of_absent(plant), output)
            return ExitCode.NO_RUNNER
    except NoRunner as nothing:
        if output == "json":
            show(report_of_nothing(aim.name or "", nothing.summary), output)
        raise
    from ignrun.control.client import Client

    show(Client(record.socket).status(), output, every=every)
    return ExitCode.DONE


def _history(aim: Aim, since: datetime, output: str) -> ExitCode:
    from ignrun.cli.past import past_report
    from ignrun.render.past import past_text

    report = past_report(find_plant(aim, looking=True), since)
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        result(past_text(report, paint=paint_for()))
    return ExitCode.DONE


def show(report: StatusReport, output: str, *, every: bool = False) -> None:
    """Write a report on stdout; a terminal gets no more than it has use for, unless it is to be `every` instance."""
    if output == "json":
        result(encode_status(report))
        return
    from ignrun.render.status_table import status_text

    wide = width()
    most = None if every or wide is None else _MOST
    result(status_text(report, now=datetime.now(UTC), paint=paint_for(), width=wide, most=most))
    if report.plant.state == "lost":
        from ignrun.cli.absence import left_of

        left = left_of(report.plant.state_dir)
        is_left = f"what is left of it ({left} process{'' if left == 1 else 'es'}) is being ended"
        rest = is_left if left else "nothing of the plant runs any more"
        say(f"hint: {rest}; `ignrun apply` brings it up again")
