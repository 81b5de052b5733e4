"""Owns `ignrun start`: ends an operator's stop, or tries again at once what has failed."""

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant
from ignrun.cli.verb import verb


@verb("start", "ignrun start historian", "ignrun start basic@designer -n demo")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE[@SCOPE]...", shell_complete=module_names)
@aims_at_plant
def command(modules: tuple[str, ...], aim: Aim) -> ExitCode:
    """Start modules that were stopped by hand, or that failed and wait for their next try; return when they run.

    What runs already is left alone.
    """
    from ignrun.cli.operating import operate

    operate("start", modules, aim, "started")
    return ExitCode.DONE
