"""Owns `ignrun status`: shows every instance of a plant, and says honestly when nobody runs it."""

from datetime import UTC, datetime

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import find_plant
from ignrun.cli.speech import paint_for, result, say, width
from ignrun.cli.verb import verb
from ignrun.render.status_report import StatusReport, encode_status, report_of_nothing
from ignrun.terms.failure import NoRunner


@verb("status", "ignrun status", "ignrun status -n demo -o json")
@aims_at_plant
@output_option("text", "json")
def command(aim: Aim, output: str) -> ExitCode:
    """Show every module of a plant: state, health, process and why it is as it is.

    Ends with 13 when the plant has no runner, and says how the last one ended.
    """
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

    show(Client(record.socket).status(), output)
    return ExitCode.DONE


def show(report: StatusReport, output: str) -> None:
    """Write a report on stdout."""
    if output == "json":
        result(encode_status(report))
        return
    from ignrun.render.status_table import status_text

    result(status_text(report, now=datetime.now(UTC), paint=paint_for(), width=width()))
    if report.plant.state == "lost":
        from ignrun.cli.absence import left_of

        left = left_of(report.plant.state_dir)
        is_left = f"what is left of it ({left} process{'' if left == 1 else 'es'}) is being ended"
        rest = is_left if left else "nothing of the plant runs any more"
        say(f"hint: {rest}; `ignrun apply` brings it up again")
