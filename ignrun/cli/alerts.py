"""Owns `ignrun alerts`: shows which alerts fire."""

import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.speech import paint_for, result, width
from ignrun.cli.verb import verb
from ignrun.render.alerts import alerts_text


@verb("alerts", "ignrun alerts", "ignrun alerts -o json")
@aims_at_plant
@output_option("text", "json")
def command(aim: Aim, output: str) -> ExitCode:
    """Show the alerts of a plant that fire now, the gravest first, and those that have not yet held for long enough.

    Ends with 11 when one fires. What fired before is among the events: `ignrun events`.
    """
    from ignrun.control.client import Client

    report = Client(runner_of(find_plant(aim, looking=True)).socket).alerts()
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        result(alerts_text(report, paint=paint_for(), width=width()))
    fires = any(one.state == "firing" for one in report.alerts)
    return ExitCode.UNHEALTHY if fires else ExitCode.DONE
