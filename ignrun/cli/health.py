"""Owns `ignrun health`: shows what the health checks say."""

import click
import msgspec

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import verb


@verb("health", "ignrun health", "ignrun health historian -o json")
@click.argument("modules", nargs=-1, metavar="[MODULE[@SCOPE]]...", shell_complete=module_names)
@aims_at_plant
@output_option("text", "json")
def command(modules: tuple[str, ...], aim: Aim, output: str) -> ExitCode:
    """Show what the health checks of modules say, of all of them where none is named.

    Ends with 11 when one that is meant to be up is not well.
    """
    from ignrun.cli.operating import meant
    from ignrun.cli.settling import is_well
    from ignrun.control.client import Client
    from ignrun.render.health import health_report, health_text

    report = Client(runner_of(find_plant(aim, looking=True)).socket).status()
    shown = tuple(meant(report, modules)) if modules else report.instances
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(health_report(shown)), indent=2) + b"\n")
    else:
        result(health_text(shown, [one.address for one in report.instances], paint_for()))
    wanted = [one for one in shown if one.goal == "up" and one.state != "maintenance"]
    return ExitCode.DONE if all(map(is_well, wanted)) else ExitCode.UNHEALTHY
