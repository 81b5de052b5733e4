"""Owns `ignrun health`: shows what the health checks say."""

from typing import TYPE_CHECKING

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import Plant, find_plant, runner_of
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.render.health import HealthMove


@verb("health", "ignrun health", "ignrun health --history", "ignrun health historian -o json")
@click.argument("modules", nargs=-1, metavar="[MODULE[@SCOPE]]...", shell_complete=module_names)
@click.option("--history", is_flag=True, help="Show how it changed, from the journal.")
@aims_at_plant
@output_option("text", "json")
def command(modules: tuple[str, ...], history: bool, aim: Aim, output: str) -> ExitCode:
    """Show what the health checks of modules say, of all of them where none is named.

    Ends with 11 when one that is meant to be up is not well.
    """
    from ignrun.cli.operating import meant
    from ignrun.cli.settling import is_well
    from ignrun.control.client import Client
    from ignrun.render.health import encode_health, health_report, health_text, history_text

    plant = find_plant(aim, looking=True)
    report = Client(runner_of(plant).socket).status()
    shown = tuple(meant(report, modules)) if modules else report.instances
    told = health_report(shown, _past(plant) if history else None)
    if output == "json":
        result(encode_health(told))
    elif history:
        result(history_text(told, [one.address for one in report.instances], paint_for()))
    else:
        result(health_text(shown, [one.address for one in report.instances], paint_for()))
    wanted = [one for one in shown if one.goal == "up" and one.state != "maintenance"]
    return ExitCode.DONE if all(map(is_well, wanted)) else ExitCode.UNHEALTHY


def _past(plant: Plant) -> "dict[str, tuple[HealthMove, ...]]":
    """Read from the journal how health changed."""
    from contextlib import closing

    from ignrun.render.health import health_moves
    from ignrun.runtime.journal.recall import latest_of_kind
    from ignrun.runtime.journal.schema import open_for_reading

    with closing(open_for_reading(plant.folder.journal)) as store:
        return health_moves(latest_of_kind(store, "health-changed"))
